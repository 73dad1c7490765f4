/**
 * A message that weir refuses, as a value: what to answer and why. The only error that the functions of this
 * room throw for bad input.
 */
export class HttpError extends Error {
  override readonly name = "HttpError";

  /**
   * @param status the status to answer with (RFC 9110 §15)
   * @param error the proxy error type of RFC 9209 §2.3: `http_request_error`, `http_protocol_error`, …
   * @param message what is wrong and what to do about it, in one printable line without a full stop
   * @param fields what the answer's head holds besides, each as `Name: value`
   * @param note the end of the message, if it is somebody's own words, which a page shows apart
   */
  constructor(
    readonly status: number,
    readonly error: string,
    message: string,
    readonly fields: readonly string[] = [],
    readonly note = "",
  ) {
    super(message);
  }
}

/** A request that is refused because of what it is: `400` unless said otherwise. */
export function badRequest(message: string, status = 400): HttpError {
  return new HttpError(status, "http_request_error", message);
}

/** An origin's message that cannot be trusted: always `502` (RFC 9110 §15.6.3). */
export function badResponse(message: string): HttpError {
  return new HttpError(502, "http_protocol_error", message);
}

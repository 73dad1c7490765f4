/** A response as it is kept, and the request that asks for one. Bodies and stores are no matter of the rules. */

/**
 * Reads fields of a head by their names in lower case: the values of all lines of that name, joined with `, `
 * (RFC 9110 §5.3); `""` when there is none.
 */
export interface Fields {
  field(name: string): string;
}

/** A line of a head: its name as it was written, and its value. Text has one character a byte. */
export type FieldLine = readonly [name: string, value: string];

/** A head and what belongs to it but its body. It is never changed: what updates it makes another one. */
export interface StoredResponse {
  /** The final status, 200–599. */
  readonly status: number;
  /**
   * The fields in the order in which they came, without those of one hop (RFC 9111 §3.1) and without
   * `Transfer-Encoding`; `Content-Length` is there if it was.
   */
  readonly fields: readonly FieldLine[];
  /** When the request was sent and its response came, ms since the epoch on the cache's clock (RFC 9111 §4.2.3). */
  readonly requestTime: number;
  readonly responseTime: number;
  /** How far the system's clock, by which dates are written, was behind that one, ms; 0 unless it was set back. */
  readonly behind?: number;
  /** Whether no lifetime is estimated where it states none: it was fetched with credentials. */
  readonly noEstimate?: boolean;
  /** What the request said in the fields that the response's `Vary` names, in lower case and order of `Vary`. */
  readonly vary: readonly FieldLine[];
  /** Bytes of the body; those of a part only, if `range` is not `null`. */
  readonly length: number;
  /** Which part of the representation the body is (a 206): first and last byte, and the length of the whole. */
  readonly range: { readonly first: number; readonly last: number; readonly whole: number } | null;
}

/** When a response came by the system's clock: what the dates in it are compared with. Ms since the epoch. */
export function receivedAt(
  { responseTime, behind }: Pick<StoredResponse, "responseTime" | "behind">,
): number {
  return responseTime - (behind ?? 0);
}

/**
 * What a request proves of its client:
 *
 * - `cookie`: cookies alone, which browsers send along with everything
 * - `key`: `Authorization`, or a field that carries a key or a token
 */
export type Credentials = "none" | "cookie" | "key";

/** A request that is looked up. */
export interface CacheRequest {
  readonly method: string;
  readonly fields: Fields;
  /** Whether it has a body, whatever its method. */
  readonly hasBody: boolean;
  /** What it proves of its client; where it is not said, as `Authorization` and `Cookie` tell. */
  readonly credentials?: Credentials;
  /** Whether it is known that its `Accept-Encoding` does not rule out what has no content coding. */
  readonly takesUncoded?: boolean;
}

/** A response that has come for it. */
export interface CacheResponse {
  readonly status: number;
  readonly fields: Fields;
}

/** One request through the proxy and its answer back, for tests that look at what either end got. */

import type { Origin, Setting } from "./harness.ts";
import type { Message, Peer, ReadOptions } from "./peer.ts";

/** A GET in absolute form for a path of this origin, with further field lines. */
export function get(origin: { authority: string }, path = "/", ...lines: string[]): string {
  return request(origin, "GET", path, ...lines);
}

/** A request without a body in absolute form. */
export function request(
  origin: { authority: string },
  method: string,
  path: string,
  ...lines: string[]
): string {
  const { authority } = origin;
  return `${method} http://${authority}${path} HTTP/1.1\r\nHost: ${authority}\r\n` +
    lines.map((line) => line + "\r\n").join("") + "\r\n";
}

/** The plainest answer there is. */
export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

export interface RoundTrip {
  client: Peer;
  upstream: Peer;
  /** What the origin got and what the client got. */
  sent: Message;
  got: Message;
}

export interface RoundTripOptions extends ReadOptions {
  client?: Peer;
  origin?: Origin;
}

/** Sends `message` to the proxy and `response` back on the connection that comes of it. */
export async function roundTrip(
  setting: Setting,
  message: string,
  response: string = OK,
  options: RoundTripOptions = {},
): Promise<RoundTrip> {
  const client = options.client ?? await setting.connect();
  await client.send(message);
  const upstream = await (options.origin ?? setting.origin).accept();
  const sent = await upstream.message();
  await upstream.send(response);
  const got = await client.message({ method: message.slice(0, message.indexOf(" ")), ...options });
  return { client, upstream, sent, got };
}

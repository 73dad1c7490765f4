/** Exchanges that are under way: where a test about how they end begins. */

import { assertEquals } from "@std/assert";
import type { Setting } from "./harness.ts";
import type { Peer } from "./peer.ts";

/** Both ends of an exchange. */
export interface UnderWay {
  client: Peer;
  upstream: Peer;
}

/** A request whose head has arrived at the origin, which has not answered yet. */
export async function arrived(setting: Setting, message: string, resettable = false): Promise<UnderWay> {
  const client = await setting.connect({ resettable });
  await client.send(message);
  const upstream = await setting.origin.accept();
  await upstream.head();
  return { client, upstream };
}

/** An open tunnel through which nothing has gone. */
export async function tunnelled(setting: Setting, resettable = false): Promise<UnderWay> {
  const { origin, connect } = setting;
  const client = await connect({ resettable });
  await client.send(`CONNECT ${origin.authority} HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`);
  const upstream = await origin.accept();
  assertEquals((await client.message({ method: "CONNECT" })).status, 200);
  return { client, upstream };
}

/** Sends the same again and again until the other side does not take it any more. */
export async function sendUntilRefused(
  peer: Peer,
  piece: Uint8Array = new Uint8Array(64 * 1024),
): Promise<void> {
  try {
    for (;;) await peer.send(piece);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset) return;
    throw error;
  }
}

/** The ways through the proxy, each asked in the same words: what holds for one has to hold for all. */

import { assertEquals } from "@std/assert";
import { proxied, type Setting, type SettingOptions } from "./harness.ts";
import type { Message } from "./peer.ts";
import { OK } from "./round_trip.ts";

/** The ways in: each asks for `authority` and brings back how it was answered. */
export const WAYS = {
  "a plain request": (authority: string) => `GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n\r\n`,
  "a tunnel": (authority: string) => `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`,
  "an upgrade": (authority: string) =>
    `GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
} as const;
export type Way = keyof typeof WAYS;

export const SWITCHED =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

/** Asks for `authority` and expects to be let through to the origin of the test. */
export async function passes(setting: Setting, way: Way, authority: string): Promise<void> {
  const client = await setting.connect();
  await client.send(WAYS[way](authority));
  const upstream = await setting.origin.accept();
  if (way === "a tunnel") {
    assertEquals((await client.message({ method: "CONNECT" })).status, 200);
  } else {
    await upstream.message();
    await upstream.send(way === "an upgrade" ? SWITCHED : OK);
    assertEquals((await client.message()).status, way === "an upgrade" ? 101 : 200);
  }
  upstream.close();
  client.close();
  assertEquals((await setting.exchanges.next()).verdict, "allow");
}

/** Asks for `authority` and expects to be refused; nothing may have reached the origin. */
export async function refused(setting: Setting, way: Way, authority: string, status = 403): Promise<Message> {
  const client = await setting.connect();
  await client.send(WAYS[way](authority));
  const answer = await client.message({ method: way === "a tunnel" ? "CONNECT" : "GET" });
  assertEquals(answer.status, status, answer.head);
  client.close();
  const exchange = await setting.exchanges.next();
  assertEquals([exchange.verdict, exchange.enforced, exchange.ownAnswer], ["deny", true, true]);
  assertEquals(exchange.originStatus, 0);
  await setting.origin.assertNoFurtherConnection();
  return answer;
}

/** A test for each way in. */
export function eachWay(
  name: string,
  options: SettingOptions,
  run: (setting: Setting, way: Way) => Promise<void>,
): void {
  for (const way of Object.keys(WAYS) as Way[]) {
    proxied(`${way}: ${name}`, options, (setting) => run(setting, way));
  }
}

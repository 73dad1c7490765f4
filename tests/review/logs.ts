/** Logs made by hand. */

import { LogReader } from "../../src/review/log_reader.ts";
import type { LoggedExchange } from "../../src/review/logged_exchange.ts";

const encoder = new TextEncoder();

/** What a line of weir's JSON log says of a tunnel that went well, with changes; `undefined` leaves a key out. */
export function jsonLine(changes: Record<string, unknown> = {}): string {
  const { host = "registry.corp.test", port = 443 } = changes as { host?: string; port?: number };
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const tunnel = changes.method === undefined || changes.method === "CONNECT";
  return JSON.stringify({
    time: "2026-11-21T06:00:25.105Z",
    number: 1,
    kind: tunnel ? "tunnel" : "forward",
    client: "127.0.0.1",
    clientPort: 51234,
    listener: "127.0.0.1:8888",
    method: "CONNECT",
    version: "1.1",
    target: tunnel ? authority : `http://${authority}/`,
    ...(tunnel ? {} : { scheme: "http" }),
    host,
    port,
    verdict: "allow",
    origin: "104.16.0.35",
    originPort: port,
    reused: false,
    upstreamSentBytes: 1000,
    upstreamReceivedBytes: 20000,
    status: 200,
    requestHeadBytes: 100,
    requestBodyBytes: 900,
    responseHeadBytes: 39,
    responseBodyBytes: 20000,
    headMs: 0.1,
    connectedMs: 12.042,
    durationMs: 230.5,
    ...changes,
  });
}

/** A line of a denial. */
export function deniedLine(changes: Record<string, unknown> = {}): string {
  return jsonLine({
    verdict: "deny",
    rule: "default",
    reason: "no rule matches",
    origin: undefined,
    originPort: undefined,
    connectedMs: undefined,
    ownAnswer: true,
    status: 403,
    error: "http_request_denied",
    ...changes,
  });
}

/** A stream of a text or of bytes, cut at these places. */
export function streamOf(
  content: string | Uint8Array,
  cuts: readonly number[] = [],
): ReadableStream<Uint8Array> {
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  const ends = [...cuts.filter((cut) => cut > 0 && cut < bytes.length), bytes.length];
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      const end = ends.shift();
      if (end === undefined) return controller.close();
      if (end > at) controller.enqueue(bytes.slice(at, end));
      at = Math.max(at, end);
      if (ends.length === 0) controller.close();
    },
  });
}

/** Reads a whole log. */
export async function readAll(
  content: string | Uint8Array,
  cuts: readonly number[] = [],
): Promise<{ reader: LogReader; exchanges: LoggedExchange[] }> {
  const reader = new LogReader();
  const exchanges: LoggedExchange[] = [];
  for await (const batch of reader.read(streamOf(content, cuts), "log")) exchanges.push(...batch);
  return { reader, exchanges };
}

/** Exchanges made by hand. */

import { Exchange } from "../../src/proxy/exchange.ts";

export const CHROME =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 " +
  "Safari/537.36";

/** What a test may say about an exchange, and the fields of its request. */
export type Sample = Partial<Omit<Exchange, "fields" | "duration">> & { fields?: Record<string, string> };

/** A GET that went well: 47.2 ms, 1256 bytes, began at 2026-11-21T06:00:25.105Z. */
export function forward(changes: Sample = {}): Exchange {
  return make({
    kind: "forward",
    method: "GET",
    target: "http://example.com/index.html?a=b",
    scheme: "http",
    host: "example.com",
    port: 80,
    verdict: "allow",
    originAddress: "93.184.216.34",
    originPort: 80,
    status: 200,
    originStatus: 200,
    contentType: "text/html; charset=utf-8",
    responseHeadBytes: 250,
    responseBodyBytes: 1256,
    upstreamSentBytes: 95,
    upstreamReceivedBytes: 1480,
    headAt: 1000.1,
    connectedAt: 1012,
    responseAt: 1034,
    endedAt: 1047.2,
  }, changes);
}

/** A CONNECT that was open for 63 s. */
export function tunnel(changes: Sample = {}): Exchange {
  return make({
    kind: "tunnel",
    method: "CONNECT",
    target: "example.com:443",
    host: "example.com",
    port: 443,
    verdict: "allow",
    originAddress: "93.184.216.34",
    originPort: 443,
    status: 200,
    requestBodyBytes: 4312,
    responseHeadBytes: 39,
    responseBodyBytes: 1_843_221,
    upstreamSentBytes: 4312,
    upstreamReceivedBytes: 1_843_221,
    headAt: 1000.1,
    connectedAt: 1012,
    endedAt: 64_000,
  }, changes);
}

/** A request that was refused without asking anybody. */
export function own(changes: Sample = {}): Exchange {
  return make({
    kind: "own",
    method: "GET",
    target: "http://ads.example/",
    scheme: "http",
    host: "ads.example",
    port: 80,
    verdict: "deny",
    reason: "the host is blocked",
    status: 403,
    ownAnswer: true,
    contentType: "text/plain",
    responseHeadBytes: 300,
    responseBodyBytes: 80,
    headAt: 1000.1,
    endedAt: 1000.4,
  }, changes);
}

/** Bytes that were no request. */
export function unreadable(changes: Sample = {}): Exchange {
  return make({
    status: 400,
    ownAnswer: true,
    responseHeadBytes: 300,
    responseBodyBytes: 80,
    error: "http_request_error",
    details: "the method is not a token",
    endedAt: 1000.4,
    fields: {},
  }, changes);
}

/** A text less the sequences that colour it. */
export function withoutColors(text: string): string {
  return text.split("\x1b[").map((part, i) => i === 0 ? part : part.slice(part.indexOf("m") + 1)).join("");
}

function make(base: Sample, changes: Sample): Exchange {
  const exchange = new Exchange(42, 1_795_240_825_105, 1000);
  const { fields = { "user-agent": CHROME }, ...values } = { ...base, ...changes };
  Object.assign(exchange, {
    clientAddress: "127.0.0.1",
    clientPort: 51_234,
    listener: "127.0.0.1:8888",
    requestHeadBytes: 78,
    ...values,
  });
  exchange.fields = { field: (name) => fields[name] ?? "" };
  return exchange;
}

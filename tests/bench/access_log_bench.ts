/**
 * What a line of the access log costs, from the exchange to bytes handed to a sink, per format. The proxy's whole
 * budget for a small request is about 14 µs of CPU.
 */

import { accessLog, type AccessLogFormat } from "../../src/observe/access_log.ts";
import { Exchange } from "../../src/proxy/exchange.ts";
import { CHROME } from "../observe/samples.ts";

const FORMATS: AccessLogFormat[] = ["pretty", "hops", "json", "common", "combined", "squid", "none"];

/** Exchanges as they come under load: many a ms, each with texts of its own. */
const exchanges: Exchange[] = [];
for (let i = 0; i < 1024; i++) {
  const exchange = new Exchange(i, Date.now() + (i >> 4), 1000 + i / 16);
  Object.assign(exchange, {
    kind: "forward",
    clientAddress: "127.0.0.1",
    clientPort: 32_768 + i,
    listener: "127.0.0.1:8888",
    method: "GET",
    target: fresh(`http://www.example.com/assets/images/2026/11/picture-${i}.webp?size=640`),
    scheme: "http",
    host: "www.example.com",
    port: 80,
    verdict: "allow",
    originAddress: "93.184.216.34",
    originPort: 80,
    reused: true,
    status: 200,
    originStatus: 200,
    contentType: fresh("image/webp"),
    requestHeadBytes: 640,
    responseHeadBytes: 310,
    responseBodyBytes: 1024 + i * 37,
    upstreamSentBytes: 660,
    upstreamReceivedBytes: 1310 + i * 37,
    headAt: exchange.began + 0.031,
    connectedAt: exchange.began + 0.06 + i / 10_000,
    responseAt: exchange.began + 0.4 + i / 1000,
    endedAt: exchange.began + 0.5 + i / 500,
  });
  const fields: Record<string, string> = {
    "user-agent": fresh(CHROME),
    referer: fresh("http://www.example.com/"),
  };
  exchange.fields = { field: (name) => fields[name] ?? "" };
  exchanges.push(exchange);
}

/** A text of its own memory, as one that was read from a head has. */
function fresh(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}

for (const format of FORMATS) measure(format, format, false);
measure("pretty in colour", "pretty", true);

function measure(name: string, format: AccessLogFormat, color: boolean): void {
  const log = accessLog(format, { color, write: (bytes) => Promise.resolve(bytes.length), notice() {} });
  let next = 0;
  Deno.bench(`${name}, 1000 lines`, { group: "access log" }, async () => {
    for (let i = 0; i < 1000; i++) log.finished(exchanges[next = next + 1 & 1023]);
    // the sink is always ready: these turns let it take all, so that no line is dropped unmeasured
    for (let turn = 0; turn < 100; turn++) await undefined;
    if (log.dropped > 0) throw new Error(`${log.dropped} lines were dropped`);
  });
}

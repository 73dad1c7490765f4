import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatJson } from "../../src/observe/format_json.ts";
import { formatSquid } from "../../src/observe/format_squid.ts";
import { CHROME, forward, own, tunnel, unreadable } from "./samples.ts";

Deno.test("an object holds all of the exchange, in a stable order", () => {
  const line = formatJson(forward({
    user: "alice",
    rule: "default",
    reason: "nothing forbids it",
    serverName: "example.com",
    reused: true,
    retries: 1,
    truncated: true,
    error: "connection_terminated",
    details: "the origin closed",
    fields: { "user-agent": CHROME, referer: "http://example.com/" },
  }));
  const expected = {
    time: "2026-11-21T06:00:25.105Z",
    number: 42,
    kind: "forward",
    client: "127.0.0.1",
    clientPort: 51_234,
    listener: "127.0.0.1:8888",
    user: "alice",
    method: "GET",
    version: "1.1",
    target: "http://example.com/index.html?a=b",
    scheme: "http",
    host: "example.com",
    port: 80,
    userAgent: CHROME,
    referer: "http://example.com/",
    verdict: "allow",
    rule: "default",
    reason: "nothing forbids it",
    serverName: "example.com",
    origin: "93.184.216.34",
    originPort: 80,
    reused: true,
    retries: 1,
    upstreamSentBytes: 95,
    upstreamReceivedBytes: 1480,
    status: 200,
    originStatus: 200,
    contentType: "text/html; charset=utf-8",
    requestHeadBytes: 78,
    requestBodyBytes: 0,
    responseHeadBytes: 250,
    responseBodyBytes: 1256,
    headMs: 0.1,
    connectedMs: 12,
    responseMs: 34,
    durationMs: 47.2,
    error: "connection_terminated",
    details: "the origin closed",
    truncated: true,
  };
  assertEquals(JSON.parse(line), expected);
  assertEquals(Object.keys(JSON.parse(line)), Object.keys(expected));
});

Deno.test("what was odd about a response is told", () => {
  const { odd } = JSON.parse(formatJson(unreadable({ odd: "LF line end, folded line" })));
  assertEquals(odd, "LF line end, folded line");
});

Deno.test("what has no meaning for an exchange is left out", () => {
  assertEquals(Object.keys(JSON.parse(formatJson(unreadable({ status: 0, error: "", details: "" })))), [
    "time",
    "number",
    "kind",
    "client",
    "clientPort",
    "listener",
    "verdict",
    "status",
    "ownAnswer",
    "reference",
    "requestHeadBytes",
    "requestBodyBytes",
    "responseHeadBytes",
    "responseBodyBytes",
    "durationMs",
  ]);
  const denied = JSON.parse(formatJson(own()));
  assertEquals([denied.ownAnswer, denied.origin, denied.upstreamSentBytes], [true, undefined, undefined]);
  const tunneled = JSON.parse(formatJson(tunnel({ fields: {} })));
  assertEquals([tunneled.scheme, tunneled.userAgent, tunneled.originStatus], [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("a denial that was only reported says so, and is a miss to readers of Squid's format", () => {
  const exchange = forward({ verdict: "deny", enforced: false, rule: "ads" });
  assertEquals(JSON.parse(formatJson(exchange)).enforced, false);
  assertEquals("enforced" in JSON.parse(formatJson(forward())), false);
  assert(formatSquid(exchange).includes(" TCP_MISS/200 "));
});

Deno.test("a value that follows another one like it is not mistaken for it", () => {
  const agents = ["a", "b", "b", "a", "", "a"];
  const seen = agents.map((agent) =>
    JSON.parse(formatJson(forward({ fields: { "user-agent": agent } }))).userAgent
  );
  assertEquals(seen, ["a", "b", "b", "a", undefined, "a"]);
});

Deno.test("an exchange that was never ended has no negative times", () => {
  assertEquals(JSON.parse(formatJson(forward({ endedAt: -1 }))).durationMs, 0);
});

const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom('"', "\\", "\n", "\r", "\x1b", "\x7f", "\x9b", "\u2028", "\ud800", "é", "a", ","),
  }),
);
const count = fc.maxSafeNat();
const instant = fc.double({ min: -1, max: 1e9, noNaN: true });

Deno.test("whatever an exchange holds, its line is one valid JSON object on one line", () => {
  fc.assert(
    fc.property(
      fc.record({
        user: hostile,
        method: hostile,
        target: hostile,
        scheme: hostile,
        host: hostile,
        clientAddress: hostile,
        listener: hostile,
        originAddress: hostile,
        rule: hostile,
        reason: hostile,
        contentType: hostile,
        error: hostile,
        details: hostile,
        responseBodyBytes: count,
        headAt: instant,
        connectedAt: instant,
        endedAt: instant,
        truncated: fc.boolean(),
        ownAnswer: fc.boolean(),
        fields: fc.record({ "user-agent": hostile, referer: hostile }),
      }),
      (sample) => {
        const line = formatJson(forward(sample));
        const read = JSON.parse(line);
        assertEquals(read.number, 42);
        assert(!/[\p{C}\p{Zl}\p{Zp}]/u.test(line), line);
        // what is UTF-8 in the bytes of a head is written as what it means, all else as it is
        if (!/[\x80-\xff]/.test(sample.details)) {
          assertEquals(read.details ?? "", sample.details.toWellFormed() && sample.details);
        }
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("long values are cut, and no password of a target or referer gets in", () => {
  const line = formatJson(forward({
    target: `http://bob:secret@example.com/${"a".repeat(65_536)}`,
    details: "d".repeat(65_536),
    fields: { "user-agent": "u".repeat(65_536), referer: "http://bob:secret@example.com/" },
  }));
  assert(line.length < 13_000, `${line.length}`);
  assert(!line.includes("secret"));
  JSON.parse(line);
});

Deno.test("another protocol than HTTP is told in place of its version", () => {
  const { protocol, version } = JSON.parse(formatJson(tunnel({ protocol: "socks5" })));
  assertEquals([protocol, version], ["socks5", undefined]);
  assertEquals("protocol" in JSON.parse(formatJson(tunnel())), false);
});

Deno.test("a parent is named, and the origin's address where the parent was asked for it", () => {
  const byName = JSON.parse(formatJson(forward({ parent: "corp", originAddress: "" })));
  assertEquals([byName.parent, byName.origin, byName.originPort, byName.reused], [
    "corp",
    undefined,
    undefined,
    false,
  ]);
  const byAddress = JSON.parse(formatJson(forward({ parent: "corp" })));
  assertEquals([byAddress.parent, byAddress.origin, byAddress.originPort], ["corp", "93.184.216.34", 80]);
});

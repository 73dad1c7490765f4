import { assertEquals, assertMatch } from "@std/assert";
import { formatRelayJson, relayPrettyFormat } from "../../src/observe/format_relay.ts";
import { Relayed } from "../../src/relay/relayed.ts";

function relayed(parts: Partial<Relayed> = {}): Relayed {
  const record = new Relayed(7, "10.0.0.9", 51_234, "127.0.0.1:6379", Date.UTC(2026, 10, 21, 6), 1000);
  return Object.assign(record, {
    target: "redis.internal:6379",
    originAddress: "10.0.0.5",
    originPort: 6379,
    bytesUp: 1200,
    bytesDown: 56_000_000,
    connectedAt: 1000.5,
    endedAt: 3100,
    ...parts,
  });
}

Deno.test("an object holds all of a connection, in a stable order", () => {
  const line = formatRelayJson(
    relayed({ skipped: 1, error: "connection_terminated", details: "cut", truncated: true }),
  );
  const expected = {
    time: "2026-11-21T06:00:00.000Z",
    number: 7,
    kind: "relay",
    client: "10.0.0.9",
    clientPort: 51_234,
    listener: "127.0.0.1:6379",
    verdict: "allow",
    target: "redis.internal:6379",
    origin: "10.0.0.5",
    originPort: 6379,
    skipped: 1,
    requestBodyBytes: 1200,
    responseBodyBytes: 56_000_000,
    connectedMs: 0.5,
    durationMs: 2100,
    error: "connection_terminated",
    details: "cut",
    truncated: true,
  };
  assertEquals(JSON.parse(line), expected);
  assertEquals(Object.keys(JSON.parse(line)), Object.keys(expected));
});

Deno.test("what has no meaning for a connection is left out", () => {
  const line = formatRelayJson(relayed({ verdict: "deny", originAddress: "", target: "", connectedAt: -1 }));
  const keys = Object.keys(JSON.parse(line));
  for (const key of ["target", "origin", "skipped", "connectedMs", "error", "details", "truncated"]) {
    assertEquals(keys.includes(key), false, key);
  }
});

Deno.test("a line for people names both ends, both counts, and what went wrong", () => {
  const plain = relayPrettyFormat(false);
  assertMatch(
    plain(relayed()),
    /^\d\d:\d\d:\d\d 10\.0\.0\.9:51234 {8}→ 10\.0\.0\.5:6379 {9}↑1\.2 kB ↓ 56 MB {3}2\.1 s$/,
  );
  assertMatch(plain(relayed({ skipped: 2 })), / after 2 in vain$/);
  assertMatch(
    plain(relayed({ originAddress: "", connectedAt: -1, details: "no\x1b[31m" })),
    /→ - .* no\\x1b\[31m$/,
  );
  assertMatch(plain(relayed({ originAddress: "2001:db8::1" })), /→ \[2001:db8::1\]:6379/);
});

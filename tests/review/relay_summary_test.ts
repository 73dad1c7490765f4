import { assertEquals } from "@std/assert";
import { formatRelayJson } from "../../src/observe/format_relay.ts";
import { Relayed } from "../../src/relay/relayed.ts";
import { LogReader } from "../../src/review/log_reader.ts";
import { RelaySummary } from "../../src/review/relay_summary.ts";
import { jsonLine, readAll, streamOf } from "./logs.ts";
import { relayLine } from "./relay_lines.ts";

async function summed(...lines: string[]): Promise<{ reader: LogReader; summary: RelaySummary }> {
  const summary = new RelaySummary();
  const reader = new LogReader((connection) => summary.add(connection));
  for await (const _ of reader.read(streamOf(lines.join("\n")), "log"));
  return { reader, summary };
}

Deno.test("connections are told apart by what became of them", async () => {
  const { reader, summary } = await summed(
    relayLine(),
    relayLine({ skipped: 2 }),
    relayLine({ error: "connection_terminated", details: "cut", truncated: true }),
    relayLine({ connectedAt: -1, error: "connection_refused", bytesUp: 0, bytesDown: 0 }),
    relayLine({ connectedAt: -1, target: "", originAddress: "", verdict: "deny", bytesUp: 0, bytesDown: 0 }),
    jsonLine(),
  );
  assertEquals([reader.lines, reader.connections, reader.exchanges], [6, 5, 1]);
  const { connected, unreached, denied, cut, passedOn, total } = summary;
  assertEquals({ connected, unreached, denied, cut, passedOn }, {
    connected: 3,
    unreached: 1,
    denied: 1,
    cut: 1,
    passedOn: 1,
  });
  assertEquals([total.count, total.up, total.down], [5, 3600, 168_000_000]);
  assertEquals(summary.errors.sorted(({ count }) => count).map(([error]) => error), [
    "connection_refused",
    "connection_terminated",
  ]);
});

Deno.test("each address of a name is a target of its own, and an address stands for itself", async () => {
  const { summary } = await summed(
    relayLine(),
    relayLine({ originAddress: "10.0.0.6" }),
    relayLine({ target: "[::1]:6379", originAddress: "::1" }),
    relayLine({ target: "10.0.0.5:6379", connectedAt: -1, error: "connection_refused" }),
  );
  assertEquals(
    summary.targets.sorted(({ count }) => count).map((
      [target, { count, denied }],
    ) => [target, count, denied]),
    [
      ["10.0.0.5:6379", 1, 1],
      ["[::1]:6379", 1, 0],
      ["redis.internal:6379 at 10.0.0.5", 1, 0],
      ["redis.internal:6379 at 10.0.0.6", 1, 0],
    ],
  );
});

Deno.test("a line of a relay that cannot be is not believed", async () => {
  const line: Record<string, unknown> = JSON.parse(
    formatRelayJson(new Relayed(1, "10.0.0.9", 5, "127.0.0.1:1")),
  );
  for (
    const change of [
      { time: "yesterday" },
      { verdict: "perhaps" },
      { target: "no target" },
      { skipped: -1 },
      { requestBodyBytes: "many" },
      { responseBodyBytes: 2 ** 60 },
      { durationMs: -1 },
      { client: 7 },
    ]
  ) {
    const { reader } = await summed(JSON.stringify({ ...line, ...change }));
    assertEquals([reader.connections, reader.passedOver.length], [0, 1], JSON.stringify(change));
  }
});

Deno.test("whoever has no use for a relay's lines passes them over, and says whose they are", async () => {
  const { reader, exchanges } = await readAll([relayLine(), jsonLine()].join("\n"));
  assertEquals(exchanges.length, 1);
  assertEquals(reader.passedOver.map(({ reason }) => reason), [
    "a connection of weir relay, which only weir report sums up",
  ]);
});

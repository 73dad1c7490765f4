/** What every format owes its reader, whatever clients and origins send. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { accessLog, type AccessLogFormat } from "../../src/observe/access_log.ts";
import { forward, type Sample, tunnel, unreadable } from "./samples.ts";

const FORMATS: AccessLogFormat[] = ["pretty", "hops", "json", "common", "combined", "squid"];

const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(
      "\n",
      "\r",
      "\x1b[2J",
      "\x00",
      "\x7f",
      "\x85",
      "\x9b",
      "\u2028",
      "\u202e",
      "\ud800",
      '"',
      "\\",
      " ",
    ),
  }),
);
const samples: fc.Arbitrary<Sample> = fc.record({
  user: hostile,
  method: hostile,
  target: hostile,
  host: hostile,
  contentType: hostile,
  reason: hostile,
  error: hostile,
  details: hostile,
  verdict: fc.constantFrom("allow", "deny", "none"),
  status: fc.constantFrom(0, 101, 200, 403, 502),
  truncated: fc.boolean(),
  fields: fc.record({ "user-agent": hostile, referer: hostile }),
});

/** The text that an access log makes of exchanges. */
async function logged(format: AccessLogFormat, exchanges: ReturnType<typeof forward>[]): Promise<string> {
  let text = "";
  const log = accessLog(format, {
    color: false,
    write(bytes) {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
    notice: (_level, message) => {
      throw new Error(message);
    },
  });
  for (const exchange of exchanges) log.finished(exchange);
  await log.flush();
  assertEquals(log.dropped, 0);
  return text;
}

for (const format of FORMATS) {
  Deno.test(`${format}: nothing of the network's ends a line, moves the cursor or turns the text around`, async () => {
    await fc.assert(
      fc.asyncProperty(samples, fc.constantFrom(forward, tunnel, unreadable), async (sample, make) => {
        const text = await logged(format, [make(sample)]);
        assert(text.endsWith("\n"));
        const lines = text.slice(0, -1).split("\n");
        assert(format === "hops" ? lines.length <= 4 : lines.length === 1, text);
        for (const line of lines) assert(!/[\p{C}\p{Zl}\p{Zp}]/u.test(line), JSON.stringify(line));
      }),
      { numRuns: 200 },
    );
  });

  Deno.test(`${format}: no credential is logged`, async () => {
    const asked: string[] = [];
    const exchange = forward({ target: "http://bob:hunter2@example.com/" });
    exchange.fields = {
      field(name) {
        asked.push(name);
        return name === "referer"
          ? "http://bob:hunter2@example.com/"
          : "hunter2".repeat(Number(/auth|cookie/.test(name)));
      },
    };
    assert(!(await logged(format, [exchange])).includes("hunter2"));
    assertEquals(asked.filter((name) => name !== "user-agent" && name !== "referer"), []);
  });

  Deno.test(`${format}: an entry is bounded, whatever the sizes of what came`, async () => {
    const long = "\x01é".repeat(40_000);
    const entry = await logged(format, [forward({
      user: long,
      method: long,
      target: long,
      host: long,
      contentType: long,
      reason: long,
      error: long,
      details: long,
      truncated: true,
      fields: { "user-agent": long, referer: long },
    })]);
    assert(entry.length < 100_000, `${entry.length}`);
  });
}

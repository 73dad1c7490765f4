import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { formatCombined } from "../../src/observe/format_combined.ts";
import { formatCommon } from "../../src/observe/format_common.ts";
import { formatJson } from "../../src/observe/format_json.ts";
import { formatSquid } from "../../src/observe/format_squid.ts";
import { LONGEST_LINE } from "../../src/review/log_lines.ts";
import { LogError, LogReader, readLine } from "../../src/review/log_reader.ts";
import { isChallenge, isReported, wasRefused, wentThrough } from "../../src/review/logged_exchange.ts";
import { forward, own, tunnel, unreadable } from "../observe/samples.ts";
import { deniedLine, jsonLine, readAll, streamOf } from "./logs.ts";

Deno.test("weir's JSON is read as it was written", () => {
  const { authority, clientIp: _, originIp: __, ...rest } = readLine(formatJson(forward({ user: "alice" })));
  assertEquals(authority?.text, "example.com:80");
  assertEquals(rest, {
    number: 42,
    time: 1_795_240_825_105,
    client: "127.0.0.1",
    user: "alice",
    method: "GET",
    secure: false,
    path: "/index.html",
    pathCut: false,
    status: 200,
    verdict: "allow",
    via: "direct",
    enforced: true,
    rule: "",
    reason: "",
    origin: "93.184.216.34",
    reached: true,
    up: 78,
    down: 1506,
    duration: 47.2,
    error: "",
    serverName: "",
  });
});

Deno.test("every format tells the same of a tunnel and of a request", () => {
  for (
    const exchange of [
      tunnel(),
      forward(),
      forward({ target: "http://[2001:db8::1]:8080/a", host: "2001:db8::1", port: 8080 }),
    ]
  ) {
    const json = readLine(formatJson(exchange));
    for (const format of [formatSquid, formatCommon, formatCombined]) {
      const other = readLine(format(exchange));
      assertEquals(other.authority, json.authority);
      assertEquals([other.client, other.method, other.path, other.status, other.verdict, other.reached], [
        json.client,
        json.method,
        json.path,
        json.status,
        json.verdict,
        json.reached,
      ]);
    }
    assertEquals(readLine(formatSquid(exchange)).origin, json.origin);
    assertEquals(readLine(formatSquid(exchange)).down, json.down);
  }
});

Deno.test("lines of Squid's own are read", () => {
  const lines: [string, unknown[]][] = [
    [
      "1720000000.123    456 10.0.0.7 TCP_TUNNEL/200 39420 CONNECT pypi.org:443 - HIER_DIRECT/151.101.0.223 -",
      ["pypi.org:443", "allow", true, null],
    ],
    [
      "1720000000.123      0 10.0.0.7 TCP_DENIED/403 3900 CONNECT evil.example:443 bob%20smith HIER_NONE/- text/html",
      ["evil.example:443", "deny", false, "bob smith"],
    ],
    ["1720000000.123      0 10.0.0.7 TCP_DENIED/407 3900 GET http://a.example/ - HIER_NONE/- text/html", [
      "a.example:80",
      "none",
      false,
      null,
    ]],
    ["1720000000.123      5 10.0.0.7 TCP_MEM_HIT/200 500 GET http://a.example/x? - HIER_NONE/- text/html", [
      "a.example:80",
      "allow",
      true,
      null,
    ]],
    ["1720000000.123     91 10.0.0.7 NONE_NONE/503 0 CONNECT nowhere.example:443 - HIER_NONE/- -", [
      "nowhere.example:443",
      "allow",
      false,
      null,
    ]],
    [
      "1720000000.123     91 10.0.0.7 TCP_MISS/200 10 GET http://a.example/ - FIRSTUP_PARENT/10.9.9.9 text/html",
      ["a.example:80", "allow", true, null],
    ],
    // of Squid 5.7: nobody listens there
    [
      "1795263851.853      0 127.0.0.1 TCP_MISS/503 3425 GET http://127.0.0.1:9/ - HIER_DIRECT/127.0.0.1 text/html",
      [
        "127.0.0.1:9",
        "allow",
        false,
        null,
      ],
    ],
    // and a user with a blank in the name
    [
      "1795263851.833      0 ::1 TCP_MISS/200 341 GET http://a.example/ dom\\\\ann b HIER_DIRECT/::1 text/html",
      [
        "a.example:80",
        "allow",
        true,
        "dom\\ann b",
      ],
    ],
    ["1720000000.123      0 10.0.0.7 NONE/400 3700 NONE error:invalid-request - HIER_NONE/- text/html", [
      undefined,
      "none",
      false,
      null,
    ]],
    [
      "1720000000.123     12 client.lan TCP_MISS/304 200 GET http://a.example/ - DIRECT/93.184.216.34 - extra [columns]",
      ["a.example:80", "allow", true, null],
    ],
  ];
  for (const [line, expected] of lines) {
    const { authority, verdict, reached, user } = readLine(line);
    assertEquals([authority?.text, verdict, reached, user], expected, line);
  }
  assertEquals(readLine(lines[5][0]).origin, "", "the address of another proxy is not the origin's");
});

Deno.test("the common format is taken at its word only where the proxy can have had no other", () => {
  const line = (request: string, status: string) =>
    `10.0.0.7 - - [21/Nov/2026:06:49:01 +0100] "${request}" ${status} 12`;
  assertEquals(readLine(line("GET http://a.example/ HTTP/1.1", "200")).verdict, "allow");
  assertEquals(
    readLine(line("GET http://a.example/ HTTP/1.1", "200")).time,
    Date.UTC(2026, 10, 21, 5, 49, 1),
  );
  for (const status of ["403", "407", "502", "-"]) {
    assertEquals(readLine(line("GET http://a.example/ HTTP/1.1", status)).verdict, "none", status);
  }
  assertEquals(readLine(line("GET /index.html HTTP/1.1", "200")).authority, null);
  assertEquals(readLine(line("-", "408")).authority, null);
});

Deno.test("what an exchange was is told from its verdict, its status and its mode", () => {
  const kinds = (changes: Record<string, unknown>) => {
    const exchange = readLine(jsonLine(changes));
    return [wentThrough, isReported, isChallenge, wasRefused].filter((is) => is(exchange)).map((is) =>
      is.name
    );
  };
  assertEquals(kinds({}), ["wentThrough"]);
  assertEquals(kinds({ verdict: "deny", enforced: false }), ["wentThrough", "isReported"]);
  assertEquals(kinds({ verdict: "deny", ownAnswer: true, status: 403, connectedMs: undefined }), [
    "wasRefused",
  ]);
  assertEquals(kinds({ verdict: "deny", ownAnswer: true, status: 407, connectedMs: undefined }), [
    "isChallenge",
  ]);
  assertEquals(kinds({ ownAnswer: true, status: 502, connectedMs: undefined, error: "dns_error" }), []);
});

Deno.test("what was no request, and own answers, are counted and name no target", async () => {
  const { reader, exchanges } = await readAll(`${formatJson(unreadable())}\n${formatJson(own())}\n`);
  assertEquals([reader.exchanges, reader.passedOver], [2, []]);
  assertEquals(exchanges.map(({ authority }) => authority?.text), [undefined, "ads.example:80"]);
});

Deno.test("a line that lies is passed over, counted by its reason, and never believed", async () => {
  const lies = [
    jsonLine({ target: "evil.example:443" }),
    jsonLine({ port: 8443, target: "registry.corp.test:443" }),
    jsonLine({ host: "Registry.corp.test" }),
    jsonLine({ host: "0x7f.1", target: "0x7f.1:443" }),
    jsonLine({ host: "a b", target: "a b:443" }),
    jsonLine({ host: "a\n[[rule]]", target: "a\n[[rule]]:443" }),
    jsonLine({ method: "GET", target: "http://user@registry.corp.test:443/" }),
    jsonLine({ method: "GET", target: "http://registry.corp.test:443/a b" }),
    jsonLine({ method: "G T", target: "http://registry.corp.test:443/" }),
    jsonLine({ responseBodyBytes: -1 }),
    jsonLine({ responseBodyBytes: 1e300 }),
    jsonLine({ responseBodyBytes: "12" }),
    jsonLine({ durationMs: 1e18 }),
    jsonLine({ status: 200.5 }),
    jsonLine({ status: 42 }),
    jsonLine({ time: "yesterday" }),
    jsonLine({ time: "2026-99-99T00:00:00.000Z" }),
    jsonLine({ user: "a\nb" }),
    jsonLine({ user: "\ud800" }),
    jsonLine({ user: "x".repeat(257) }),
    jsonLine({ verdict: "ALLOW" }),
    '{"__proto__":{"verdict":"allow"}}',
    "{",
    "[]",
    "null",
    '"',
    "{}",
    "\x1b[2J",
    "\0\0\0",
    "x".repeat(1000),
    "1720000000.123    456 10.0.0.7 TCP_TUNNEL/200 39420 CONNECT 0x7f.1:443 - HIER_DIRECT/1.2.3.4 -",
    "1720000000.123    456 10.0.0.7 TCP_MISS/200 39420 GET ftp://a.example/ - HIER_DIRECT/1.2.3.4 -",
    "1720000000.123    456 10.0.0.7 TCP_MISS/200 1 GET http://a.example/ %ff HIER_DIRECT/1.2.3.4 -",
    '10.0.0.7 - - [21/Nov/2026:06:49:01 +0100] "GET http://a@b/ HTTP/1.1" 200 12',
    '10.0.0.7 - - [21/Foo/2026:06:49:01 +0100] "GET http://b/ HTTP/1.1" 200 12',
  ];
  for (const lie of lies) {
    const { reader } = await readAll(`${jsonLine()}\n${lie}\n`);
    assertEquals([reader.lines, reader.exchanges], [2, 1], lie);
    assertEquals(reader.passedOver.map(({ count, log, line }) => [count, log, line]), [[1, "log", 2]], lie);
  }
  const { reader, exchanges } = await readAll(lies.join("\n"));
  assertEquals([exchanges, reader.lines], [[], lies.length]);
  assert(reader.passedOver.length < 15, "reasons are few, whatever the lines hold");
});

Deno.test("a line that is too long costs itself alone", async () => {
  const good = jsonLine();
  const { reader, exchanges } = await readAll(
    [good, "x".repeat(LONGEST_LINE + 1), good, "y".repeat(3_000_000), good].join("\n"),
    Array.from({ length: 3000 }, (_, i) => i * 1000),
  );
  assertEquals(exchanges.length, 3);
  assertEquals(reader.passedOver[0].count, 2);
});

Deno.test("a log reads the same at every split, with any ends of lines", async () => {
  const lines = [
    jsonLine({ user: "zoë", rule: "für alle" }),
    "",
    formatSquid(forward()),
    deniedLine(),
    "garbage",
    formatCommon(tunnel()),
  ];
  for (const end of ["\n", "\r\n"]) {
    const bytes = new TextEncoder().encode(lines.join(end) + end);
    const whole = await readAll(bytes);
    assertEquals([whole.exchanges.length, whole.reader.lines], [4, 5]);
    for (let cut = 1; cut < bytes.length; cut++) {
      assertEquals((await readAll(bytes, [cut])).exchanges, whole.exchanges);
    }
    const single = Array.from(bytes, (_, i) => i);
    assertEquals((await readAll(bytes, single)).exchanges, whole.exchanges);
    assertEquals((await readAll(bytes.slice(0, -end.length), single)).exchanges, whole.exchanges);
  }
});

Deno.test("a stream that breaks says so, and what came before it was read", async () => {
  const reader = new LogReader();
  const seen: unknown[] = [];
  const stream = ReadableStream.from((async function* () {
    yield new TextEncoder().encode(`${jsonLine()}\n${jsonLine()}`);
    await Promise.resolve();
    throw new Error("the disk is gone");
  })());
  await assertRejects(
    async () => {
      for await (const batch of reader.read(stream, "log")) seen.push(...batch);
    },
    LogError,
    "log breaks off: the disk is gone",
  );
  assertEquals(seen.length, 1);
});

Deno.test("an empty log holds nothing", async () => {
  for (const content of ["", "\n\n", "\r\n"]) assertEquals((await readAll(content)).reader.lines, 0);
});

Deno.test("whoever stops reading closes the log", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode(`${jsonLine()}\n`)),
    cancel: () => void (cancelled = true),
  });
  for await (const _ of new LogReader().read(stream, "log")) break;
  assert(cancelled);
});

Deno.test("no line, whatever it holds, does more than be passed over", async () => {
  const part = fc.oneof(
    fc.constantFrom(
      '"',
      "\\",
      " ",
      "{",
      "}",
      "[",
      "]",
      "/",
      ":",
      "http://",
      "CONNECT",
      "1720000000.123",
      "TCP_MISS/200",
      "-",
      "\r",
      "\0",
    ),
    fc.string({ unit: "binary", maxLength: 10 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 40 }), async (parts) => {
      const { reader, exchanges } = await readAll(parts.join("").replaceAll("\n", ""));
      assertEquals(reader.exchanges, exchanges.length);
    }),
    { numRuns: 300 },
  );
  // a line of weir's with any one value changed is read or passed over
  const keys = Object.keys(JSON.parse(jsonLine()));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...keys, "user", "rule", "serverName"),
      fc.jsonValue(),
      async (key, value) => {
        await readAll(JSON.stringify({ ...JSON.parse(jsonLine()), [key]: value }));
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("a number that cannot be makes a line of the log none", async () => {
  for (const number of [0, -1, 1.5, "7", null, 2 ** 53]) {
    const { exchanges, reader } = await readAll(jsonLine({ number }));
    assertEquals([exchanges.length, reader.passedOver.length], [0, 1], `${number}`);
  }
});

Deno.test("numbers that are missing are counted for each log by itself", async () => {
  const reader = new LogReader();
  const line = (number: number) =>
    jsonLine({ number, time: `2026-11-21T06:00:${10 + number}.000Z`, durationMs: 1 });
  for (
    const [name, ...numbers] of [["a", 1, 2, 5], ["b", 1, 2, 3], ["c", 7, 8, 10]] as [string, ...number[]][]
  ) {
    const stream = new Blob([numbers.map(line).join("\n")]).stream();
    for await (const _ of reader.read(stream, name));
  }
  assertEquals([reader.missing, reader.missingFrom], [3, "a"]);
});

Deno.test("a line that lacks a number, or has another thing in its place, is told with the key, the file and the line", async () => {
  const keys = ["status", "durationMs", "requestHeadBytes", "requestBodyBytes", "responseHeadBytes"];
  for (const key of [...keys, "responseBodyBytes", "port", "time"]) {
    for (const [value, wrong] of [[undefined, "is missing"], ["x", key === "time" ? "" : "is no number"]]) {
      if (wrong === "") continue;
      const reader = new LogReader();
      const line = JSON.stringify({ ...JSON.parse(jsonLine()), [key]: value });
      for await (const _ of reader.read(streamOf(`${jsonLine()}\n${line}\n`), "a.log"));
      assertEquals(reader.exchanges, 1);
      assertEquals(reader.passedOver, [{ reason: `${key} ${wrong}`, count: 1, log: "a.log", line: 2 }]);
    }
  }
});

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { codeSpan } from "../../src/cli/report_markdown.ts";
import { deniedLine, jsonLine } from "../review/logs.ts";
import { relayLine } from "../review/relay_lines.ts";
import { weir } from "./logs_of_commands.ts";

const LOG = [
  jsonLine({ client: "10.0.0.3" }),
  jsonLine({ time: "2026-11-21T06:10:25.105Z" }),
  jsonLine({ method: "GET", host: "deb.debian.org", port: 80, durationMs: 20 }),
  deniedLine({ host: "evil.example" }),
  deniedLine({ host: "evil.example" }),
  jsonLine({ host: "api.example", verdict: "deny", enforced: false, rule: "no api", reason: "not yet" }),
  jsonLine({ host: "exmaple.com", ownAnswer: true, status: 502, connectedMs: undefined, error: "dns_error" }),
  "garbage",
].join("\n");

Deno.test("a summary tells a terminal what there was and what would allow what was denied", async () => {
  const { code, out, err } = await weir(["report", "-"], LOG);
  assertEquals(code, 0);
  assertEquals(err, "weir: 1 of 8 lines were passed over: no line of a known format (standard input:8)\n");
  assertEquals(
    out,
    `7 exchanges, 2026-11-21 06:00:25Z to 2026-11-21 06:10:25Z
  4 allowed, 2 denied, 1 would have been denied
  4 2xx, 2 4xx, 1 5xx
  7.0 kB up, 140 kB down
  requests took 20 ms (half of them at most), 20 ms (19 of 20), 20 ms (all)

Denied
       2  evil.example:443  by default: no rule matches
            allow it:  --allow evil.example:443
       1  api.example:443  by no api: not yet, only reported
            allow it:  --allow api.example:443
            in a file the new rule has to stand before the one that denies

          the same as rules of a file:

          [[rule]]
          action = "allow"
          hosts = ["evil.example", "api.example"]
          ports = [443]

Hosts
   count      up    down  host
       2  2.0 kB   40 kB  evil.example:443                                  2 denied
       2  2.0 kB   40 kB  registry.corp.test:443
       1  1.0 kB   20 kB  api.example:443                                   1 denied
       1  1.0 kB   20 kB  deb.debian.org:80
       1  1.0 kB   20 kB  exmaple.com:443

Clients
   count      up    down  client
       6  6.0 kB  120 kB  127.0.0.1                                         3 denied
       1  1.0 kB   20 kB  10.0.0.3

Methods
   count      up    down  method
       6  6.0 kB  120 kB  CONNECT                   3 denied
       1  1.0 kB   20 kB  GET

Errors
   count      up    down  error
       1  1.0 kB   20 kB  dns_error
`,
  );
});

Deno.test("where no flag allows what was denied, a table shows none", async () => {
  const line = LOG.split("\n").find((each) => each.includes('"default"'))!.replace('"default"', '"tls"');
  const { out } = await weir(["report", "-", "--markdown"], line);
  assertStringIncludes(out, "| `tls` | `no rule matches` | - |\n");
});

Deno.test("a summary in Markdown has the same in tables", async () => {
  const { code, out } = await weir(["report", "-", "--markdown"], LOG);
  assertEquals(code, 0);
  assertEquals(
    out.split("<details><summary>Clients")[0],
    `### weir: 7 exchanges, 3 denied

- 2026-11-21 06:00:25Z to 2026-11-21 06:10:25Z
- 4 allowed, 2 denied, 1 would have been denied
- 4 2xx, 2 4xx, 1 5xx
- 7.0 kB up, 140 kB down
- requests took 20 ms (half of them at most), 20 ms (19 of 20), 20 ms (all)

| denied | host | rule | reason | what allows it |
| --- | --- | --- | --- | --- |
| 2 | \`evil.example:443\` | \`default\` | \`no rule matches\` | \`--allow evil.example:443\` |
| 1 (only reported) | \`api.example:443\` | \`no api\` | \`not yet\` | \`--allow api.example:443\` |

- \`api.example:443\`: in a file the new rule has to stand before the one that denies

<details><summary>The same as rules of a file</summary>

\`\`\`toml
[[rule]]
action = "allow"
hosts = ["evil.example", "api.example"]
ports = [443]
\`\`\`

</details>

| host | count | denied | up | down |
| --- | --- | --- | --- | --- |
| \`evil.example:443\` | 2 | 2 | 2.0 kB | 40 kB |
| \`registry.corp.test:443\` | 2 |  | 2.0 kB | 40 kB |
| \`api.example:443\` | 1 | 1 | 1.0 kB | 20 kB |
| \`deb.debian.org:80\` | 1 |  | 1.0 kB | 20 kB |
| \`exmaple.com:443\` | 1 |  | 1.0 kB | 20 kB |

`,
  );
});

Deno.test("--fail-on-denied is 1 for what was refused and for what was only reported", async () => {
  const reported = jsonLine({ verdict: "deny", enforced: false });
  for (
    const [log, expected] of [[jsonLine(), 0], [deniedLine(), 1], [reported, 1], [
      deniedLine({ status: 407 }),
      0,
    ]]
  ) {
    assertEquals((await weir(["report", "-", "--fail-on-denied"], `${log}`)).code, expected);
    assertEquals((await weir(["report", "-"], `${log}`)).code, 0);
  }
});

Deno.test("--fail-on-denied is 1, and says why, where nothing asked for any host: a job may have gone past weir", async () => {
  const probe = JSON.stringify({
    ...{ time: "2026-11-21T13:18:15.162Z", kind: "own", client: "127.0.0.1", method: "GET", version: "1.1" },
    ...{ target: "/-/ready", verdict: "none", status: 200, ownAnswer: true, requestHeadBytes: 85 },
    ...{ requestBodyBytes: 0, responseHeadBytes: 441, responseBodyBytes: 6, durationMs: 9 },
  });
  const common = '127.0.0.1 - - [21/Nov/2026:13:18:15 +0000] "GET /-/ready HTTP/1.1" 200 6';
  for (const form of [[], ["--markdown"]]) {
    for (const log of ["", "\n\n", probe, common, `${probe}\n${probe}`]) {
      const { code, err } = await weir(["report", "-", "--fail-on-denied", ...form], log);
      assertEquals(code, 1, log);
      assertMatch(
        err,
        /^weir: standard input: nothing has asked weir for any host, [^]*\n {2}was it running, /,
      );
    }
    const used = await weir(["report", "-", "--fail-on-denied", ...form], `${probe}\n${jsonLine()}`);
    assertEquals([used.code, used.err], [0, ""]);
  }
});

Deno.test("a log without exchanges is no failure, and one that is not understood is 3", async () => {
  assertEquals(await weir(["report", "-"], ""), { code: 0, out: "no exchanges\n", err: "" });
  const { code, out, err } = await weir(["report", "-"], "a\nb\n");
  assertEquals([code, out], [3, ""]);
  assert(
    err.startsWith(
      "weir: -: no line is understood; no line of a known format (2, first in standard input:1)\n",
    ),
  );
  assertEquals((await weir(["report", "/no/such.log"])).code, 3);
  assertEquals((await weir(["report"])).code, 2);
  assertEquals((await weir(["report", "-", "-"])).code, 3);
});

Deno.test("tables have so many rows and sum the rest up", async () => {
  const log = Array.from({ length: 30 }, (_, i) => jsonLine({ host: `h${i}.example` })).join("\n");
  const { out } = await weir(["report", "-"], log);
  assert(out.includes("\n          and 10 more hosts with 10 exchanges\n"));
});

Deno.test("nothing in a log ends a code span, a cell or a line, whatever it is", () => {
  const text = fc.array(
    fc.oneof(
      fc.constantFrom(
        "`",
        "|",
        "\\",
        "\n",
        "<script>",
        "</details>",
        "[a](javascript:b)",
        "@all",
        "https://a.example",
        "\u202e",
        " ",
      ),
      fc.string({ unit: "binary", maxLength: 5 }),
    ),
    { maxLength: 20 },
  ).map((parts) => parts.join(""));
  fc.assert(fc.property(text, (given) => {
    const span = codeSpan(given);
    assert(span === "-" || /^`[^`|\\\p{C}\p{Zl}\p{Zp}]+`$/u.test(span), span);
  }));
});

Deno.test("a hostile log cannot break out of the report's tables", async () => {
  const evil = "x` | <img src=a onerror=b> | [c](d)\n\n# e `";
  const log = [
    deniedLine({ rule: evil, reason: evil, error: evil, user: "a|b`c" }),
    jsonLine({ ownAnswer: true, status: 502, connectedMs: undefined, error: evil }),
  ].join("\n");
  const { out } = await weir(["report", "-", "--markdown"], log);
  for (const line of out.split("\n")) {
    const outside = line.replace(/`[^`]*`/g, "");
    assertEquals(outside.includes("img") || outside.includes("]("), false, line);
    if (line.startsWith("| ")) {
      assertEquals(line.split("|").length - 2, line.includes("---") ? line.split("---").length - 1 : 5);
    }
  }
  const plain = await weir(["report", "-"], log.replaceAll("x`", "\\u001b[31m"));
  assert(!plain.out.includes("\x1b"));
});

Deno.test("one exchange is one, at one time", async () => {
  const line = LOG.split("\n")[0];
  const text = await weir(["report", "-"], line);
  assertMatch(text.out, /^1 exchange, 2026-11-21 \d\d:\d\d:\d\dZ\n/);
  const markdown = await weir(["report", "-", "--markdown"], line);
  assertMatch(markdown.out, /^### weir: 1 exchange, \d denied\n\n- 2026-11-21 \d\d:\d\d:\d\dZ\n/);
  const learned = await weir(["learn", "-"], line);
  assertMatch(learned.out, /^# Learned from 1 exchange, 2026-11-21 \d\d:\d\d:\d\dZ; /);
});

const RELAYED = [
  relayLine(),
  relayLine({ skipped: 1, originAddress: "10.0.0.6" }),
  relayLine({ connectedAt: -1, error: "connection_refused", bytesUp: 0, bytesDown: 0 }),
].join("\n");

Deno.test("the log of a relay is summed up by its targets", async () => {
  assertEquals(await weir(["report", "-"], RELAYED), {
    code: 0,
    out: `3 relayed connections, 2026-11-21 06:00:00Z
  2 connected, 1 reached no target, 1 passed on from a target that could not be reached
  2.4 kB up, 112 MB down
  connections took 2.1 s (half of them at most), 2.1 s (19 of 20), 2.1 s (all)

Targets
   count      up    down  target
       2  1.2 kB   56 MB  redis.internal:6379 at 10.0.0.5                   1 failed
       1  1.2 kB   56 MB  redis.internal:6379 at 10.0.0.6

Clients
   count      up    down  client
       3  2.4 kB  112 MB  10.0.0.9                                          1 failed

Errors
   count      up    down  error
       1     0 B     0 B  connection_refused
`,
    err: "",
  });
});

Deno.test("a relay's log and a proxy's have a part each, and a client that was turned away counts as denied", async () => {
  const both = [jsonLine(), relayLine({ verdict: "deny", target: "", originAddress: "", connectedAt: -1 })];
  const text = await weir(["report", "-", "--fail-on-denied"], both.join("\n"));
  assertMatch(text.out, /^1 exchange, [^]*\n\n1 relayed connection, [^]* 1 denied\n/);
  assertEquals([text.code, (await weir(["report", "-", "--fail-on-denied"], RELAYED)).code], [1, 0]);
  const page = await weir(["report", "-", "--markdown"], both.join("\n"));
  assertMatch(page.out, /^### weir: 1 exchange, [^]*\n\n### weir relay: 1 relayed connection\n/);
});

/** Allowed, one after the other. */
function numbered(...numbers: number[]): string {
  const line = (number: number) =>
    jsonLine({ number, time: `2026-11-21T06:00:${10 + number}.000Z`, durationMs: 1 });
  return numbers.map(line).join("\n");
}

Deno.test("numbers that a log lacks are told, and nobody knows then that nothing was denied", async () => {
  const whole = await weir(["report", "-", "--fail-on-denied"], numbered(1, 2, 3, 4));
  assertEquals([whole.code, whole.err], [0, ""]);
  const told = await weir(["report", "-"], numbered(1, 2, 4));
  assertEquals(told.code, 0);
  assertStringIncludes(told.err, "weir: standard input: 1 number is missing between its lines\n");
  const failed = await weir(["report", "-", "--fail-on-denied"], numbered(1, 2, 8));
  assertEquals(failed.code, 1);
  assertStringIncludes(
    failed.err,
    "5 numbers are missing between its lines, and so --fail-on-denied fails\n",
  );
  assertStringIncludes(failed.err, "end weir before the report");
  const reason = "a tunnel to port 8443 needs a rule that names the port, or connect-ports";
  assertStringIncludes((await weir(["report", "-"], jsonLine({ verdict: "deny", reason }))).out, reason);
});

Deno.test("so are those that the log of a relay lacks", async () => {
  const line = (number: number) =>
    relayLine({ number, startedAt: Date.UTC(2026, 10, 21, 6, 0, 10 * number) });
  const { code, err } = await weir(["report", "-", "--fail-on-denied"], [1, 2, 4].map(line).join("\n"));
  assertEquals(code, 1);
  assertStringIncludes(err, "1 number is missing between its lines");
});

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { prettyFormat } from "../../src/observe/format_pretty.ts";
import { clockTime } from "../../src/observe/timestamps.ts";
import { forward, own, tunnel, unreadable, withoutColors } from "./samples.ts";

const plain = prettyFormat(false);
const START = forward().startedAt;

Deno.test("a line has the time of the end, status, method, target, address, size and duration", () => {
  assertEquals(
    plain(forward()),
    `${clockTime(START + 47)} 200 GET     http://example.com/index.html?a=b                ` +
      "93.184.216.34           1.3 kB    47 ms",
  );
});

Deno.test("a tunnel shows the bytes of both directions, and so does a request with a body", () => {
  assertEquals(
    plain(tunnel()),
    `${clockTime(START + 63_000)} 200 CONNECT example.com:443                                  ` +
      "93.184.216.34   ↑4.3 kB ↓1.8 MB  1m 03s",
  );
  assert(plain(forward({ method: "POST", requestBodyBytes: 1e8 })).includes("↑100 MB ↓1.3 kB"));
});

Deno.test("columns stand under each other, in 120 characters, also for long targets and IPv6", () => {
  const lines = [
    forward(),
    forward({ target: `http://example.com/${"long/".repeat(30)}picture.webp` }),
    forward({ method: "PROPPATCH", originAddress: "2606:2800:220:1:248:1893:25c8:1946" }),
    forward({ originAddress: "", status: 0, responseBodyBytes: 0 }),
    tunnel(),
    unreadable(),
  ].map(plain);
  const width = lines[0].length;
  assert(width < 120);
  for (const line of lines) assert(/( ms| s|m 03s)$/.test(line.slice(0, width)), line);
  assert(lines[1].includes("http://example.com/long/long/lo…"), lines[1]);
  assert(lines[1].includes("picture.webp"), lines[1]);
});

Deno.test("what went wrong and who asked from elsewhere stand behind the columns", () => {
  assert(
    / 0\.4 ms +denied: the host is blocked +#[0-9a-z]{8}$/.test(plain(own())),
    "and what the client was shown",
  );
  assert(plain(unreadable()).includes(" 400 -       -   "));
  assert(plain(forward({ clientAddress: "192.0.2.7" })).endsWith(" 47 ms  192.0.2.7"));
  assert(plain(forward({ clientAddress: "192.0.2.7", user: "alice" })).endsWith("  alice@192.0.2.7"));
  assert(plain(forward({ user: "alice" })).endsWith(" 47 ms  alice"));
  assert(plain(forward({ clientAddress: "::1" })).endsWith(" 47 ms"));
  assert(plain(forward({ status: 0, details: "the client left" })).includes(" --- GET "));
});

Deno.test("what was odd about a response stands behind the columns", () => {
  assert(plain(forward({ odd: "LF line end" })).endsWith(" 47 ms  odd response: LF line end"));
});

Deno.test("in colour the text is the same", () => {
  for (
    const exchange of [forward(), tunnel(), own(), forward({ status: 502, error: "connection_refused" })]
  ) {
    const colored = prettyFormat(true)(exchange);
    assertEquals(withoutColors(colored), plain(exchange));
    assert(colored.includes("\x1b[2m"));
  }
  assert(
    prettyFormat(true)(forward({ endedAt: 3000 })).includes("\x1b[33m  2.0 s\x1b[0m"),
    "slow ones stand out",
  );
});

Deno.test("another protocol than HTTP stands behind the columns", () => {
  assert(plain(tunnel({ protocol: "socks5" })).endsWith("1m 03s  socks5"));
});

Deno.test("a parent is worth a word", () => {
  const line = prettyFormat(false)(forward({ parent: "http://proxy.example:3128", originAddress: "" }));
  assertStringIncludes(line, "  via http://proxy.example:3128");
});

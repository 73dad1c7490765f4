import { assertEquals } from "@std/assert";
import { formatCommon } from "../../src/observe/format_common.ts";
import { commonTime } from "../../src/observe/timestamps.ts";
import { forward, tunnel, unreadable } from "./samples.ts";

const TIME = commonTime(forward().startedAt);

Deno.test('a line is Apache\'s %h %l %u %t "%r" %>s %b', () => {
  assertEquals(
    formatCommon(forward()),
    `127.0.0.1 - - [${TIME}] "GET http://example.com/index.html?a=b HTTP/1.1" 200 1256`,
  );
  assertEquals(
    formatCommon(forward({ user: "alice", clientAddress: "::1", minorVersion: 0, responseBodyBytes: 0 })),
    `::1 - alice [${TIME}] "GET http://example.com/index.html?a=b HTTP/1.0" 200 -`,
  );
});

Deno.test("a tunnel has CONNECT's request line and the bytes that the client got", () => {
  assertEquals(
    formatCommon(tunnel()),
    `127.0.0.1 - - [${TIME}] "CONNECT example.com:443 HTTP/1.1" 200 1843221`,
  );
});

Deno.test("no request, no target and no status are -", () => {
  assertEquals(formatCommon(unreadable()), `127.0.0.1 - - [${TIME}] "-" 400 80`);
  assertEquals(
    formatCommon(unreadable({ method: "GET", status: 0, responseBodyBytes: 0 })),
    `127.0.0.1 - - [${TIME}] "GET - HTTP/1.1" - -`,
  );
});

Deno.test("a quote in the target does not end the request line, a line end not the line", () => {
  const line = formatCommon(forward({ target: 'http://example.com/" 200 1\n6.6.6.6 - -', user: "a\nb" }));
  assertEquals(
    line,
    `127.0.0.1 - a\\nb [${TIME}] "GET http://example.com/\\" 200 1\\n6.6.6.6 - - HTTP/1.1" 200 1256`,
  );
});

Deno.test("a target of 64 KiB is cut at 8 KiB, a password in it left out", () => {
  assertEquals(
    formatCommon(forward({ target: `http://example.com/${"a".repeat(65_536)}` })).length < 8400,
    true,
  );
  assertEquals(formatCommon(forward({ target: "http://bob:secret@example.com/" })).includes("secret"), false);
});

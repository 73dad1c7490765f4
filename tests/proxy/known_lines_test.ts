/** Request lines that come again say what they said the first time, and nothing else does. */

import { assertEquals } from "@std/assert";
import { Exchange } from "../../src/proxy/exchange.ts";
import { recallLine } from "../../src/proxy/known_lines.ts";
import { Request } from "../../src/proxy/request.ts";
import { SETTINGS } from "./harness.ts";
import { bytes } from "../http/reading.ts";

/** What is understood of a request line, which begins at `start` in its buffer, as the record and the writer have it. */
function understood(line: string, start: number) {
  const request = new Request(SETTINGS);
  const exchange = new Exchange(1, 0, 0);
  const message = bytes("x".repeat(start) + `${line}\r\nHost: a\r\n\r\n`);
  request.head.begin(message, start);
  request.head.read(message.length);
  const known = recallLine(request.head) !== null;
  request.understand(exchange);
  const { method, minorVersion, methodEnd, targetStart, targetEnd, target } = request;
  const { pathStart, pathEnd, authority, form, scheme } = target;
  const path = request.head.text(pathStart, pathEnd);
  return {
    known,
    said: {
      ...{ method, minorVersion, form, scheme, path, authority: authority?.text },
      places: [methodEnd, targetStart, targetEnd, pathStart, pathEnd].map((place) => place - start),
      record: [exchange.method, exchange.target, exchange.host, exchange.port, exchange.minorVersion],
    },
  };
}

/** Lines of one length, and most with the same end, which chooses their place. */
const LINES = [
  "GET http://a.example/1234567890/abcdefgh HTTP/1.1",
  "GET http://b.example/1234567890/abcdefgh HTTP/1.1",
  "PUT http://a.example/1234567890/abcdefgh HTTP/1.1",
  "GET http://a.example/1234567890/abcdefgh HTTP/1.0",
  "GET http://A.EXAMPLE/1234567890/abcdefgh HTTP/1.1",
  "OPTIONS http://a.example?234567890/abcdefgh HTTP/1.1",
  "CONNECT a.example.1234567890.abcdefgh:443 HTTP/1.1",
  "GET /1234567890/1234567890/1234/abcdefgh HTTP/1.1",
  `GET http://a.example/${"long".repeat(200)} HTTP/1.1`,
];

Deno.test("a request line that is known says what it says to who reads it, wherever it stands", () => {
  const first = new Map(LINES.map((line) => [line, understood(line, 16).said]));
  for (const start of [16, 16, 16, 0, 16, 3, 3, 3]) {
    for (const line of LINES) assertEquals(understood(line, start).said, first.get(line));
    for (const line of LINES) {
      for (let times = 0; times < 3; times++) assertEquals(understood(line, start).said, first.get(line));
    }
  }
});

Deno.test("a request line is known when it has come three times, and only in its place", () => {
  const line = "GET http://known.example/a/path/of/some/length HTTP/1.1";
  assertEquals([1, 2, 3, 4].map(() => understood(line, 16).known), [false, false, true, true]);
  assertEquals(understood(line, 17).known, false);
  assertEquals(understood(line.replace("known", "knowm"), 16).known, false);
});

Deno.test("what a request line may not say is refused each time it comes", () => {
  const line = "GET http://user@a.example/a/path/of/some/length HTTP/1.1";
  for (let times = 0; times < 4; times++) {
    let refused = false;
    try {
      understood(line, 16);
    } catch {
      refused = true;
    }
    assertEquals(refused, true);
  }
});

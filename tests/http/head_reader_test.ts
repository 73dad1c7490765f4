import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { Field } from "../../src/http/field_names.ts";
import { HeadReader } from "../../src/http/head_reader.ts";
import { REFUSED_HEADS, REQUESTS, RESPONSES } from "./corpus.ts";
import { begun, bytes, describe, fieldsOf, LIMITS, read, refusal } from "./reading.ts";

const LINE = "GET http://example.com/ HTTP/1.1\r\n";

for (const { rule, message, status } of REFUSED_HEADS) {
  Deno.test(`refused: ${rule}`, () => {
    const error = refusal(() => begun("request", message).read(message.length));
    assertEquals(error.status, status);
    assertEquals(error.error, "http_request_error");
    assert(/^[ -~]+[^.]$/.test(error.message), "the message is one printable line without a full stop");
  });
}

for (const { name, bytes: message } of [...REQUESTS, ...RESPONSES]) {
  Deno.test(`accepted: ${name}`, () => {
    const kind = RESPONSES.some((response) => response.name === name) ? "response" : "request";
    const reader = read(kind, message);
    assertEquals(reader.end, message.length);
    assert(reader.complete);
  });
}

Deno.test("what is malformed in an origin's head is answered with 502 (RFC 9112 §2.2, §5.2)", () => {
  for (
    const [start, rest] of [["HTTP/1.1 200 OK\r\n", "A: b\r\n c\r\n\r\n"], ["HTTP/1.1 200 OK\n", "\r\n"]]
  ) {
    const error = refusal(() => begun("response", start + rest).read(start.length + rest.length));
    assertEquals(error.status, 502);
    assertEquals(error.error, "http_protocol_error");
  }
});

Deno.test("every control character but tab is refused in a value (RFC 9110 §5.5)", () => {
  for (let byte = 0; byte < 256; byte++) {
    const message = bytes(`${LINE}A: b?c\r\n\r\n`);
    message[LINE.length + 4] = byte;
    const reader = begun("request", message);
    if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) {
      assertEquals(refusal(() => reader.read(message.length)).status, 400, `byte ${byte}`);
    } else {
      assert(reader.read(message.length));
      assertEquals(reader.value(0), `b${String.fromCharCode(byte)}c`);
    }
  }
});

Deno.test("a field name is made of the characters of a token and of nothing else (RFC 9110 §5.6.2)", () => {
  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/;
  for (let byte = 0; byte < 256; byte++) {
    const message = bytes(`${LINE}A?B: c\r\n\r\n`);
    message[LINE.length + 1] = byte;
    const reader = begun("request", message);
    const character = String.fromCharCode(byte);
    if (token.test(character)) {
      assert(reader.read(message.length));
      assertEquals(reader.name(0), `A${character}B`);
    } else if (character === ":") {
      assert(reader.read(message.length));
      assertEquals(fieldsOf(reader), [["A", "B: c"]]);
    } else {
      assertEquals(refusal(() => reader.read(message.length)).status, 400, `byte ${byte}`);
    }
  }
});

Deno.test("space and tab around a value are trimmed, those within it kept (RFC 9112 §5.1)", () => {
  const reader = read("request", LINE + "A: \t b \t c \t \r\nB:d\r\n\r\n");
  assertEquals(fieldsOf(reader), [["A", "b \t c"], ["B", "d"]]);
});

Deno.test("a value may be empty, with white space or without (RFC 9110 §5.5)", () => {
  const reader = read("request", LINE + "A:\r\nB: \t \r\nC:x\r\n\r\n");
  assertEquals(fieldsOf(reader), [["A", ""], ["B", ""], ["C", "x"]]);
});

Deno.test("bytes above 0x7F in a value stay as they are (RFC 9110 §5.5)", () => {
  const odd = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => 0x80 + i));
  const reader = read("request", `${LINE}A: ${odd}\r\nB: plain\r\n\r\n`);
  assertEquals(reader.value(0), odd);
  assertEquals(reader.value(1), "plain", "what stands after them is still found in its place");
});

Deno.test("a known field is known in any case (RFC 9110 §5.1)", () => {
  const reader = read("request", LINE + "hOsT: a\r\nCONTENT-LENGTH: 1\r\ncookie: b\r\nX-Host: c\r\n\r\n");
  assertEquals([0, 1, 2, 3].map((index) => reader.number(index)), [
    Field.Host,
    Field.ContentLength,
    Field.Cookie,
    Field.Other,
  ]);
  assertEquals(reader.seen, 1 << Field.Host | 1 << Field.ContentLength | 1 << Field.Cookie);
});

Deno.test("fields of one name are joined in their order (RFC 9110 §5.3)", () => {
  const reader = read(
    "request",
    LINE + "Via: 1.0 a\r\nX-List: 1\r\nvia: 1.1 b\r\nx-LIST: 2\r\nX-Lis: 3\r\n\r\n",
  );
  assertEquals(reader.values(Field.Via), "1.0 a, 1.1 b");
  assertEquals(reader.field("VIA"), "1.0 a, 1.1 b");
  assertEquals(reader.field("x-list"), "1, 2");
  assertEquals(reader.field("X-Absent"), "");
  assertEquals(reader.values(Field.Host), "");
  assertEquals(reader.find(Field.Via, 1), 2);
  assertEquals(reader.find(Field.Via, 3), -1);
});

Deno.test("up to four empty lines before a request are passed over (RFC 9112 §2.2)", () => {
  const message = "\r\n".repeat(4) + LINE + "Host: a\r\n\r\n";
  const reader = read("request", message);
  assertEquals(describe(reader).startLine, LINE.trimEnd());
  assertEquals(reader.end, message.length);
});

Deno.test("no empty line is passed over before a status line (RFC 9112 §2.2)", () => {
  const message = "\r\nHTTP/1.1 200 OK\r\n\r\n";
  assertEquals(refusal(() => begun("response", message).read(message.length)).status, 502);
});

Deno.test("empty lines are no beginning of a request", () => {
  const reader = begun("request", "\r\n\rx");
  assertFalse(reader.read(3));
  assertFalse(reader.begun);
  const other = begun("request", "\r\nG");
  assertFalse(other.read(3));
  assert(other.begun);
});

Deno.test("a response has begun with its first byte, not before", () => {
  const reader = begun("response", "H");
  assertFalse(reader.begun);
  assertFalse(reader.read(0));
  assertFalse(reader.begun);
  assertFalse(reader.read(1));
  assert(reader.begun);
});

Deno.test("a first byte that cannot begin a method is refused at once (RFC 9112 §3)", () => {
  for (const first of ["\x16", "\x05", " ", "\n", "\0", "\x80", "(", "/", ":"]) {
    assertEquals(refusal(() => begun("request", first).read(1)).status, 400);
  }
});

Deno.test("what follows a head is not touched", () => {
  const message = LINE + "Host: a\r\n\r\n\0\x01 anything\n";
  const reader = read("request", message);
  assertEquals(message.slice(reader.end), "\0\x01 anything\n");
  assert(reader.read(message.length), "a whole head stays whole");
  assertEquals(message.slice(reader.end), "\0\x01 anything\n");
});

Deno.test("a head may begin anywhere in a buffer, and a reader be used again", () => {
  const first = LINE + "Host: a\r\nContent-Length: 4\r\n\r\n";
  const second = LINE + "Host: bcd\r\nX-Odd: \xff\r\n\r\n";
  const both = bytes(first + second);
  const reader = new HeadReader("request", LIMITS);
  reader.begin(both, 0);
  assert(reader.read(both.length));
  assertEquals(reader.end, first.length);
  reader.begin(both, reader.end);
  assert(reader.read(both.length));
  assertEquals(describe(reader), describe(read("request", both.subarray(first.length)), -first.length));
  reader.release();
  assertEquals([reader.bytes.length, reader.count], [0, 0]);
  assertFalse(reader.complete);
});

Deno.test("many fields are kept as well as few", () => {
  const names = Array.from({ length: 200 }, (_, i) => `X-Field-${i}`);
  const reader = read("request", LINE + names.map((name, i) => `${name}: ${i}\r\n`).join("") + "\r\n");
  assertEquals(fieldsOf(reader), names.map((name, i) => [name, String(i)]));
});

Deno.test("a field of an earlier head is not found in a later one", () => {
  const reader = read("request", LINE + "A: b\r\nHost: a\r\nCookie: c\r\n\r\n");
  reader.begin(bytes(LINE + "A: b\r\n\r\n"), 0);
  assert(reader.read(reader.bytes.length));
  assertEquals([reader.find(Field.Host), reader.find(Field.Cookie), reader.seen], [-1, -1, 0]);
  assertEquals([reader.field("Host"), reader.field("A")], ["", "b"]);
});

Deno.test("a refusal says what is wrong", () => {
  const refused: [rest: string, says: RegExp][] = [
    [" A: b", /white space before the first field/],
    ["\tA: b", /white space before the first field/],
    ["A: b\r\n c", /folded/],
    ["A: b\r\n\tc", /folded/],
    ["A : b", /white space between .* name and its colon/],
    ["A\t: b", /white space between .* name and its colon/],
    ["A\r\n", /without a colon/],
    ["A\n", /without a colon/],
    [": b", /without a name/],
    ["A(: b", /character in a field's name/],
    ["(A: b", /character in a field's name/],
    ["A: b\n", /bare LF/],
    ["\n", /bare LF/],
    ["A: b\rc", /bare CR/],
    ["\rA", /bare CR/],
    ["A: \0", /NUL/],
    ["A: \x01", /control character/],
  ];
  for (const [rest, says] of refused) {
    assertMatch(refusal(() => begun("request", LINE + rest).read(LINE.length + rest.length)).message, says);
  }
  const lines: [line: string, says: RegExp][] = [
    ["GET /\n", /start line ends in a bare LF/],
    ["GET /\r\r", /bare CR in the start line/],
    ["GET /\0", /control character in the start line/],
    ["\r\r", /bare CR before the request line/],
    ["\r\n".repeat(5), /empty lines/],
    ["\x16\x03\x01", /no HTTP request/],
  ];
  for (const [line, says] of lines) {
    assertMatch(refusal(() => begun("request", line).read(line.length)).message, says);
  }
});

// Limits

const SMALL = { maxHeadSize: 100, maxFields: 3 };

/** A head of exactly `size` bytes. */
function headOf(size: number): string {
  const rest = LINE + "A: \r\n\r\n";
  return LINE + "A: " + "b".repeat(size - rest.length) + "\r\n\r\n";
}

Deno.test("a head of exactly the limit is read, of one byte more refused with 431 (RFC 6585 §5)", () => {
  assert(read("request", headOf(100), SMALL).complete);
  assertEquals(refusal(() => begun("request", headOf(101), SMALL).read(101)).status, 431);
});

Deno.test("a head that fills its limit unfinished is refused then, not with the byte after (RFC 6585 §5)", () => {
  const message = headOf(101);
  const reader = begun("request", message, SMALL);
  assertFalse(reader.read(99));
  assertEquals(refusal(() => reader.read(100)).status, 431);
});

Deno.test("empty lines before a request do not count against its limit", () => {
  assert(read("request", "\r\n\r\n" + headOf(100), SMALL).complete);
});

Deno.test("a target beyond the limit is refused with 414 (RFC 9112 §3)", () => {
  const message = `GET http://a/${"b".repeat(200)} HTTP/1.1\r\n\r\n`;
  assertEquals(refusal(() => begun("request", message, SMALL).read(message.length)).status, 414);
});

Deno.test("a request line of 8,000 octets is read (RFC 9112 §3)", () => {
  const start = "GET http://example.com/";
  const end = " HTTP/1.1";
  const message = start + "a".repeat(8000 - start.length - end.length) + end +
    "\r\nHost: example.com\r\n\r\n";
  assertEquals(read("request", message).startLineEnd, 8000);
});

Deno.test("as many fields as the limit says are read, one more is refused with 431 (RFC 6585 §5)", () => {
  assertEquals(read("request", LINE + "A: b\r\n".repeat(3) + "\r\n", SMALL).count, 3);
  const message = LINE + "A: b\r\n".repeat(4) + "\r\n";
  assertEquals(refusal(() => begun("request", message, SMALL).read(message.length)).status, 431);
});

Deno.test("an origin's head beyond a limit is answered with 502", () => {
  const long = `HTTP/1.1 200 ${"b".repeat(200)}`;
  const error = refusal(() => begun("response", long, SMALL).read(long.length));
  assertEquals(error.status, 502);
  assertFalse(error.message.includes("target"), "a response has none");
  const many = "HTTP/1.1 200 OK\r\n" + "A: b\r\n".repeat(4) + "\r\n";
  assertEquals(refusal(() => begun("response", many, SMALL).read(many.length)).status, 502);
});

Deno.test("where a head is cut makes no difference to which limit it breaks", () => {
  const messages = [
    headOf(101),
    headOf(300),
    headOf(99) + "rest",
    LINE + "A: b\r\n".repeat(9) + "\r\n",
    `GET http://a/${"b".repeat(200)} HTTP/1.1\r\n\r\n`,
    `GET http://a/${"b".repeat(73)} HTTP/1.1\r\n\r\n`,
    LINE + "A: " + "b".repeat(63) + "\0",
    LINE + "A: " + "b".repeat(64) + "\0",
    LINE + "A: " + "b".repeat(65) + "\0",
    LINE + "A: " + "b".repeat(62) + "\r\n\r\n",
    LINE + "A: " + "b".repeat(63) + "\r\r",
    LINE + "A: " + "b".repeat(64) + "\r\r",
  ];
  for (const message of messages) {
    const whole = outcome(message, message.length);
    for (let step = 1; step < message.length; step++) {
      assertEquals(outcome(message, step), whole, `${JSON.stringify(message)} in pieces of ${step}`);
    }
  }

  function outcome(message: string, step: number): string {
    const reader = begun("request", message, SMALL);
    try {
      for (let limit = Math.min(step, message.length);; limit = Math.min(limit + step, message.length)) {
        if (reader.read(limit)) return `${reader.count} fields, ${reader.end} bytes`;
        if (limit === message.length) return "more is needed";
      }
    } catch (error) {
      return String(error);
    }
  }
});

// Trailers

Deno.test("a section of fields alone is read by the same rules (RFC 9112 §7.1.2)", () => {
  const reader = new HeadReader("request", LIMITS);
  const section = bytes("..Checksum: abc\r\nVia: 1.1 x\r\n\r\nrest");
  reader.beginFields(section, 2);
  assert(reader.read(section.length));
  assertEquals(fieldsOf(reader), [["Checksum", "abc"], ["Via", "1.1 x"]]);
  assertEquals(reader.end, section.length - 4);
  reader.beginFields(bytes("\r\n"), 0);
  assert(reader.read(2));
  assertEquals(reader.count, 0);
});

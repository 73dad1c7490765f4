/** Heads of responses, with tolerance and without (http-rules §3a). */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { BodyReader } from "../../src/http/body_reader.ts";
import { CHUNKED } from "../../src/http/framing.ts";
import { ResponseReader, type ResponseRules } from "../../src/http/response_reader.ts";
import { RESPONSES } from "./corpus.ts";
import { HOSTILE_FIELDS, ODD, withLine } from "./odd.ts";
import { bytes, fieldsOf, LIMITS, refusal, text } from "./reading.ts";
import { readTolerantly } from "./tolerant_model.ts";

const TOLERANT = { ...LIMITS, originTolerance: "tolerant" } as const;
const STRICT = { ...LIMITS, originTolerance: "strict" } as const;

/** Reads a message that comes in these pieces, each at another place of another buffer, to its end. */
function read(
  message: string,
  cuts: readonly number[] = [],
  rules: ResponseRules = TOLERANT,
) {
  const all = bytes(message);
  const reader = new ResponseReader(rules);
  let offset = 0;
  reader.begin(new Uint8Array(), 0);
  let whole = false;
  for (const cut of [...cuts, all.length]) {
    const next = (cut * 7) % 13;
    const buffer = new Uint8Array(next + cut + 4);
    buffer.set(all.subarray(0, cut), next);
    reader.move(buffer, next - offset);
    offset = next;
    whole = reader.read(next + cut);
    if (whole) break;
  }
  assert(whole, "the head is not whole");
  const framing = reader.framing("GET");
  const end = reader.end - offset;
  const body = new BodyReader("response", framing, LIMITS, reader.tolerant);
  let content = "";
  let at = end;
  for (const cut of [...cuts.filter((cut) => cut > end), all.length]) {
    if (body.done) break;
    const piece = all.slice(at, cut);
    body.read(piece, 0, piece.length);
    content += text(piece.subarray(body.dataStart, body.dataEnd));
    at += body.consumed;
  }
  reader.note(body.odd);
  assert(body.end(), "the body is whole");
  const { head, odd } = reader;
  const trailers = body.trailers === null ? [] : fieldsOf(body.trailers);
  return {
    startLine: head.text(head.start, head.startLineEnd),
    fields: fieldsOf(head),
    odd,
    content,
    end,
    trailers,
  };
}

for (const { what, response, odd, fields = [], without = [], content } of ODD) {
  Deno.test(`${what}: understood, and told`, () => {
    const got = read(response);
    assertEquals([got.odd.toSorted().join(", "), got.content], [odd, content]);
    for (const field of fields) {
      assertEquals(got.fields.filter(([name]) => name.toLowerCase() === field[0].toLowerCase()), [field]);
    }
    for (const absent of without) {
      assertEquals(got.fields.filter(([name]) => name.toLowerCase() === absent), []);
    }
  });

  Deno.test(`${what}: the same at every split, and as the model has it`, () => {
    const whole = read(response);
    // one of many bytes has most of them alike
    const most = response.length > 2000 ? 40 : response.length;
    const places = Array.from({ length: most - 1 }, (_, index) => index + 1);
    for (const place of places) assertEquals(read(response, [place]), whole, `cut at ${place}`);
    assertEquals(read(response, places), whole, "byte by byte");
    const model = readTolerantly(response, LIMITS);
    if (typeof model === "string") throw new Error(model);
    assertEquals([whole.fields, whole.end], [model.fields, model.end]);
  });

  Deno.test(`${what}: 502 where tolerance is not wanted`, () => {
    assertEquals(refusal(() => read(response, [], STRICT)).status, 502);
  });

  Deno.test(`${what}: nothing ambiguous with it is understood`, () => {
    for (const [trick, line] of HOSTILE_FIELDS) {
      for (const rules of [TOLERANT, STRICT]) {
        const message = withLine(response, line);
        assertEquals(refusal(() => read(message, [], rules)).status, 502, trick);
        const most = message.length > 2000 ? 40 : message.length;
        const places = Array.from({ length: most - 1 }, (_, index) => index + 1);
        assertEquals(refusal(() => read(message, places, rules)).status, 502, `${trick}, byte by byte`);
      }
    }
  });
}

for (const [trick, line] of HOSTILE_FIELDS) {
  Deno.test(`${trick}: 502, with tolerance and without (RFC 9112 §6.3)`, () => {
    for (const rules of [TOLERANT, STRICT]) {
      assertEquals(refusal(() => read(`HTTP/1.1 200 OK\r\n${line}\r\nhello`, [], rules)).status, 502);
    }
  });
}

Deno.test("real responses are not odd", () => {
  for (const { name, bytes: message } of RESPONSES) {
    const reader = new ResponseReader(TOLERANT);
    reader.begin(message, 0);
    assert(reader.read(message.length));
    reader.framing("GET");
    assertEquals(reader.odd, [], name);
  }
});

for (
  const line of [
    "HTTP/1.1  200 OK",
    "HTTP/1.1 2000",
    "HTTP/1.1 20",
    "HTTP/0.9 200 OK",
    "HTTP/1.10 200 OK",
    "HTTP 200 OK",
    " HTTP/1.1 200 OK",
    "icy 200 OK",
    "HTTP/4.0 200 OK",
    "HTTP/1.1 200 \x01",
    "200 OK",
    "<html>",
  ]
) {
  Deno.test(`${JSON.stringify(line)} is no status line, with tolerance neither`, () => {
    assertEquals(refusal(() => read(`${line}\r\n\r\n`)).status, 502);
  });
}

Deno.test("a peer that greets in another protocol is not waited for", () => {
  const begun = (message: string, rules: typeof TOLERANT | typeof STRICT = TOLERANT) => {
    const reader = new ResponseReader(rules);
    reader.begin(bytes(message), 0);
    return !reader.read(message.length) && reader.mayBecome(message.length);
  };
  for (const part of ["H", "HTTP/", "hTTp/2", "ICY", "\r", "\r\n", "\n\r\nHTT"]) {
    assertEquals(begun(part), true, part);
  }
  for (const part of ["SSH-2.0", "220 ftp", "I am", "icy"]) assertEquals(begun(part), false, part);
  for (const part of ["http", "ICY"]) assertEquals(begun(part, STRICT), false, part);
});

Deno.test("an odd head has its limits: 1,000 fields, 256 KiB, or those that are set where they are higher", () => {
  const fields = (count: number) => `HTTP/1.1 200 OK\n${"A: b\n".repeat(count)}Content-Length: 0\n\n`;
  assertEquals(read(fields(999)).fields.length, 1000);
  assertStringIncludes(refusal(() => read(fields(1000))).message, "more than 1000 fields");
  const long = (length: number) => `HTTP/1.1 200 OK\nA: ${"a".repeat(length - 39)}\nContent-Length: 0\n\n`;
  assertEquals(read(long(256 * 1024)).end, 256 * 1024);
  assertStringIncludes(refusal(() => read(long(256 * 1024 + 1))).message, "more than 262144 bytes");
});

Deno.test("an odd head keeps within the limits that were asked for", () => {
  const limits = { maxHeadSize: 1000, maxFields: 5 };
  const rules = { ...limits, oddHeads: limits, originTolerance: "tolerant" } as const;
  const odd = (lines: string) => read(`HTTP/1.1 200 OK\n${lines}Content-Length: 0\n\n`, [], rules);
  assertEquals(odd("A: b\n".repeat(4)).fields.length, 5);
  assertStringIncludes(refusal(() => odd("A: b\n".repeat(5))).message, "more than 5 fields");
  assertStringIncludes(refusal(() => odd(`A: ${"a".repeat(1000)}\n`)).message, "more than 1000 bytes");
});

Deno.test("folded lines count as fields: what is kept of each costs more than its bytes", () => {
  const message = (folds: number) =>
    `HTTP/1.1 200 OK\r\nA: b\r\n${" c\r\n".repeat(folds)}Content-Length: 0\r\n\r\n`;
  assertEquals(read(message(998)).odd, ["folded line"]);
  assertStringIncludes(refusal(() => read(message(999))).message, "more than 1000 fields");
});

Deno.test("an odd head is looked through twice at most, even byte by byte", () => {
  const message = bytes(`HTTP/1.1 200 OK\n${"A : b  \n c\n".repeat(490)}B: ${" ".repeat(30_000)}\r\n\n`);
  let looks = 0;
  const counting = new Proxy(message, {
    get(target, key) {
      if (typeof key === "string" && /^[0-9]+$/.test(key)) looks++;
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  for (const step of [message.length, 7, 1]) {
    looks = 0;
    const reader = new ResponseReader(TOLERANT);
    reader.begin(counting, 0);
    for (let limit = step; !reader.read(Math.min(limit, message.length)); limit += step);
    assert(looks < 6 * message.length, `${looks} looks at ${message.length} bytes in pieces of ${step}`);
  }
});

/** What never has a body, whatever its framing fields say, and whether such fields are normal there. */
const WITHOUT_BODY: [what: string, method: string, head: string, odd: boolean][] = [
  ["HEAD with a length", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false],
  ["HEAD with chunks", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false],
  ["HEAD with two lengths", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n", true],
  ["HEAD with one length twice", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", true],
  ["HEAD with gzip", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", true],
  ["304 with a length", "GET", "HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n", false],
  ["304 with both", "GET", "HTTP/1.1 304 X\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", true],
  ["204 with a length of zero", "GET", "HTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n", false],
  ["204 with a length", "GET", "HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n", true],
  ["204 with chunks", "GET", "HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n", true],
  ["103 with a length", "GET", "HTTP/1.1 103 X\r\nContent-Length: 5\r\n\r\n", true],
  ["200 with one length of zero twice", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0, 0\r\n\r\n", false],
];
for (const [what, method, message, odd] of WITHOUT_BODY) {
  Deno.test(`${what} has no body${odd ? ", and what says so is left out" : ""} (RFC 9112 §6.3 step 1)`, () => {
    for (const rules of [TOLERANT, STRICT]) {
      if (rules === STRICT && /200 OK\r\nContent-Length: 0, 0/.test(message)) continue;
      const reader = new ResponseReader(rules);
      reader.begin(bytes(message), 0);
      assert(reader.read(message.length));
      assertEquals([reader.framing(method), reader.framesNothing], [0, odd]);
      assertEquals(reader.odd.includes("framing fields without a body"), odd);
    }
  });
}

Deno.test("chunk extensions may have white space around them, in requests too (RFC 9112 §7.1.1)", () => {
  for (const kind of ["request", "response"] as const) {
    for (const extension of [" ;a=b", '\t; a = "b"', " ; a", ";a ;b", `${" ".repeat(2000)};a`]) {
      const body = bytes(`5${extension}\r\nhello\r\n0${extension}\r\n\r\n`);
      for (const step of [body.length, 1]) {
        const reader = new BodyReader(kind, CHUNKED, LIMITS);
        let content = "";
        for (let at = 0; at < body.length; at += step) {
          reader.read(body, at, Math.min(body.length, at + step));
          content += text(body.subarray(reader.dataStart, reader.dataEnd));
        }
        assertEquals([content, reader.done, reader.odd], ["hello", true, []]);
      }
    }
    const long = bytes(`5${" ".repeat(4096)};a\r\nhello\r\n0\r\n\r\n`);
    refusal(() => new BodyReader(kind, CHUNKED, LIMITS).read(long, 0, long.length));
  }
});

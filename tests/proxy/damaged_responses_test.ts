/**
 * Whatever an origin sends, the client gets a message that is valid, and that looks whole if and only if the record
 * says so (http-rules §3, §7). Damaged responses are sent through weir; what comes out is read by rules that are
 * written here another way.
 */

import { assert, assertEquals } from "@std/assert";
import { responseFraming } from "../../src/http/framing.ts";
import { RESPONSES } from "../http/corpus.ts";
import { ODD } from "../http/odd.ts";
import { read, text } from "../http/reading.ts";
import { damaged, random } from "./damage.ts";
import { proxied, PSEUDONYM } from "./harness.ts";
import { get } from "./round_trip.ts";

const ROUNDS = 1500;

/** Responses of the corpus, and those that are framed in all ways. */
function responses(): string[] {
  const bodies = [
    "Content-Length: 12\r\n\r\nhello, world",
    "Content-Length: 0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n7\r\n, world\r\n0\r\nA: b\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\nc\r\nhello, world\r\n0\r\n\r\n",
    "Connection: close\r\n\r\nhello, world",
  ];
  const made = ["200 OK", "204 No Content", "304 Not Modified", "404 Not Found"]
    .flatMap((status) => bodies.map((body) => `HTTP/1.1 ${status}\r\nDate: x\r\n${body}`));
  const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  return [...RESPONSES.map(({ bytes }) => text(bytes)), ...made, ...made.map((message) => hints + message)];
}

/** A head at the beginning of `all`, and what follows it. */
function cutHead(all: string): [head: string, rest: string] {
  const end = all.indexOf("\r\n\r\n") + 4;
  assert(end >= 4, `no head: ${JSON.stringify(all)}`);
  return [all.slice(0, end), all.slice(end)];
}

/** Whether a body is whole; fails when there is anything behind it. */
function isWhole(head: string, body: string): boolean {
  const length = /^content-length:(.*)\r$/im.exec(head)?.[1].trim();
  if (/^transfer-encoding: chunked\r$/im.test(head)) {
    assertEquals(length, undefined, head);
    for (let left = body;;) {
      const size = /^([0-9a-f]+)\r\n/.exec(left);
      if (size === null) return false;
      left = left.slice(size[0].length);
      const count = parseInt(size[1], 16);
      if (count === 0) {
        const end = left.startsWith("\r\n") ? 2 : left.indexOf("\r\n\r\n") + 4;
        assertEquals(end, left.length, `nothing behind the body: ${JSON.stringify(body)}`);
        return true;
      }
      if (left.length < count + 2) return false;
      assertEquals(left.slice(count, count + 2), "\r\n");
      left = left.slice(count + 2);
    }
  }
  assert(length !== undefined && /^[0-9]+$/.test(length), `no framing for an HTTP/1.1 client: ${head}`);
  assert(body.length <= Number(length), `more than its length: ${JSON.stringify(head + body)}`);
  return body.length === Number(length);
}

/** What a line may be that is sent on: control characters are kept in values where tolerance is wanted. */
const STRICT_VALUE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/;
const ANY_VALUE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*$/;

for (const originTolerance of ["tolerant", "strict"] as const) {
  proxied(
    `what an origin garbles reaches the client valid, or not at all (${originTolerance}, http-rules §3)`,
    {
      settings: { originTolerance },
    },
    async (setting) => {
      const { connect, origin, exchanges } = setting;
      const short = ODD.map(({ response }) => response).filter(({ length }) => length < 10_000);
      const corpus = originTolerance === "strict" ? responses() : [...responses(), ...short];
      const value = originTolerance === "strict" ? STRICT_VALUE : ANY_VALUE;
      const chance = random(7);
      let [whole, cut, refused, odd] = [0, 0, 0, 0];
      for (let round = 0; round < ROUNDS; round++) {
        const client = await connect();
        await client.send(get(origin, "/", "Connection: close"));
        const upstream = await origin.accept();
        await upstream.head();
        await upstream.send(damaged(corpus[chance(corpus.length)], chance));
        await upstream.closeWrite();
        let left = await client.rest();
        client.close();
        upstream.close();
        const exchange = await exchanges.next();

        let [head, body] = cutHead(left);
        while (/^HTTP\/1\.1 1/.test(head)) {
          left = body;
          [head, body] = cutHead(left);
        }
        assert(/^HTTP\/1\.1 [2-9][0-9][0-9] [\t\x20-\x7e\x80-\xff]*\r\n/.test(head), head);
        for (const line of head.slice(0, -4).split("\r\n").slice(1)) {
          assert(value.test(line), head);
        }
        const status = Number(head.slice(9, 12));
        assertEquals(status, exchange.status);
        assert(/^Connection: close\r$/m.test(head), head);
        // deno-lint-ignore no-control-regex
        const reader = read("response", head.replace(/[\x01-\x08\v\f\x0e-\x1f\x7f]/g, "?"), {
          maxHeadSize: 1 << 20,
          maxFields: 1100,
        });
        const framing = responseFraming(reader, status, "GET");
        if (exchange.ownAnswer) {
          assertEquals(status, 502);
          assert(isWhole(head, body));
          refused++;
          continue;
        }
        assert(head.includes(` ${PSEUDONYM}\r\n`), head);
        if (originTolerance === "strict") {
          assert(exchange.odd === "" || exchange.odd === "framing fields without a body", exchange.odd);
        }
        if (exchange.odd !== "") odd++;
        if (status === 204 || status === 304) {
          assertEquals([body, exchange.truncated], ["", false]);
          continue;
        }
        assert(framing !== -2, "an HTTP/1.1 client is never left to wait for the end");
        assertEquals(isWhole(head, body), !exchange.truncated, JSON.stringify(head + body));
        if (exchange.truncated) cut++;
        else whole++;
      }
      if (originTolerance === "tolerant") assert(odd > ROUNDS / 10, `${odd}`);
      for (const count of [whole, cut, refused]) assert(count > ROUNDS / 50, `${[whole, cut, refused]}`);
    },
  );
}

/**
 * Weir never forwards a request that it would understand differently if it read it again (http-rules §7). Damaged
 * requests are sent through it; what the origin gets is held against rules that are written here another way.
 */

import { assert, assertEquals } from "@std/assert";
import { requestFraming } from "../../src/http/framing.ts";
import { REQUESTS } from "../http/corpus.ts";
import { read, text } from "../http/reading.ts";
import { proxied, PSEUDONYM } from "./harness.ts";
import { damaged, random } from "./damage.ts";
import { type Message, valuesOf } from "./peer.ts";

const ROUNDS = 1500;
const NAME = "origin.example";

/** Heads with a body here and there, in two parts: the method, and what stands behind the authority. */
function requests(): [method: string, rest: string][] {
  const bodies = [
    "",
    "\r\nContent-Length: 5\r\n\r\nhello",
    "\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
  ];
  return REQUESTS.flatMap(({ bytes }) => {
    const parts = /^(?:\r\n)*(\S+) https?:\/\/[^/ ]*(.*)$/s.exec(text(bytes));
    if (parts === null || /^Expect|^Transfer-Encoding|^Content-Length/im.test(parts[2])) return [];
    const host = parts[2].replace(/^Host:.*$/im, `Host: ${NAME}`);
    return bodies.map((body): [string, string] => [parts[1], body === "" ? host : host.slice(0, -4) + body]);
  });
}

/** Fields that a request that weir sends never has. */
const NEVER = /^(proxy-connection|keep-alive|proxy-authorization|proxy-authenticate|http2-settings)$/i;

function assertSound(request: Message, authority: string): void {
  const { head } = request;
  const [line, ...lines] = head.slice(0, -4).split("\r\n");
  assert(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+ (\*|\/[\x21-\x7e\x80-\xff]*) HTTP\/1\.1$/.test(line), head);
  for (const field of lines) {
    assert(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/.test(field), head);
    assert(!NEVER.test(field.slice(0, field.indexOf(":"))), head);
  }
  assertEquals(valuesOf(request, "host"), [authority], head);
  const lengths = valuesOf(request, "content-length");
  const codings = valuesOf(request, "transfer-encoding");
  assert(lengths.length + codings.length <= 1, head);
  for (const length of lengths) assert(/^[0-9]+$/.test(length), head);
  for (const coding of codings) assertEquals(coding, "chunked", head);
  const connection = valuesOf(request, "connection").join();
  assert(["", "TE", "Upgrade"].includes(connection), head);
  assertEquals(valuesOf(request, "te"), connection === "TE" ? ["trailers"] : [], head);
  assertEquals(valuesOf(request, "upgrade").length > 0, connection === "Upgrade", head);
  assertEquals(valuesOf(request, "via").join().split(PSEUDONYM).length, 2, head);

  const again = read("request", head);
  assertEquals(again.end, head.length, "the head ends where it ended");
  assertEquals(requestFraming(again, 1), codings.length > 0 ? -1 : Number(lengths[0] ?? 0));
}

proxied(
  "what is forwarded means the same when it is read again (http-rules §7)",
  {
    resolver: {
      lookup: (host) => host === NAME ? Promise.resolve(["127.0.0.1"]) : Promise.reject(new Error("none")),
    },
  },
  async ({ connect, origin, exchanges }) => {
    const authority = `${NAME}:${origin.port}`;
    const seen: Message[] = [];
    const garbled: string[] = [];
    origin.serve(async (connection) => {
      for (;;) {
        // weir writes a head at once: one that is cut short would be a request that it has not understood
        const head = await connection.head().catch(() => "");
        if (head === "") return void garbled.push(...connection.received === "" ? [] : [connection.received]);
        connection.received = head + connection.received;
        // a body that the client has cut short is cut here too
        const request = await connection.message().catch(() => null);
        if (request === null) return;
        seen.push(request);
        await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      }
    });

    const corpus = requests();
    assert(corpus.length > 30);
    const chance = random(42);
    for (let round = 0; round < ROUNDS; round++) {
      const [method, rest] = corpus[chance(corpus.length)];
      const client = await connect();
      const start = chance(10) === 0 ? damaged(method, chance) : method;
      const message = `${start} http://${authority}${damaged(rest, chance)}`;
      // an Upgrade that is granted, an expectation and a tunnel have tests of their own
      if (!/^CONNECT/.test(message)) {
        await client.send(message);
        await client.closeWrite();
        const answers = await client.rest();
        assert(answers === "" || answers.startsWith("HTTP/1.1 "), answers);
      }
      client.close();
    }
    for (const request of seen) assertSound(request, authority);
    assertEquals(garbled, []);
    const forwarded = exchanges.all.filter(({ kind, upstreamSentBytes }) =>
      kind === "forward" && upstreamSentBytes > 0
    );
    assert(seen.length > ROUNDS / 10, `only ${seen.length} were forwarded`);
    assert(seen.length <= forwarded.length, "the origin sees no more requests than weir has forwarded");
    assert(exchanges.all.some(({ status }) => status === 400), "some were refused");
  },
);

/** What counts against a limit is given back by every way in which a connection can end, seen from outside. */

import { assert, assertEquals } from "@std/assert";
import { proxied, type Setting } from "./harness.ts";
import { type Peer, turn } from "./peer.ts";
import { policy } from "./policies.ts";
import { get, OK, request } from "./round_trip.ts";

const MOST = 12;
const HELD = 32 * 1024;
const ROUNDS = 60;

/** Numbers that look random and are the same each time, below `most`. */
function numbers(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * most);
  };
}

/** What is sent first, none of which comes to a good end by itself. */
function beginnings({ origin }: Setting): string[] {
  const head = get(origin).slice(0, -2);
  const connect = `CONNECT ${origin.authority} HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`;
  return [
    "",
    "\r\n\r\n",
    head,
    head + `X: ${"x".repeat(3_000)}`,
    head + `X: ${"x".repeat(17_000)}`,
    head + `X: ${"x".repeat(17_000)}\r\n no field\r\n\r\n`,
    head + `X: ${"x".repeat(70_000)}`,
    get(origin),
    get(origin).repeat(20),
    request(origin, "POST", "/", "Content-Length: 10") + "half",
    request(origin, "POST", "/", "Content-Length: 2000000") + "x".repeat(20_000),
    request(origin, "POST", "/", "Transfer-Encoding: chunked") + "5\r\nab",
    request(origin, "POST", "/", "Transfer-Encoding: chunked") + "no size\r\n",
    request(origin, "POST", "/", "Content-Length: 10\r\nExpect: 100-continue"),
    connect,
    connect + "\x16\x03\x01\x3f\xff\x01\x00\xea\x60\x03\x03" + "a".repeat(17_000),
    "\x05\x01\x00\x05\x01",
    "\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x01",
    "\x04\x01\x00\x01\x7f\x00\x00\x01us",
    "BROKEN\r\n\r\n",
  ];
}

/** What an origin does with what it is asked. */
const ANSWERS = [
  OK,
  `HTTP/1.1 200 OK\r\nX: ${"x".repeat(20_000)}`,
  `HTTP/1.1 200 OK\r\nX: ${"x".repeat(20_000)}\r\nContent-Length: 0\r\n\r\n`,
  "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
  "no answer\r\n\r\n",
  "",
];

for (const seed of [1, 2, 3]) {
  proxied(
    `after ${ROUNDS} connections that came to every kind of end there is room for as many as at the start (${seed})`,
    {
      settings: {
        maxConnections: MOST,
        maxConnectionsPerLocalClient: MOST - 2,
        maxUnfinished: 3 * HELD,
        maxBodySize: 1_000_000,
        policy: policy({ tls: "match" }),
      },
    },
    async (setting) => {
      const { origin, proxy, connect } = setting;
      const number = numbers(seed);
      const first = beginnings(setting);
      const open: Peer[] = [];
      let over = false;
      origin.serve(async (upstream) => {
        while (over) {
          await upstream.message();
          await upstream.send(OK);
        }
        await turn();
        await upstream.send(ANSWERS[number(ANSWERS.length)]).catch(() => {});
        upstream.close();
      });
      for (let round = 0; round < ROUNDS; round++) {
        const client = await connect({ resettable: true });
        await client.send(first[number(first.length)]).catch(() => {});
        for (let turns = number(4); turns > 0; turns--) await turn();
        open.push(client);
        if (open.length <= number(2 * MOST)) continue;
        const [gone] = open.splice(number(open.length), 1);
        if (number(2) === 0) gone.reset();
        else gone.close();
      }
      for (const client of open) client.close();
      while (proxy.connections > 0) await turn();
      over = true;

      // as many heads as may be unfinished at a time, each of which needs all of its share
      const last = await Promise.all(Array.from({ length: 3 }, () => connect()));
      for (const client of last) {
        await client.send(get(origin).slice(0, -2) + `X: ${"x".repeat(HELD / 2 + 1_000)}`);
      }
      const others = await Promise.all(Array.from({ length: MOST - 5 }, () => connect()));
      for (const client of others) await client.send(get(origin));
      for (const client of others) assertEquals((await client.message()).status, 200);
      for (const client of last) {
        await client.send("\r\n\r\n");
        assertEquals((await client.message()).status, 200);
      }
      assert(proxy.connections <= MOST - 2);
    },
  );
}

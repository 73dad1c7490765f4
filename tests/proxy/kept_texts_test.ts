/** What is kept of exchanges that are over: not the texts of their heads, which others make as long as they like. */

import { assert } from "@std/assert";
import { CAN_COLLECT, heapInUse } from "../heap.ts";
import { proxied } from "./harness.ts";
import type { Peer } from "./peer.ts";
import { policy } from "./policies.ts";
import { get } from "./round_trip.ts";

/** Connections that are open at a time, and bytes of a field that makes a head long. */
const MANY = 128;
const LONG = 60_000;

const FILLED = `X-Long: ${"x".repeat(LONG)}`;
const ANSWER =
  `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/x-of-some-length\r\n${FILLED}\r\n\r\nok`;

proxied(
  "connections that wait for their next request keep nothing of the heads of the last one",
  {
    ignore: !CAN_COLLECT,
    settings: { policy: policy({ rules: [{ paths: "/of/some/length/*" }] }), poolSize: 0 },
  },
  async ({ connect, origin }) => {
    const clients: Peer[] = [];
    const exchange = async (count: number) => {
      while (clients.length < count) clients.push(await connect());
      const upstreams: Peer[] = [];
      for (const client of clients) {
        await client.send(get(origin, "/of/some/length/and-more", FILLED));
        const upstream = await origin.accept();
        await upstream.message();
        upstreams.push(upstream);
      }
      for (const upstream of upstreams) await upstream.send(ANSWER);
      for (const client of clients) await client.message();
      for (const upstream of upstreams) upstream.close();
      for (const peer of [...clients, ...upstreams]) peer.received = "";
    };
    await exchange(1);
    const before = heapInUse();
    await exchange(MANY);
    const grown = heapInUse() - before;
    assert(grown < MANY * LONG / 2, `${grown} bytes for ${MANY} connections`);
  },
);

/** How the proxy comes to its end: nothing new begins, what is under way ends well or in time, nothing is left. */

import { assertEquals, assertRejects } from "@std/assert";
import { proxied } from "./harness.ts";
import { turn, valuesOf } from "./peer.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";
import { arrived, tunnelled } from "./under_way.ts";

const NO_GRACE = 1;

/** Whether a promise has resolved by now. */
function watched(promise: Promise<void>): { readonly over: boolean; promise: Promise<void> } {
  const state = { over: false, promise };
  promise.then(() => state.over = true);
  return state;
}

proxied("a drain with nothing under way is over at once, and may be asked for again", async ({ proxy }) => {
  await proxy.drain();
  await proxy.drain();
  await proxy.stop();
});

proxied("from the beginning of a drain on nobody can connect", async ({ proxy, connect, addresses }) => {
  const { hostname, port } = addresses[0];
  await connect();
  const drained = proxy.drain();
  // refused, or reset where the system had taken it before the listener was gone
  await assertRejects(() => Deno.connect({ hostname, port }));
  await drained;
});

proxied("a drain closes idle connections without a word, used ones and unused ones", async (setting) => {
  const unused = await setting.connect();
  const { client, upstream } = await roundTrip(setting, get(setting.origin));
  while (setting.proxy.connections < 2) await turn();
  await setting.proxy.drain();
  assertEquals(await unused.restAndEnding(), ["", "end"]);
  assertEquals(await client.restAndEnding(), ["", "end"]);
  assertEquals(await upstream.restAndEnding(), ["", "end"], "and the kept ones to origins");
  assertEquals(setting.proxy.connections, 0);
});

proxied(
  "a drain lets an exchange under way end, and its answer says that it is the last",
  async (setting) => {
    const { client, upstream } = await arrived(setting, get(setting.origin));
    const drain = watched(setting.proxy.drain());
    await turn();
    assertEquals([drain.over, setting.proxy.active], [false, 1]);
    await upstream.send(OK);
    const answer = await client.message();
    assertEquals([answer.content, valuesOf(answer, "connection")], ["ok", ["close"]]);
    assertEquals(await client.restAndEnding(), ["", "end"]);
    await drain.promise;
    assertEquals(await upstream.rest(), "", "the origin's connection is not kept");
  },
);

proxied("a drain lets a response end whose head is with the client already", async (setting) => {
  const { client, upstream } = await arrived(setting, get(setting.origin));
  await upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
  await client.upTo("01234");
  const drained = setting.proxy.drain();
  await turn();
  await upstream.send("56789");
  assertEquals(await client.restAndEnding(), ["56789", "end"]);
  await drained;
  assertEquals((await setting.exchanges.next()).truncated, false);
});

proxied("a drain lets an upload end", async (setting) => {
  const message = request(setting.origin, "POST", "/", "Content-Length: 10");
  const { client, upstream } = await arrived(setting, message + "01234");
  const drained = setting.proxy.drain();
  await turn();
  await client.send("56789");
  assertEquals(await upstream.exactly(10), "0123456789");
  await upstream.send(OK);
  assertEquals((await client.message()).content, "ok");
  await drained;
});

proxied("a head that has begun is an exchange under way", async (setting) => {
  const client = await setting.connect();
  const head = get(setting.origin);
  await client.send(head.slice(0, 20));
  while (setting.proxy.active < 1) await turn();
  const drained = setting.proxy.drain();
  await client.send(head.slice(20));
  const upstream = await setting.origin.accept();
  await upstream.message();
  await upstream.send(OK);
  const answer = await client.message();
  assertEquals([answer.status, valuesOf(answer, "connection")], [200, ["close"]]);
  await drained;
});

proxied("requests that follow the one under way are not begun any more", async (setting) => {
  const { client, upstream } = await arrived(
    setting,
    get(setting.origin) + get(setting.origin, "/2") + get(setting.origin, "/3"),
  );
  const drained = setting.proxy.drain();
  await upstream.send(OK);
  assertEquals(valuesOf(await client.message(), "connection"), ["close"]);
  assertEquals(await client.rest(), "");
  client.close();
  await drained;
  await setting.origin.assertNoFurtherConnection();
  assertEquals(setting.exchanges.all.length, 1);
});

proxied("a drain lets a tunnel end by itself", async (setting) => {
  const { client, upstream } = await tunnelled(setting);
  const drain = watched(setting.proxy.drain());
  await turn();
  await client.send("still open");
  assertEquals(await upstream.exactly(10), "still open");
  assertEquals(drain.over, false);
  client.close();
  upstream.close();
  await drain.promise;
  assertEquals((await setting.exchanges.next()).truncated, false);
});

proxied("what is not over when the grace is, is cut, and recorded as cut, once", {
  settings: { grace: NO_GRACE },
}, async (setting) => {
  const tunnel = await tunnelled(setting);
  const waiting = await arrived(setting, get(setting.origin, "/waiting"));
  const downloading = await arrived(setting, get(setting.origin, "/downloading"));
  await downloading.upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
  await downloading.client.upTo("01234");
  const uploading = await arrived(
    setting,
    request(setting.origin, "POST", "/uploading", "Content-Length: 10") + "01234",
  );
  const begun = await setting.connect();
  await begun.send("GET http://");
  while (setting.proxy.active < 5) await turn();
  await setting.proxy.drain();
  assertEquals(setting.proxy.connections, 0);
  const all = [tunnel, waiting, downloading, uploading];
  for (const { client } of all) assertEquals(await client.rest(), "");
  for (const { upstream } of all) await upstream.rest();
  assertEquals(await begun.rest(), "");
  assertEquals(setting.exchanges.all.length, 5);
  for (const { truncated, target } of setting.exchanges.all) assertEquals(truncated, true, target);
  assertEquals(setting.exchanges.all.find(({ kind }) => kind === "tunnel")!.details, "the proxy was stopped");
});

proxied("a grace of nothing cuts at once", { settings: { grace: 0 } }, async (setting) => {
  const { client, upstream } = await arrived(setting, get(setting.origin));
  await setting.proxy.drain();
  assertEquals([await client.rest(), await upstream.rest()], ["", ""]);
});

proxied("a stop while a drain waits ends both at once", async (setting) => {
  const { client } = await arrived(setting, get(setting.origin));
  const drained = setting.proxy.drain();
  await setting.proxy.stop();
  await drained;
  assertEquals(await client.rest(), "");
});

proxied(
  "a stop does not wait for a name server, and nothing is sent to an origin afterwards",
  { resolver: { lookup: () => new Promise(() => {}) } },
  async (setting) => {
    const client = await setting.connect();
    await client.send(get({ authority: "silent.example" }));
    const other = await setting.connect();
    await other.send("CONNECT silent.example:443 HTTP/1.1\r\nHost: silent.example:443\r\n\r\n");
    while (setting.proxy.active < 2) await turn();
    await setting.proxy.stop();
    assertEquals([await client.rest(), await other.rest()], ["", ""]);
    for (const { truncated, status, details } of setting.exchanges.all) {
      assertEquals([truncated, status, details], [true, 0, "the proxy was stopped"]);
    }
  },
);

proxied("a request that was on its way when the stop came does not reach its origin", async (setting) => {
  const { proxy, origin, connect } = setting;
  const client = await connect();
  await client.send(get(origin));
  while (proxy.active < 1) await turn();
  // the connection to the origin is being made, or has just been made
  await proxy.stop();
  assertEquals(await client.rest(), "");
  assertEquals(setting.exchanges.all.map(({ truncated }) => truncated), [true]);
});

proxied(
  "a stop does not wait for a client that lingers",
  async (setting) => {
    const client = await setting.connect();
    await client.send("nonsense\r\n\r\n");
    assertEquals((await client.message()).status, 400);
    await setting.proxy.stop();
    assertEquals(await client.rest(), "");
  },
);

proxied("an exchange that is over when the drain begins does not keep it waiting", async (setting) => {
  setting.origin.answer(OK);
  const clients = await Promise.all(Array.from({ length: 50 }, () => setting.connect()));
  for (const client of clients) await client.send(get(setting.origin));
  for (const client of clients) await client.message();
  await setting.proxy.drain();
  assertEquals(setting.exchanges.all.length, 50);
});

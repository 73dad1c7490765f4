/**
 * Responses that are not quite HTTP (http-rules §3a): understood in the one way that the RFCs leave, sent on in
 * canonical form, kept apart from all others.
 */

import { assert, assertEquals } from "@std/assert";
import { HOSTILE_FIELDS, ODD, withLine } from "../http/odd.ts";
import { AUTHORITY, KEY, VALID } from "../net/tls_certificates.ts";
import { FRESH, until } from "./cached.ts";
import { gateway } from "./gateways.ts";
import { proxied, PSEUDONYM } from "./harness.ts";
import { Peer, valuesOf } from "./peer.ts";
import { get, OK, request } from "./round_trip.ts";
import { through } from "./through.ts";

const MIB = 1024 * 1024;
const STRICT = { settings: { originTolerance: "strict" } } as const;

for (const { what, response, odd, startLine, fields = [], without = [], content } of ODD) {
  proxied(`${what}: sent on in canonical form, and both connections end`, async (setting) => {
    const { origin, connect, exchanges } = setting;
    const client = await connect();
    await client.send(get(origin));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(response);
    await upstream.closeWrite();
    const got = await client.message();
    assertEquals([got.startLine, got.content], [startLine, content]);
    for (const [name, value] of fields) assertEquals(valuesOf(got, name), [value]);
    for (const name of without.filter((name) => name !== "transfer-encoding")) {
      assertEquals(valuesOf(got, name), []);
    }
    assert(
      valuesOf(got, "content-length").length + valuesOf(got, "transfer-encoding").length === 1,
      got.head,
    );
    // each line is a field, for every reader
    for (const line of got.head.slice(0, -4).split("\r\n").slice(1)) {
      assert(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+: ?[^\r\n\0]*$/.test(line), line);
    }
    assertEquals([await client.rest(), await upstream.rest()], ["", ""], "both are closed");
    const exchange = await exchanges.next();
    assertEquals(exchange.odd.split(", ").toSorted().join(", "), odd);
    assertEquals([exchange.status, exchange.truncated, exchange.ownAnswer], [200, false, false]);
  });

  proxied(`${what}: 502 where tolerance is not wanted`, STRICT, async (setting) => {
    const { origin, connect, exchanges } = setting;
    const client = await connect();
    await client.send(get(origin, "/", "Connection: close"));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(response);
    await upstream.closeWrite();
    const answer = await client.rest();
    // of a body that is odd the head has gone on
    const whole = /^HTTP\/1\.1 502/.test(answer) || !answer.endsWith("0\r\n\r\n");
    assert(whole, answer);
    assertEquals((await exchanges.next()).odd, "");
  });

  proxied(
    `${what}: not stored, and nobody waits for it`,
    { settings: { cacheSize: 64 * MIB } },
    async (setting) => {
      const { origin, connect, exchanges, proxy } = setting;
      const fresh = withLine(response, FRESH);
      const client = await connect();
      await client.send(get(origin));
      const upstream = await origin.accept();
      await upstream.message();
      // the body of one that is odd only there comes later than the head
      const head = fresh.search(/\r?\r\n\r?\r?\n|\n\n/);
      await upstream.send(fresh.slice(0, head + 4));
      await upstream.send(fresh.slice(head + 4));
      await upstream.closeWrite();
      assertEquals((await client.message()).content, content);
      assertEquals(await client.rest(), "");
      assert((await exchanges.next()).odd !== "");
      await until(() => proxy.cache!.budget.used === 0, "nothing is recorded any more");
      assertEquals(proxy.cache!.count, 0);
      const other = await connect();
      await other.send(get(origin));
      const second = await origin.accept();
      await second.message();
      await second.send(OK);
      assertEquals((await other.message()).content, "ok");
    },
  );
}

/** Complete, and what another request must never get. */
const EVIL = "HTTP/1.1 200 Evil\r\nContent-Length: 4\r\n\r\nevil";

for (const originTolerance of ["tolerant", "strict"] as const) {
  proxied(`no oddity with a trick brings anything to another request (${originTolerance})`, {
    settings: { originTolerance, cacheSize: 64 * MIB },
  }, async (setting) => {
    const { origin, connect, exchanges } = setting;
    const short = ODD.filter(({ response }) => response.length < 1000);
    for (const { what, response } of short) {
      for (const [trick, line] of [...HOSTILE_FIELDS, ["nothing", ""]]) {
        const name = `${what} with ${trick}`;
        const client = await connect();
        await client.send(get(origin, "/1"));
        const upstream = await origin.accept();
        await upstream.message();
        await upstream.send(withLine(withLine(response, line), FRESH) + EVIL);
        await upstream.closeWrite();
        const got = await client.message();
        if (line !== "") assertEquals(got.status, 502, name);
        // what has no length ends with the connection, and is all the origin's own
        const untilClose = trick === "nothing" && /identity$|^ICY$/.test(what);
        assertEquals(got.content.includes("evil"), originTolerance === "tolerant" && untilClose, name);
        assertEquals(await upstream.rest(), "", name);
        upstream.close();
        client.close();
        const other = await connect();
        await other.send(get(origin, "/1", "Connection: close"));
        const second = await origin.accept();
        await second.message();
        await second.send(OK);
        assertEquals((await other.message()).content, "ok", name);
        other.close();
        second.close();
        await exchanges.next();
        await exchanges.next();
      }
    }
  });
}

/** One that is odd in its head. */
const LF = "HTTP/1.1 200 OK\nContent-Length: 2\nA : b\n\nok";
const SAID = "LF line end, white space before a colon";

gateway("an odd response comes through a gateway", async ({ ask, origin, exchanges }) => {
  const answer = ask(`/${origin.authority}/#part`);
  const upstream = await origin.accept();
  assertEquals((await upstream.message()).startLine, "GET / HTTP/1.1", "without the fragment");
  await upstream.send(LF);
  assertEquals([(await answer).content, valuesOf(await answer, "content-length")], ["ok", ["2"]]);
  const exchange = await exchanges.next();
  assertEquals([exchange.odd, exchange.target.endsWith("/")], [SAID, true]);
});

proxied("an odd response of a parent comes through, and one to a HEAD", async (setting) => {
  through(setting);
  for (const method of ["GET", "HEAD"]) {
    const client = await setting.connect();
    await client.send(request({ authority: "a.example" }, method, "/"));
    const upstream = await setting.origin.accept();
    await upstream.message();
    await upstream.send(method === "GET" ? LF : LF.slice(0, -2));
    assertEquals((await client.message({ method })).status, 200);
    assertEquals([await client.rest(), await upstream.rest()], ["", ""]);
    assertEquals((await setting.exchanges.next()).odd, SAID);
  }
});

proxied("a parent may open a tunnel in odd words, and refuse it", async (setting) => {
  through(setting);
  for (
    const [answer, status] of [["HTTP/1.0 200 OK\nA : b\n\n", 200], ["http/1.1 403 No\n\n", 403]] as const
  ) {
    const client = await setting.connect();
    await client.send("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n");
    const upstream = await setting.origin.accept();
    await upstream.head();
    await upstream.send(status === 200 ? answer + "first" : answer);
    assertEquals((await client.message({ method: "CONNECT" })).status, status);
    if (status === 200) {
      assertEquals(await client.exactly(5), "first");
      await client.send("bytes");
      assertEquals(await upstream.exactly(5), "bytes");
      await upstream.closeWrite();
    }
    client.close();
    upstream.close();
    assertEquals(
      (await setting.exchanges.next()).odd,
      status === 200 ? SAID : "LF line end, lower-case HTTP",
    );
  }
  through(setting, { settings: { originTolerance: "strict" } });
  const client = await setting.connect();
  await client.send("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n");
  const upstream = await setting.origin.accept();
  await upstream.head();
  await upstream.send("HTTP/1.0 200 OK\n\n");
  assertEquals((await client.message({ method: "CONNECT" })).status, 502);
});

proxied(
  "an odd interim response goes on in canonical form, and the one after it is kept apart",
  async (setting) => {
    const { origin, connect, exchanges } = setting;
    const client = await connect();
    await client.send(get(origin));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(`HTTP/1.1 103 Early Hints\nLink : </a>\n\n${OK}`);
    const hints = await client.message();
    assertEquals([hints.status, valuesOf(hints, "link")], [103, ["</a>"]]);
    assertEquals((await client.message()).content, "ok");
    assertEquals([await client.rest(), await upstream.rest()], ["", ""]);
    assertEquals((await exchanges.next()).odd, SAID);
  },
);

proxied("protocols may be switched in odd words", async (setting) => {
  const { origin, connect, exchanges } = setting;
  const client = await connect();
  await client.send(get(origin, "/", "Connection: upgrade", "Upgrade: websocket"));
  const upstream = await origin.accept();
  await upstream.message();
  await upstream.send("HTTP/1.1 101 Switching\nConnection: upgrade\nUpgrade: websocket\n\nfirst");
  assertEquals((await client.message()).status, 101);
  assertEquals(await client.exactly(5), "first");
  client.close();
  upstream.close();
  assertEquals((await exchanges.next()).odd, "LF line end");
});

proxied(
  "an odd 304 validates nothing: the origin is asked once more",
  { settings: { cacheSize: MIB } },
  async (setting) => {
    const { origin, connect, exchanges } = setting;
    const client = await connect();
    await client.send(get(origin));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(
      'HTTP/1.1 200 OK\r\nCache-Control: max-age=0\r\nETag: "a"\r\nContent-Length: 3\r\n\r\nold',
    );
    assertEquals((await client.message()).content, "old");
    await client.send(get(origin));
    assertEquals(valuesOf(await upstream.message(), "if-none-match"), ['"a"']);
    await upstream.send('HTTP/1.1 304 Not Modified\nCache-Control: max-age=60\nETag: "a"\n\n');
    const again = await origin.accept();
    assertEquals(valuesOf(await again.message(), "if-none-match"), []);
    await again.send(OK);
    assertEquals((await client.message()).content, "ok");
    await exchanges.next();
    assertEquals((await exchanges.next()).odd, "LF line end");
  },
);

proxied(
  "behind the client's back an odd response replaces nothing",
  { settings: { cacheSize: MIB } },
  async (setting) => {
    const { origin, connect, exchanges, proxy } = setting;
    const client = await connect();
    await client.send(get(origin));
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(
      "HTTP/1.1 200 OK\r\nCache-Control: max-age=0, stale-while-revalidate=60\r\nETag: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nold",
    );
    assertEquals((await client.message()).content, "old");
    await client.send(get(origin));
    assertEquals((await client.message()).content, "old");
    const behind = await origin.accept();
    await behind.message();
    await behind.send(`HTTP/1.1 200 OK\n${FRESH}Content-Length: 3\n\nnew`);
    assertEquals(await behind.rest(), "", "its connection is not kept");
    await exchanges.until(() => exchanges.all.length === 3);
    assertEquals(exchanges.all.at(-1)!.odd, "LF line end");
    assertEquals(proxy.cache!.count, 0);
  },
);

proxied("https:// in absolute form: an odd origin, and an odd parent on the way", {
  settings: { originCertificates: [AUTHORITY] },
}, async (setting) => {
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: VALID, key: KEY });
  const { connect, exchanges } = setting;
  const client = await connect();
  const authority = `localhost:${listener.addr.port}`;
  await client.send(`GET https://${authority}/#x HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const upstream = new Peer(await listener.accept());
  assertEquals((await upstream.message()).startLine, "GET / HTTP/1.1");
  await upstream.send(LF);
  assertEquals((await client.message()).content, "ok");
  assertEquals([await client.rest(), await upstream.rest()], ["", ""]);
  upstream.close();
  assertEquals((await exchanges.next()).odd, SAID);
});

proxied("no Via in requests to origins, and none that came with it; in responses as ever (via = responses)", {
  settings: { via: "responses", cacheSize: MIB },
}, async (setting) => {
  const { origin, connect, exchanges } = setting;
  for (const [path, extra] of [["/1", []], ["/2", ["Via: 1.1 before"]]] as const) {
    const client = await connect();
    await client.send(get(origin, path, "Connection: close", ...extra));
    const upstream = await origin.accept();
    assertEquals(valuesOf(await upstream.message(), "via"), []);
    await upstream.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    assertEquals(valuesOf(await client.message(), "via"), [`1.1 ${PSEUDONYM}`]);
    await exchanges.next();
  }
  const own = await connect();
  await own.send(get(origin, "/", `Via: 1.1 ${PSEUDONYM}`));
  assertEquals((await own.message()).status, 502, "what has come through here is still a loop");
  const self = await connect();
  await self.send(get({ authority: setting.authority }));
  assertEquals((await self.message()).status, 502, "and so is weir's own listener");
});

proxied("between proxies Via stays, since that is where loops are (via = responses)", async (setting) => {
  const settings = { via: "responses", cacheSize: MIB } as const;
  through(setting, { user: "a:b", settings });
  const { connect, origin, exchanges } = setting;
  const client = await connect();
  await client.send(get({ authority: "a.example" }, "/", "Via: 1.0 before"));
  const upstream = await origin.accept();
  const sent = await upstream.message();
  assertEquals(valuesOf(sent, "via"), [`1.0 before, 1.1 ${PSEUDONYM}`]);
  assertEquals(valuesOf(sent, "proxy-authorization").length, 1);
  await upstream.send(
    OK.replace("\r\n", "\r\nCache-Control: max-age=0, stale-while-revalidate=60\r\nETag: x\r\n"),
  );
  assertEquals((await client.message()).content, "ok");
  await client.send(get({ authority: "a.example" }, "/", "Via: 1.0 before"));
  assertEquals((await client.message()).content, "ok");
  assertEquals(
    valuesOf(await upstream.message(), "via"),
    [`1.0 before, 1.1 ${PSEUDONYM}`],
    "and behind the client's back",
  );
  await upstream.send(OK);
  await exchanges.until(() => exchanges.all.length === 3);

  const tunnel = await connect();
  await tunnel.send("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n");
  const second = await origin.accept();
  assertEquals(/\r\nVia: 1\.1 weir-test\r\n/.test(await second.head()), true);
  second.close();
});

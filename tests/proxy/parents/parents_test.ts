/** Several parents: what is passed over, what comes back, and what nobody gets to see of them. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { formatCombined } from "../../../src/observe/format_combined.ts";
import { formatCommon } from "../../../src/observe/format_common.ts";
import { hopsFormat } from "../../../src/observe/format_hops.ts";
import { formatJson } from "../../../src/observe/format_json.ts";
import { prettyFormat } from "../../../src/observe/format_pretty.ts";
import { formatSquid } from "../../../src/observe/format_squid.ts";
import { proxied, type Setting, SETTINGS } from "../harness.ts";
import { get, OK } from "../round_trip.ts";
import { closedPort, waysOf } from "../through.ts";

const A = { authority: "a.example" };

async function asked({ origin, connect }: Setting, startLine: string): Promise<void> {
  const client = await connect();
  await client.send(get(A));
  const upstream = await origin.accept();
  assertEquals((await upstream.message()).startLine, startLine);
  await upstream.send(OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  assertEquals((await client.message()).content, "ok");
  client.close();
}

proxied("a parent that cannot be reached is passed over, and left alone for a while", async (setting) => {
  const { proxy, origin, exchanges } = setting;
  const dead = `http://ci:s3cret@127.0.0.1:${closedPort()}`;
  proxy.update({ ...SETTINGS, routes: waysOf(dead, `http://${origin.authority}`) });
  await asked(setting, "GET http://a.example/ HTTP/1.1");
  await asked(setting, "GET http://a.example/ HTTP/1.1");
  const [first, second] = [await exchanges.next(), await exchanges.next()];
  assertEquals([first.retries, first.parent], [1, `http://${origin.authority}`]);
  assertEquals([second.retries, second.parent], [0, `http://${origin.authority}`]);
  assertEquals(exchanges.notices.map(({ level }) => level), ["warning"]);
  assertStringIncludes(exchanges.notices[0].message, "is out of service for 1 s and more");
  assert(!exchanges.notices[0].message.includes("s3cret"));
});

proxied("direct is a way as well, at the end or at the beginning", async (setting) => {
  const { proxy, origin, exchanges } = setting;
  proxy.update({ ...SETTINGS, routes: waysOf(`http://127.0.0.1:${closedPort()}`, "direct") });
  const client = await setting.connect();
  await client.send(get(origin));
  const upstream = await origin.accept();
  assertEquals((await upstream.message()).startLine, "GET / HTTP/1.1");
  await upstream.send(OK);
  await client.message();
  const direct = await exchanges.next();
  assertEquals([direct.parent, direct.originAddress, direct.retries], ["", "127.0.0.1", 1]);

  proxy.update({ ...SETTINGS, routes: waysOf("direct", `socks5://${origin.authority}`) });
  await client.send(get({ authority: `127.0.0.1:${closedPort()}` }));
  const parent = await origin.accept();
  assertEquals(await parent.exactly(3), "\x05\x01\x00");
  parent.close();
  assertEquals((await client.message()).status, 502);
});

proxied("what the policy refuses is refused on every way", async (setting) => {
  const { proxy, origin } = setting;
  proxy.update({ ...SETTINGS, routes: waysOf("direct", `http://${origin.authority}`) });
  const client = await setting.connect();
  await client.send(get({ authority: "169.254.169.254" }));
  assertEquals((await client.message()).status, 403);
  await origin.assertNoFurtherConnection();
});

proxied("when all are out, each is tried all the same, and one that answers is back", async (setting) => {
  const { proxy, origin, exchanges } = setting;
  const port = closedPort();
  const authority = `127.0.0.1:${port}`;
  const routes = waysOf(`http://127.0.0.1:${closedPort()}`, `http://${authority}`);
  proxy.update({ ...SETTINGS, routes });
  const client = await setting.connect();
  for (let i = 0; i < 2; i++) {
    await client.send(get(A));
    const answer = await client.message();
    assertEquals(answer.status, 502);
    assertStringIncludes(answer.content, `the parent proxy http://${authority} cannot be reached`);
    assertEquals((await exchanges.next()).retries, 1);
  }
  assertEquals(exchanges.notices.length, 2);
  const again = Deno.listen({ hostname: "127.0.0.1", port });
  await client.send(get(A));
  const upstream = await again.accept();
  await exchanges.until(() => exchanges.notices.length === 3);
  assertEquals(exchanges.notices[2], {
    level: "info",
    message: `the parent proxy http://${authority} can be reached again`,
  });
  upstream.close();
  again.close();
  assertEquals((await client.message()).status, 502);
  assertEquals(origin.accepted, 0);
});

proxied("a parent that says nothing to CONNECT is passed over; nothing was lost by it", async (setting) => {
  const { proxy, origin, another } = setting;
  const other = another();
  proxy.update({ ...SETTINGS, routes: waysOf(`http://${origin.authority}`, `socks5://${other.authority}`) });
  const client = await setting.connect();
  await client.send("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n");
  const first = await origin.accept();
  await first.head();
  first.close();
  const second = await other.accept();
  await second.exactly(3);
  await second.send("\x05\x00");
  await second.exactly(16);
  await second.send("\x05\x00\x00\x01\0\0\0\0\0\0");
  assertEquals((await client.message({ method: "CONNECT" })).status, 200);
  client.close();
  second.close();
  assertEquals((await setting.exchanges.next()).retries, 1);
  // it may have been the destination that it did not like
  assertEquals(setting.exchanges.notices, []);
});

proxied(
  "a parent that closes without an answer to a plain request is passed over for it",
  async (setting) => {
    const { proxy, origin, another, exchanges } = setting;
    const other = another();
    const routes = waysOf(`http://${origin.authority}`, `http://${other.authority}`);
    proxy.update({ ...SETTINGS, routes });
    const client = await setting.connect();
    await client.send(get(A));
    const first = await origin.accept();
    await first.head();
    first.close();
    const second = await other.accept();
    assertEquals((await second.message()).startLine, "GET http://a.example/ HTTP/1.1");
    await second.send(OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    assertEquals((await client.message()).content, "ok");
    const { retries, parent } = await exchanges.next();
    assertEquals([retries, parent], [1, `http://${other.authority}`]);
    // it may have been the request that it did not like
    assertEquals(exchanges.notices, []);

    await client.send(get(A));
    for (const each of [origin, other]) {
      const silent = await each.accept();
      await silent.head();
      silent.close();
    }
    assertEquals((await client.message()).status, 502);
  },
);

proxied("what may not be sent twice goes to no second parent", async (setting) => {
  const { proxy, origin, another } = setting;
  const other = another();
  const routes = waysOf(`http://${origin.authority}`, `http://${other.authority}`);
  proxy.update({ ...SETTINGS, routes });
  const client = await setting.connect();
  await client.send("POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n");
  const first = await origin.accept();
  await first.head();
  first.close();
  assertEquals((await client.message()).status, 502);
  await other.assertNoFurtherConnection();
});

proxied("a parent that refuses is not passed over: another might not know better", async (setting) => {
  const { proxy, origin, another } = setting;
  const other = another();
  proxy.update({ ...SETTINGS, routes: waysOf(`http://${origin.authority}`, `http://${other.authority}`) });
  const client = await setting.connect();
  await client.send("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n");
  const upstream = await origin.accept();
  await upstream.head();
  await upstream.send("HTTP/1.1 403 No\r\n\r\n");
  assertEquals((await client.message()).status, 403);
  await other.assertNoFurtherConnection();
});

const SECRETS = ["s3cret word", "s3cret%20word", btoa("ci:s3cret word"), "s3cret"];
const FORMATS = [
  formatCombined,
  formatCommon,
  hopsFormat(false),
  formatJson,
  prettyFormat(true),
  formatSquid,
];

proxied("no password of a parent in any log, notice or answer, whatever becomes of it", async (setting) => {
  const { proxy, origin, exchanges } = setting;
  const seen: string[] = [];
  exchanges.read = (exchange) => seen.push(...FORMATS.map((format) => format(exchange)));
  const answers = [
    `HTTP/1.1 407 ci:s3cret word\r\nProxy-Authenticate: Basic realm="s3cret word"\r\n\r\n`,
    `HTTP/1.1 403 you said ${btoa("ci:s3cret word")}\r\n\r\n`,
    "HTTP/1.1 500 s3cret%20word\r\n\r\n",
    "garbage",
    "",
    "\x05\xff",
    "\x05\x02",
  ];
  for (const scheme of ["http", "https", "socks5"]) {
    const live = `${scheme}://ci:s3cret%20word@${origin.authority}`;
    const dead = `${scheme}://ci:s3cret%20word@127.0.0.1:${closedPort()}`;
    for (const url of [live, dead]) {
      for (const answer of url === live ? answers : [""]) {
        proxy.update({ ...SETTINGS, routes: waysOf(url) });
        const client = await setting.connect();
        await client.send(
          "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\nAccept: text/html\r\n\r\n",
        );
        if (url === live) {
          const upstream = await origin.accept();
          await upstream.some();
          if (answer !== "") await upstream.send(answer);
          await upstream.closeWrite();
        }
        seen.push(await client.rest());
        client.close();
        await exchanges.next();
      }
    }
  }
  seen.push(...exchanges.notices.map(({ message }) => message));
  assert(seen.length > 100);
  for (const text of seen) {
    for (const secret of SECRETS) assert(!text.includes(secret), text);
  }
});

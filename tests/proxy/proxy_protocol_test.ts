/** Clients behind a balancer that says who they are: from which peers that is believed, and what it changes. */

import { assert, assertEquals } from "@std/assert";
import { formatIp, parseIp } from "../../src/http/ip_address.ts";
import { proxyHeader } from "../../src/net/proxy_protocol.ts";
import { Networks, parseNetworks } from "../../src/policy/network.ts";
import { text } from "../http/reading.ts";
import { proxied, type Setting } from "./harness.ts";
import { policy } from "./policies.ts";
import { ask5, HELLO } from "./socks_words.ts";

const trusting = (...texts: string[]) => ({ trustedProxies: new Networks(texts.flatMap(parseNetworks)) });
const TRUSTING = { settings: trusting("127.0.0.1") };

/** What a balancer sends before the bytes of a client. */
function header(version: 1 | 2, client: string | null, port = 4711): string {
  const end = (address: string, port: number) => ({ ip: parseIp(address)!, port });
  const to = client?.includes(":") ? "2001:db8::9" : "192.0.2.9";
  const addresses = client === null ? null : { source: end(client, port), destination: end(to, 8888) };
  return text(proxyHeader(version, addresses, formatIp));
}

function get({ origin }: Setting): string {
  return `GET ${origin.url}/ HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`;
}

const OPEN = policy({ privateNetworks: "allow" });

for (const version of [1, 2] as const) {
  proxied(`version ${version}: the client is the one that a trusted peer names`, {
    settings: { ...trusting("loopback"), policy: OPEN, forwardedFor: "set" },
  }, async (setting) => {
    for (
      const [said, client] of [
        ["203.0.113.7", "203.0.113.7"],
        ["2001:db8::7", "2001:db8::7"],
        ["::ffff:203.0.113.7", "203.0.113.7"],
      ]
    ) {
      const peer = await setting.connect();
      await peer.send(header(version, said) + get(setting));
      const upstream = await setting.origin.accept();
      const forwarded = (await upstream.message()).fields.find(([name]) => name === "X-Forwarded-For");
      assertEquals(forwarded?.[1], client);
      await upstream.send("HTTP/1.1 204 No Content\r\n\r\n");
      assertEquals((await peer.message()).status, 204);
      upstream.close();
      peer.close();
      const exchange = await setting.exchanges.next();
      assertEquals([exchange.clientAddress, exchange.clientPort, exchange.through], [
        client,
        4711,
        "127.0.0.1",
      ]);
      assertEquals(exchange.listener, setting.authority);
    }
  });

  proxied(`version ${version}: the same at every split, and byte by byte`, {
    settings: { ...trusting("loopback"), policy: OPEN },
  }, async (setting) => {
    setting.origin.answer("HTTP/1.1 204 No Content\r\n\r\n");
    const head = header(version, "203.0.113.7");
    const message = head + get(setting);
    const ways = [[...message]];
    for (let cut = 1; cut < head.length + 3; cut++) ways.push([message.slice(0, cut), message.slice(cut)]);
    for (const pieces of ways) {
      const peer = await setting.connect();
      await peer.sendInPieces(pieces);
      assertEquals((await peer.message()).status, 204);
      assertEquals((await setting.exchanges.next()).clientAddress, "203.0.113.7");
      peer.close();
    }
  });

  proxied(
    `version ${version}: a peer that speaks for nobody is the client itself`,
    TRUSTING,
    async (setting) => {
      setting.origin.answer("HTTP/1.1 204 No Content\r\n\r\n");
      const peer = await setting.connect();
      await peer.send(header(version, null) + get(setting));
      assertEquals((await peer.message()).status, 204);
      const exchange = await setting.exchanges.next();
      assertEquals([exchange.clientAddress, exchange.through], ["127.0.0.1", ""]);
    },
  );

  proxied(`version ${version}: a header from anybody else is no request`, {
    settings: trusting("192.0.2.0/24", "::1"),
  }, async (setting) => {
    const peer = await setting.connect();
    await peer.send(header(version, "203.0.113.7") + get(setting));
    assertEquals((await peer.message()).status, 400);
    assertEquals((await setting.exchanges.next()).clientAddress, "127.0.0.1");
    await setting.origin.assertNoFurtherConnection();
  });
}

proxied("the policy judges the client that is named, and reaches for it nothing more private than it is", {
  settings: trusting("loopback"),
}, async (setting) => {
  const peer = await setting.connect();
  await peer.send(header(2, "203.0.113.7") + get(setting));
  assertEquals((await peer.message()).status, 403);
  const { rule, reason } = await setting.exchanges.next();
  assertEquals([rule, reason.includes("203.0.113.7")], ["private networks", true]);
  await setting.origin.assertNoFurtherConnection();
});

proxied("a rule for clients sees the one that is named", {
  settings: {
    ...trusting("loopback"),
    policy: policy({ privateNetworks: "allow", clients: parseNetworks("203.0.113.0/24") }),
  },
}, async (setting) => {
  setting.origin.answer("HTTP/1.1 204 No Content\r\n\r\n");
  for (const [client, status] of [["203.0.113.7", 204], ["198.51.100.7", 403], [null, 403]] as const) {
    const peer = await setting.connect();
    await peer.send(header(1, client) + get(setting));
    assertEquals((await peer.message()).status, status);
    peer.close();
  }
});

proxied("limits of connections count the client that is named", {
  settings: { ...trusting("loopback"), policy: OPEN, maxConnectionsPerClient: 1 },
}, async (setting) => {
  const first = await setting.connect();
  await first.send(header(1, "203.0.113.7") + get(setting));
  const upstream = await setting.origin.accept();
  await upstream.message();
  const other = await setting.connect();
  await other.send(header(1, "203.0.113.8") + get(setting));
  const another = await setting.origin.accept();
  await another.message();
  await another.send("HTTP/1.1 204 No Content\r\n\r\n");
  assertEquals((await other.message()).status, 204);
  const second = await setting.connect();
  await second.send(header(1, "203.0.113.7") + get(setting));
  assertEquals((await second.message()).status, 503);
  assertEquals(await second.rest(), "");
  await upstream.send("HTTP/1.1 204 No Content\r\n\r\n");
  assertEquals((await first.message()).status, 204);
});

proxied("SOCKS comes behind a header as anything else does", {
  settings: { ...trusting("loopback"), policy: OPEN },
}, async (setting) => {
  const peer = await setting.connect();
  await peer.send(header(2, "203.0.113.7") + HELLO + ask5(setting.origin.authority) + "first");
  assertEquals((await peer.exactly(2 + 10)).slice(2, 4), "\x05\x02");
  const { rule, protocol, clientAddress } = await setting.exchanges.next();
  assertEquals([rule, protocol, clientAddress], ["connect ports", "socks5", "203.0.113.7"]);
});

proxied("a long header takes nothing from the room of what follows", {
  settings: { ...trusting("loopback"), policy: OPEN },
}, async (setting) => {
  setting.origin.answer("HTTP/1.1 204 No Content\r\n\r\n");
  const plain = header(2, "203.0.113.7");
  const length = 12 + 3 + 2000;
  const long = plain.slice(0, 14) + String.fromCharCode(length >> 8, length & 0xff) + plain.slice(16) +
    "\x04\x07\xd0" + "x".repeat(2000);
  const request = get(setting).replace("\r\n\r\n", `\r\nX-Long: ${"y".repeat(3000)}\r\n\r\n`);
  for (
    const pieces of [[long + request], [long, request], [long.slice(0, 1990), long.slice(1990) + request]]
  ) {
    const peer = await setting.connect();
    await peer.sendInPieces(pieces);
    assertEquals((await peer.message()).status, 204);
    peer.close();
  }
});

for (
  const [name, said] of [
    ["a request without a header", "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"],
    ["SOCKS without a header", "\x05\x01\0"],
    ["a family that is not that of the addresses", "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"],
    ["a line that never ends", "PROXY UNKNOWN " + "x".repeat(200)],
    ["a length that is beyond all use", header(2, "203.0.113.7").slice(0, 14) + "\xff\xff"],
    ["a header that is cut off", ""],
  ] as const
) {
  proxied(
    `${name} from a trusted peer ends the connection, with a word to the operator`,
    TRUSTING,
    async (setting) => {
      const peer = await setting.connect();
      await peer.send(said === "" ? "PROXY TCP4 192.0.2" : said);
      if (said === "") await peer.closeWrite();
      assertEquals(await peer.rest(), "");
      await setting.exchanges.until(() => setting.exchanges.notices.length > 0);
      const [{ level, message }] = setting.exchanges.notices;
      assertEquals(level, "warning");
      assert(
        message.startsWith("127.0.0.1 is a trusted proxy and has to begin with the PROXY protocol"),
        message,
      );
      assertEquals(setting.exchanges.all, []);
    },
  );
}

proxied(
  "a header has the time of a head",
  { settings: { ...trusting("loopback"), headTimeout: 1 } },
  async (setting) => {
    const peer = await setting.connect();
    await peer.send("PROXY ");
    assertEquals(await peer.rest(), "");
    await setting.exchanges.until(() => setting.exchanges.notices.length > 0);
    assert(setting.exchanges.notices[0].message.includes("no PROXY protocol header in time"));
  },
);

proxied("a peer that connects and goes, as checks do, is nothing to tell of", TRUSTING, async (setting) => {
  const peer = await setting.connect();
  await peer.closeWrite();
  assertEquals(await peer.rest(), "");
  assertEquals([setting.exchanges.all, setting.exchanges.notices], [[], []]);
});

proxied("connections that have not said whose they are count, and end with the proxy", {
  settings: { ...trusting("loopback"), maxConnections: 1 },
}, async (setting) => {
  const first = await setting.connect();
  await first.send("PROXY ");
  const second = await setting.connect();
  assertEquals((await second.message()).status, 503);
  await setting.proxy.drain();
  assertEquals(await first.rest(), "");
});

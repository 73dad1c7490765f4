/** Requests that would come back to weir are refused (http-rules §4). */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { proxied, PSEUDONYM, type Setting, SETTINGS, withProxy } from "./harness.ts";
import { valuesOf } from "./peer.ts";
import { get, OK, roundTrip } from "./round_trip.ts";

async function assertLoop({ connect, exchanges, addresses }: Setting, message: string): Promise<void> {
  const to = addresses[0].hostname === "::" ? { ...addresses[0], hostname: "127.0.0.1" } : addresses[0];
  const client = await connect({ to });
  await client.send(message);
  const answer = await client.message();
  assertEquals(answer.status, 502);
  assertStringIncludes(valuesOf(answer, "proxy-status")[0], "error=proxy_loop_detected");
  assertEquals((await exchanges.next()).error, "proxy_loop_detected");
  assertEquals(exchanges.all.length, 1, "it has not come back");
}

for (
  const via of [
    `Via: 1.1 ${PSEUDONYM}`,
    `Via: 1.0 ${PSEUDONYM}`,
    `Via: HTTP/1.1 ${PSEUDONYM}`,
    `via:1.1\t${PSEUDONYM}`,
    `Via: 1.1 other, 1.1 ${PSEUDONYM} (a comment)`,
    `Via: 1.1 ${PSEUDONYM},1.1 other`,
    `Via: 1.1 other\r\nVia: 1.1 ${PSEUDONYM}`,
  ]
) {
  proxied(`${JSON.stringify(via)} is a loop (RFC 9110 §7.6.3)`, async (setting) => {
    await assertLoop(setting, get(setting.origin, "/", via));
    await setting.origin.assertNoFurtherConnection();
  });

  proxied(`CONNECT with ${JSON.stringify(via)} is a loop (RFC 9110 §7.6.3)`, async (setting) => {
    const { authority } = setting.origin;
    await assertLoop(setting, `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${via}\r\n\r\n`);
    await setting.origin.assertNoFurtherConnection();
  });
}

for (
  const via of ["Via: 1.1 weir", `Via: 1.1 ${PSEUDONYM}2`, `Via: 1.1 x${PSEUDONYM}`, `Via: ${PSEUDONYM} 1.1`]
) {
  proxied(`${via} is no loop (RFC 9110 §7.6.3)`, async (setting) => {
    const { got } = await roundTrip(setting, get(setting.origin, "/", via));
    assertEquals(got.status, 200);
  });
}

proxied("two chained proxies are no loop (RFC 9110 §7.6.3)", async (setting) => {
  const settings = { ...SETTINGS, pseudonym: "weir-second" };
  await withProxy({ settings }, async (second) => {
    // the first asks the second as an origin, in origin form, so a request in absolute form is made by hand
    const client = await second.connect();
    await client.send(get(setting.origin, "/", `Via: 1.1 ${PSEUDONYM}`));
    const upstream = await setting.origin.accept();
    assertEquals(valuesOf(await upstream.message(), "via"), [`1.1 ${PSEUDONYM}`, "1.1 weir-second"]);
    await upstream.send(OK);
    assertEquals((await client.message()).status, 200);
  });
});

/** Where weir listens, and by which hosts it is reached there. */
const LISTENERS: [hostname: string, hosts: string[]][] = [
  ["127.0.0.1", [
    "127.0.0.1",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
  ]],
  ["::1", ["[::1]", "[0:0:0:0:0:0:0:1]"]],
  ["0.0.0.0", ["127.0.0.1", "127.0.0.2", "[::ffff:127.0.0.1]"]],
  ["::", ["127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]"]],
];
for (const [hostname, hosts] of LISTENERS) {
  for (const host of hosts) {
    for (const method of ["GET", "CONNECT"]) {
      proxied(
        `${method} to ${host} is a loop for a listener on ${hostname} (http-rules §4)`,
        { listen: [{ hostname, port: 0 }] },
        async (setting) => {
          const authority = `${host}:${setting.addresses[0].port}`;
          const target = method === "GET" ? `http://${authority}/` : authority;
          await assertLoop(setting, `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
        },
      );
    }
  }
}

for (const host of ["localhost", "LOCALHOST.", "weir.example"]) {
  proxied(
    `a name that leads to weir alone (${host}) is a loop (http-rules §4)`,
    { resolver: { lookup: () => Promise.resolve(["127.0.0.1", "::ffff:127.0.0.1"]) } },
    (setting) =>
      assertLoop(setting, `GET http://${host}:${setting.addresses[0].port}/ HTTP/1.1\r\nHost: a\r\n\r\n`),
  );
}

proxied(
  "of a name's addresses those that lead to weir are left out (http-rules §4)",
  { resolver: { lookup: () => Promise.resolve(["127.0.0.1", "127.0.0.2"]) } },
  async ({ connect, addresses, exchanges }) => {
    const neighbour = Deno.listen({ hostname: "127.0.0.2", port: addresses[0].port });
    const client = await connect();
    await client.send(`CONNECT weir.example:${addresses[0].port} HTTP/1.1\r\nHost: a\r\n\r\n`);
    (await neighbour.accept()).close();
    neighbour.close();
    assertEquals((await client.head()).slice(0, 12), "HTTP/1.1 200");
    client.close();
    assertEquals((await exchanges.next()).originAddress, "127.0.0.2");
  },
);

proxied(
  "any of several listeners is a loop (http-rules §4)",
  { listen: [{ hostname: "127.0.0.1", port: 0 }, { hostname: "127.0.0.1", port: 0 }] },
  (setting) =>
    assertLoop(setting, `GET http://127.0.0.1:${setting.addresses[1].port}/ HTTP/1.1\r\nHost: a\r\n\r\n`),
);

proxied(
  "a neighbour on weir's port is no loop (http-rules §4)",
  async ({ connect, addresses, exchanges }) => {
    const client = await connect();
    await client.send(`GET http://127.0.0.2:${addresses[0].port}/ HTTP/1.1\r\nHost: a\r\n\r\n`);
    assertEquals((await client.message()).status, 502);
    assertEquals((await exchanges.next()).error, "connection_refused");
  },
);

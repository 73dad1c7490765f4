/** Max-Forwards, TRACE, and what is asked of weir itself (http-rules §2, §4). */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseNetworks } from "../../src/policy/network.ts";
import { proxied, PSEUDONYM } from "./harness.ts";
import { valuesOf } from "./peer.ts";
import { policy, SeenFrom } from "./policies.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";

/** What came and what goes on. */
const COUNTED: [came: string, goes: string][] = [
  ["1", "0"],
  ["10", "9"],
  ["007", "6"],
  ["100000000000000000000000", "99999999999999999999999"],
];
for (const method of ["TRACE", "OPTIONS"]) {
  for (const [came, goes] of COUNTED) {
    proxied(
      `${method} with Max-Forwards: ${came} goes on with ${goes} (RFC 9110 §7.6.2)`,
      async (setting) => {
        const { sent, got } = await roundTrip(
          setting,
          request(setting.origin, method, "/a", `max-forwards: ${came}`),
        );
        assertEquals(sent.startLine, `${method} /a HTTP/1.1`);
        assertEquals(valuesOf(sent, "max-forwards"), [goes]);
        assertEquals(got.content, "ok");
      },
    );
  }

  for (const bad of ["", "-1", "+1", "1.5", "x", "1, 2", "0x1"]) {
    proxied(`${method} with Max-Forwards: ${JSON.stringify(bad)}: 400 (RFC 9110 §7.6.2)`, async (setting) => {
      const { connect, origin } = setting;
      const client = await connect();
      await client.send(request(origin, method, "/", `Max-Forwards: ${bad}`));
      assertEquals((await client.message()).status, 400);
      await origin.assertNoFurtherConnection();
    });
  }

  proxied(`${method} with Max-Forwards twice: 400 (RFC 9110 §7.6.2)`, async ({ connect, origin }) => {
    const client = await connect();
    await client.send(request(origin, method, "/", "Max-Forwards: 1", "Max-Forwards: 1"));
    assertEquals((await client.message()).status, 400);
    await origin.assertNoFurtherConnection();
  });

  proxied(`${method} without Max-Forwards goes on without (RFC 9110 §7.6.2)`, async (setting) => {
    const { sent } = await roundTrip(setting, request(setting.origin, method, "/"));
    assertEquals(valuesOf(sent, "max-forwards"), []);
  });
}

for (const value of ["0", "5", "x"]) {
  proxied(`Max-Forwards: ${value} has no say in a GET (RFC 9110 §7.6.2)`, async (setting) => {
    const { sent } = await roundTrip(setting, get(setting.origin, "/", `Max-Forwards: ${value}`));
    assertEquals(valuesOf(sent, "max-forwards"), [value]);
  });
}

for (const zero of ["0", "000"]) {
  proxied(`TRACE with Max-Forwards: ${zero} comes back from here (RFC 9110 §9.3.8)`, async (setting) => {
    const { connect, origin, exchanges } = setting;
    const client = await connect();
    const lines = ["X-Odd: \xe9\xff", "Accept: text/html", `Max-Forwards: ${zero}`];
    const secrets = ["Authorization: Basic eDp5", "Cookie: a=b", "proxy-authorization: Basic eDp5"];
    await client.send(request(origin, "TRACE", "/a?b", ...secrets, ...lines));
    const answer = await client.message();
    assertEquals([answer.status, valuesOf(answer, "content-type")], [200, ["message/http"]]);
    const sent = `TRACE ${origin.url}/a?b HTTP/1.1\r\nHost: ${origin.authority}\r\n${
      lines.join("\r\n")
    }\r\n\r\n`;
    assertEquals(answer.content, sent, "as it came, but for credentials");
    const exchange = await exchanges.next();
    assertEquals([exchange.kind, exchange.ownAnswer, exchange.status], ["own", true, 200]);
    await origin.assertNoFurtherConnection();
    // the connection goes on
    const { got } = await roundTrip(setting, get(origin), OK, { client });
    assertEquals(got.content, "ok");
  });
}

proxied("OPTIONS with Max-Forwards: 0 is answered here (RFC 9110 §9.3.7)", async ({ connect, origin }) => {
  const client = await connect();
  await client.send(request(origin, "OPTIONS", "", "Max-Forwards: 0"));
  const answer = await client.message();
  assertEquals([answer.status, answer.content], [200, ""]);
  assertMatch(valuesOf(answer, "allow")[0], /\bCONNECT\b/);
  await origin.assertNoFurtherConnection();
});

proxied(
  "OPTIONS * is for weir itself (RFC 9110 §9.3.7)",
  async ({ connect, exchanges, origin, authority }) => {
    const client = await connect();
    await client.send(`OPTIONS * HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    const answer = await client.message();
    assertEquals([answer.status, answer.content], [200, ""]);
    const exchange = await exchanges.next();
    assertEquals([exchange.kind, exchange.target, exchange.method], ["own", "*", "OPTIONS"]);
    await origin.assertNoFurtherConnection();
  },
);

proxied("a TRACE that goes on carries what it came with (RFC 9110 §9.3.8)", async (setting) => {
  const { sent } = await roundTrip(setting, request(setting.origin, "TRACE", "/", "A: b", "Max-Forwards: 3"));
  assertEquals(sent.fields.map(([name]) => name), ["Host", "A", "Via", "Max-Forwards"]);
  assertStringIncludes(sent.head, `Via: 1.1 ${PSEUDONYM}\r\n`);
});

proxied("a TRACE answered here with a body unread closes (http-rules §5)", async ({ connect, origin }) => {
  const client = await connect();
  await client.send(request(origin, "TRACE", "/", "Max-Forwards: 0", "Content-Length: 5") + "hello");
  const answer = await client.message();
  assertEquals([answer.status, valuesOf(answer, "connection")], [200, ["close"]]);
  assertEquals(await client.rest(), "");
});

for (
  const [what, message] of [
    ["TRACE with Max-Forwards: 0", request({ authority: "a.example" }, "TRACE", "/", "Max-Forwards: 0")],
    [
      "OPTIONS with Max-Forwards: 0",
      "OPTIONS http://a.example HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n",
    ],
    ["OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"],
  ]
) {
  proxied(
    `${what} is answered to clients of the policy alone (http-rules §7)`,
    { settings: { policy: new SeenFrom(policy({ clients: parseNetworks("10.0.0.0/8") }), "192.0.2.1") } },
    async ({ connect, exchanges }) => {
      const client = await connect();
      await client.send(message);
      assertEquals((await client.message()).status, 403);
      assertEquals((await exchanges.next()).rule, "clients");
    },
  );
}

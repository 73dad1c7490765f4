/** What a parent says of weir or itself, and not of the resource, leaves what is stored as it is. */

import { assertEquals, assertMatch } from "@std/assert";
import { cached, hit, MIB, miss, response, statusOf, turns } from "./cached.ts";
import type { Setting } from "./harness.ts";
import { get } from "./round_trip.ts";
import { through } from "./through.ts";

const A = { authority: "a.example" };
const WHILE = 'Cache-Control: max-age=0, stale-while-revalidate=60\r\nETag: "a"\r\n';
const STALE = 'Cache-Control: max-age=0\r\nETag: "a"\r\n';

function parented(setting: Setting): void {
  through(setting, { settings: { cacheSize: MIB } });
}

const ANSWERS: [status: string, fields: string][] = [
  ["407 Who are you", 'Proxy-Authenticate: Basic realm="parent"\r\n'],
  ["403 Forbidden", "Proxy-Status: parent; error=http_request_denied\r\n"],
  ["404 Not Found", 'Proxy-Status: cdn; details="x, y", parent ; error=dns_error\r\n'],
  ["403 Forbidden", "X-Squid-Error: ERR_ACCESS_DENIED 0\r\n"],
  ["502 Bad Gateway", "Proxy-Status: parent; error=connection_refused\r\n"],
  ["503 Service Unavailable", "X-Squid-Error: ERR_DNS_FAIL 0\r\n"],
  ["504 Gateway Timeout", ""],
  ["429 Too Many Requests", ""],
  ["401 Unauthorized", ""],
];

for (const [status, fields] of ANSWERS) {
  cached(
    `behind the client's back a parent's ${status} (${fields.trim()}) changes nothing`,
    async (setting) => {
      parented(setting);
      const { origin: parent, exchanges } = setting;
      const client = await setting.connect();
      const { upstream } = await miss(setting, client, get(A), response(WHILE));
      assertEquals((await hit(client, get(A))).content, "hello");
      await upstream.message();
      await upstream.send(response(`${fields}Connection: close\r\n`, "no", status));
      upstream.close();
      await exchanges.until(() => exchanges.all.length === 3);
      // and it is not tried again at once
      for (let ask = 0; ask < 2; ask++) {
        const again = await hit(client, get(A));
        assertEquals([again.status, again.content], [200, "hello"]);
      }
      await turns();
      await parent.assertNoFurtherConnection();
    },
  );
}

cached("a resource that is gone is gone behind the client's back too", async (setting) => {
  parented(setting);
  const client = await setting.connect();
  const { upstream } = await miss(setting, client, get(A), response(WHILE));
  await hit(client, get(A));
  await upstream.message();
  await upstream.send(
    response("Proxy-Status: cdn; error=http_protocol_error, parent\r\n", "no", "403 Forbidden"),
  );
  await setting.exchanges.until(() => setting.exchanges.all.length === 3);
  const { got } = await miss(setting, client, get(A), response("", "no", "403 Forbidden"), upstream);
  assertEquals(got.status, 403);
});

for (const [status, fields] of ANSWERS.slice(0, 6)) {
  cached(`a parent's ${status} (${fields.trim()}) to a validation changes nothing`, async (setting) => {
    parented(setting);
    const client = await setting.connect();
    const first = await miss(setting, client, get(A), response(STALE));
    const { got } = await miss(
      setting,
      client,
      get(A),
      response(fields, "no", status),
      first.upstream,
    );
    // one that was not reached is answered for, a refusal is passed on
    const stale = status.startsWith("5") || status.startsWith("407");
    assertEquals([got.status, got.content], stale ? [200, "hello"] : [Number(status.slice(0, 3)), "no"]);
    if (!stale) assertMatch(statusOf(got), /detail=parent$/);
    assertEquals(setting.proxy.cache!.count, 1);
  });
}

cached("what a parent has made itself is not stored, and makes nothing invalid", async (setting) => {
  parented(setting);
  const client = await setting.connect();
  const own = "Proxy-Status: parent; error=proxy_internal_response\r\nCache-Control: max-age=60\r\n";
  const { upstream } = await miss(setting, client, get(A), response(own, "own"));
  assertEquals(setting.proxy.cache!.count, 0);
  await miss(setting, client, get(A), response("Cache-Control: max-age=60\r\n"), upstream);
  const post = "POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n";
  await client.send(post);
  // one that may not be repeated is not sent on a connection that was kept
  const another = await setting.origin.accept();
  await another.message();
  await another.send(response(own, "own", "302 Found"));
  assertEquals((await client.message()).status, 302);
  assertEquals((await hit(client, get(A))).content, "hello");
});

cached("an origin that speaks so of itself is believed where no parent is asked", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const first = await miss(setting, client, get(origin), response(STALE));
  const fields = "Proxy-Status: cdn; error=http_request_denied\r\n";
  await miss(setting, client, get(origin), response(fields, "no", "403 Forbidden"), first.upstream);
  assertEquals(setting.proxy.cache!.count, 0);
});

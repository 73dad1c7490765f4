/** A 407 that is not weir's own: an origin is no proxy that a client could log in to (RFC 9110 §15.5.8). */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { cached, FRESH, response } from "./cached.ts";
import { gateway } from "./gateways.ts";
import { proxied, type Setting } from "./harness.ts";
import { valuesOf } from "./peer.ts";
import { get, request, roundTrip } from "./round_trip.ts";

const ASKS = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=evil\r\n" +
  "Authentication-Info: a\r\nContent-Length: 2\r\n\r\nno";

const MESSAGES: Record<string, (setting: Setting) => string> = {
  "a GET": ({ origin }) => get(origin),
  "a POST": ({ origin }) => request(origin, "POST", "/", "Content-Length: 2") + "hi",
  "an upgrade": ({ origin }) => get(origin, "/", "Connection: upgrade", "Upgrade: x"),
};
for (const [what, message] of Object.entries(MESSAGES)) {
  proxied(`an origin's 407 to ${what} is its fault, and no challenge to the client`, async (setting) => {
    const { upstream, got } = await roundTrip(setting, message(setting), ASKS);
    assertEquals([got.status, valuesOf(got, "proxy-authenticate")], [502, []]);
    assertMatch(valuesOf(got, "proxy-status")[0], /error=http_protocol_error/);
    assertStringIncludes(got.content, `${setting.origin.authority} answered 407`);
    assertEquals(await upstream.rest(), "");
    const { status, originStatus, error } = await setting.exchanges.next();
    assertEquals([status, originStatus, error], [502, 407, "http_protocol_error"]);
  });
}

gateway("nor to a gateway's", async ({ origin, ask }) => {
  const answered = (async () => {
    const upstream = await origin.accept();
    await upstream.message();
    await upstream.send(ASKS);
  })();
  const answer = await ask(`/${origin.authority}/`);
  await answered;
  assertEquals([answer.status, valuesOf(answer, "www-authenticate")], [502, []]);
});

cached("an origin's 407 behind the client's back leaves what is stored", async (setting) => {
  const { origin, exchanges } = setting;
  const stale = response('Cache-Control: max-age=0, stale-while-revalidate=60\r\nETag: "a"\r\n');
  const { client, upstream } = await roundTrip(setting, get(origin), stale);
  await client.send(get(origin));
  assertEquals((await client.message()).content, "hello");
  await upstream.message();
  await upstream.send(ASKS.replace("\r\n", `\r\n${FRESH}`));
  await exchanges.until(() => exchanges.all.length === 3);
  await client.send(get(origin));
  assertEquals((await client.message()).content, "hello");
});

/** Names that a parent would complete. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { proxied, SETTINGS } from "../harness.ts";
import { policy } from "../policies.ts";
import { get, OK } from "../round_trip.ts";
import { waysOf } from "../through.ts";

for (const scheme of ["http", "socks5"]) {
  proxied(`a parent by ${scheme} is not asked for a word that no rule allows by name`, async (setting) => {
    const { proxy, origin, connect, exchanges } = setting;
    const rules = [{ action: "deny" as const, hosts: "evil.corp.test" }, { hosts: "wiki" }, { hosts: "*" }];
    proxy.update({
      ...SETTINGS,
      routes: waysOf(`${scheme}://${origin.authority}`),
      policy: policy({ rules }),
    });
    for (const ask of [get({ authority: "evil" }), "CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n"]) {
      const client = await connect();
      await client.send(ask);
      const { status, startLine } = await client.message();
      assertEquals(status, 502);
      assertStringIncludes(startLine, "names are not completed here");
      assertEquals((await exchanges.next()).error, "dns_error");
    }
    await origin.assertNoFurtherConnection();
  });
}

proxied("a parent is asked for a word that a rule allows, and for a name with a dot", async (setting) => {
  const { proxy, origin, connect } = setting;
  proxy.update({
    ...SETTINGS,
    routes: waysOf(`http://${origin.authority}`),
    policy: policy({ rules: [{ hosts: "wiki a.example" }] }),
  });
  for (const host of ["wiki", "a.example"]) {
    const client = await connect();
    await client.send(get({ authority: host }));
    const upstream = await origin.accept();
    assertEquals((await upstream.message()).startLine, `GET http://${host}/ HTTP/1.1`);
    await upstream.send(OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    assertEquals((await client.message()).content, "ok");
  }
});

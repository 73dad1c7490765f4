/** The corpus of disguises over sockets: no way in takes a target for anything but what it is. */

import { assert, assertEquals } from "@std/assert";
import { type Address, DISGUISES, type Name } from "../policy/disguises.ts";
import { text } from "../http/reading.ts";
import { proxied, type Setting, type SettingOptions } from "./harness.ts";
import { Names, policy, SeenFrom } from "./policies.ts";
import { type Way, WAYS } from "./ways.ts";

/** Every way in, and the one that asks for TLS. */
const ALL_WAYS: Record<Way | "a request for https", (authority: string) => string> = {
  ...WAYS,
  "a request for https": (authority) => `GET https://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n\r\n`,
};

/** A resolver that leads every name of the corpus to this machine, and writes down who was asked for. */
const names = new Names(Object.fromEntries(
  DISGUISES.flatMap(({ becomes }) =>
    typeof becomes === "object" && "name" in becomes ? [[becomes.name, ["127.0.0.1"]]] : []
  ),
));

function eachWay(
  name: string,
  settings: SettingOptions["settings"],
  run: (setting: Setting, ask: (target: string) => Promise<number>) => Promise<void>,
): void {
  for (const [way, write] of Object.entries(ALL_WAYS)) {
    proxied(`${way}: ${name}`, { settings, resolver: names.resolver }, async (setting) => {
      names.asked.length = 0;
      await run(setting, async (target) => {
        const client = await setting.connect();
        // on the wire a target is UTF-8; Host says something harmless, which nobody may go by
        const message = write(text(new TextEncoder().encode(target)));
        await client.send(message.replace(/Host: .*\r\n/, "Host: harmless.example\r\n"));
        const { status } = await client.message();
        client.close();
        return status;
      });
      await setting.origin.assertNoFurtherConnection();
      assertEquals(setting.exchanges.all.every(({ originStatus }) => originStatus === 0), true);
    });
  }
}

eachWay("what programs read differently is refused, and nobody is asked about it", {
  policy: policy(),
}, async ({ exchanges }, ask) => {
  for (const { target, becomes } of DISGUISES) {
    if (becomes !== "refused") continue;
    assertEquals(await ask(target), 400, JSON.stringify(target));
    const { verdict, host } = await exchanges.next();
    assertEquals([verdict, host], ["none", ""], JSON.stringify(target));
  }
  assertEquals(names.asked, []);
});

const everyPort = [{ first: 1, last: 65535 }];

eachWay("an address is judged as the address that it is, however it is written", {
  policy: new SeenFrom(policy({ connectPorts: everyPort }), "9.9.9.9"),
}, async ({ exchanges }, ask) => {
  for (const { target, becomes } of DISGUISES) {
    if (becomes === "refused" || !("address" in becomes) || becomes.scope === "public") continue;
    const { address, scope }: Address = becomes;
    assertEquals(await ask(target), 403, target);
    const { host, rule } = await exchanges.next();
    const station = scope === "private" || scope === "loopback" ? "private networks" : `${scope} addresses`;
    assertEquals([host, rule], [address, station], target);
  }
  assertEquals(names.asked, []);
});

eachWay("a rule sees a public address however it is written", {
  policy: new SeenFrom(
    policy({ rules: [{ name: "dns", action: "deny", hosts: "8.8.8.8" }] }),
    "9.9.9.9",
  ),
}, async ({ exchanges }, ask) => {
  for (const { target, becomes } of DISGUISES) {
    if (becomes === "refused" || !("address" in becomes) || becomes.scope !== "public") continue;
    assertEquals(await ask(target), 403, target);
    assertEquals((await exchanges.next()).rule, "dns", target);
  }
});

eachWay("not even this machine reaches a metadata or reserved address", {
  policy: policy(),
}, async ({ exchanges }, ask) => {
  for (const { target, becomes } of DISGUISES) {
    if (becomes === "refused" || !("address" in becomes)) continue;
    if (becomes.scope !== "metadata" && becomes.scope !== "reserved") continue;
    assertEquals(await ask(target), 403, target);
    assertEquals((await exchanges.next()).rule, `${becomes.scope} addresses`, target);
  }
});

const hosts = [...new Set(Object.keys(names.addresses))].join(" ");

eachWay("a name is asked for and judged in its one form, and by its address", {
  policy: new SeenFrom(policy({ connectPorts: everyPort, rules: [{ hosts }] }), "9.9.9.9"),
}, async ({ exchanges }, ask) => {
  for (const { target, becomes } of DISGUISES) {
    if (becomes === "refused" || !("name" in becomes)) continue;
    const { name }: Name = becomes;
    names.asked.length = 0;
    assertEquals(await ask(target), 403, target);
    const { host, rule, reason } = await exchanges.next();
    assertEquals([host, rule], [name, "private networks"], target);
    assert(reason.includes("127.0.0.1") || reason.includes("::1"), reason);
    // what is this machine by its name, no name server is asked about
    assertEquals(names.asked, /(^|\.)localhost$/.test(name) ? [] : [name], target);
  }
});

eachWay("a rule for one name is for no other that looks like it", {
  policy: policy({ rules: [{ hosts: "other.example" }] }),
}, async ({ exchanges }, ask) => {
  for (const { target, becomes } of DISGUISES) {
    if (becomes === "refused" || !("name" in becomes)) continue;
    assertEquals(await ask(target), 403, target);
    assertEquals((await exchanges.next()).rule, "default", target);
  }
  assertEquals(names.asked, []);
});

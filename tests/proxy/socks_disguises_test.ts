/** The corpus of disguises through SOCKS: a host by its name is taken for nothing but what it is, as in a request. */

import { assert, assertEquals } from "@std/assert";
import { parseIp } from "../../src/http/ip_address.ts";
import { type Address, DISGUISES, type Name } from "../policy/disguises.ts";
import { text } from "../http/reading.ts";
import { proxied, type Setting, type SettingOptions } from "./harness.ts";
import { Names, policy, SeenFrom } from "./policies.ts";
import { ask4, ask5, ask5Named, HELLO } from "./socks_words.ts";

/** Each way asks for `host:port` as a name, and reads the code of the reply. */
const WAYS: Record<string, (setting: Setting, target: string) => Promise<number>> = {
  async "SOCKS 5"(setting, target) {
    const client = await setting.connect();
    await client.send(HELLO + ask5Named(target));
    const answer = await client.exactly(2 + 4);
    client.close();
    return answer.charCodeAt(3);
  },
  async "SOCKS 4a"(setting, target) {
    const client = await setting.connect();
    // a plain address is asked for as such, which is the test of SOCKS 4
    await client.send(ask4(target));
    const answer = await client.exactly(2);
    client.close();
    return answer.charCodeAt(1) === 91 ? -1 : 0;
  },
};

/** Those that SOCKS can ask for: there a port is a number, and a name has a letter, no zero, and 255 bytes. */
const ASKABLE = DISGUISES.flatMap(({ target, becomes }) => {
  const sent = text(new TextEncoder().encode(target));
  const port = /:([1-9][0-9]{0,4})$/.exec(sent)?.[1];
  const name = sent.slice(0, sent.lastIndexOf(":"));
  // with its port apart, an address of IPv6 needs no brackets to be told from it
  const needsBrackets = parseIp(name)?.family === 6;
  const askable = Number(port) <= 65535 && name !== "" && name.length < 256 && !name.includes("\0") &&
    !needsBrackets;
  return askable ? [{ target: sent, becomes }] : [];
});

const names = new Names(Object.fromEntries(
  DISGUISES.flatMap(({ becomes }) =>
    typeof becomes === "object" && "name" in becomes ? [[becomes.name, ["127.0.0.1"]]] : []
  ),
));

function eachWay(
  name: string,
  settings: SettingOptions["settings"],
  run: (setting: Setting, refused: (target: string, code: number) => Promise<void>) => Promise<void>,
): void {
  for (const [way, ask] of Object.entries(WAYS)) {
    proxied(`${way}: ${name}`, { settings, resolver: names.resolver }, async (setting) => {
      names.asked.length = 0;
      await run(setting, async (target, code) => {
        const answer = await ask(setting, target);
        assertEquals(answer, way === "SOCKS 5" ? code : -1, JSON.stringify(target));
      });
      await setting.origin.assertNoFurtherConnection();
    });
  }
}

Deno.test("most of the corpus can be asked for", () => {
  assert(ASKABLE.length > DISGUISES.length * 0.8, `${ASKABLE.length} of ${DISGUISES.length}`);
});

const GENERAL = 1;
const NOT_ALLOWED = 2;
const everyPort = [{ first: 1, last: 65535 }];

eachWay("what programs read differently is refused, and nobody is asked about it", {
  policy: policy(),
}, async ({ exchanges }, refused) => {
  for (const { target, becomes } of ASKABLE) {
    if (becomes !== "refused") continue;
    await refused(target, GENERAL);
    const { verdict, host } = await exchanges.next();
    assertEquals([verdict, host], ["none", ""], JSON.stringify(target));
  }
  assertEquals(names.asked, []);
});

eachWay("an address is judged as the address that it is, however it is written", {
  policy: new SeenFrom(policy({ connectPorts: everyPort }), "9.9.9.9"),
}, async ({ exchanges }, refused) => {
  for (const { target, becomes } of ASKABLE) {
    if (becomes === "refused" || !("address" in becomes) || becomes.scope === "public") continue;
    const { address, scope }: Address = becomes;
    await refused(target, NOT_ALLOWED);
    const { host, rule } = await exchanges.next();
    const station = scope === "private" || scope === "loopback" ? "private networks" : `${scope} addresses`;
    assertEquals([host, rule], [address, station], target);
  }
  assertEquals(names.asked, []);
});

eachWay("a name is asked for and judged in its one form, and by its address", {
  policy: new SeenFrom(
    policy({ connectPorts: everyPort, rules: [{ hosts: Object.keys(names.addresses).join(" ") }] }),
    "9.9.9.9",
  ),
}, async ({ exchanges }, refused) => {
  for (const { target, becomes } of ASKABLE) {
    if (becomes === "refused" || !("name" in becomes)) continue;
    const { name }: Name = becomes;
    names.asked.length = 0;
    await refused(target, NOT_ALLOWED);
    const { host, rule } = await exchanges.next();
    assertEquals([host, rule], [name, "private networks"], target);
    assertEquals(names.asked, /(^|\.)localhost$/.test(name) ? [] : [name], target);
  }
});

proxied("SOCKS 5: an address as bytes is judged as the same as text", {
  settings: { policy: new SeenFrom(policy({ connectPorts: everyPort }), "9.9.9.9") },
}, async (setting) => {
  for (const { becomes } of ASKABLE) {
    if (becomes === "refused" || !("address" in becomes) || becomes.scope === "public") continue;
    const { address, scope }: Address = becomes;
    const client = await setting.connect();
    await client.send(HELLO + ask5(`${address}:80`));
    assertEquals((await client.exactly(4)).charCodeAt(3), NOT_ALLOWED);
    client.close();
    const { host, rule } = await setting.exchanges.next();
    const station = scope === "private" || scope === "loopback" ? "private networks" : `${scope} addresses`;
    assertEquals([host, rule], [address, station]);
  }
});

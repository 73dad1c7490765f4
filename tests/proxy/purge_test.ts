/** PURGE: who may make the cache forget, and what it forgets. */

import { assertEquals } from "@std/assert";
import { proxied } from "./harness.ts";
import { policy, SeenFrom } from "./policies.ts";
import { get } from "./round_trip.ts";

const FRESH = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok";
const cacheSize = 1024 * 1024;
const OPERATORS = policy({
  defaultAction: "allow",
  privateNetworks: "allow",
  rules: [{ name: "operators", clients: "127.0.0.1", methods: "PURGE" }],
});

proxied(
  "a client of a rule that names PURGE makes the cache forget a URL, and no other",
  { settings: { cacheSize, policy: OPERATORS } },
  async ({ connect, origin, exchanges }) => {
    origin.answer(FRESH);
    const client = await connect();
    const ask = async (message: string) => {
      await client.send(message);
      const { status } = await client.message();
      await exchanges.next();
      return [status, exchanges.all.at(-1)!.cache];
    };
    assertEquals(await ask(get(origin, "/a")), [200, "miss stored"]);
    assertEquals(await ask(get(origin, "/b")), [200, "miss stored"]);
    assertEquals(await ask(get(origin, "/a").replace("GET", "PURGE")), [200, "purged"]);
    assertEquals(await ask(get(origin, "/a").replace("GET", "PURGE")), [404, "purge miss"]);
    assertEquals(await ask(get(origin, "/a")), [200, "miss stored"]);
    assertEquals(await ask(get(origin, "/b")), [200, "hit"]);
    assertEquals(origin.accepted, 1);
  },
);

for (
  const [who, chosen] of [
    ["a client that no rule names", policy()],
    ["another client than the rule's", new SeenFrom(OPERATORS, "192.0.2.7")],
    ["a client of a rule that names no methods", policy({ rules: [{ hosts: "127.0.0.1" }] })],
  ] as const
) {
  proxied(
    `${who} purges nothing`,
    { settings: { cacheSize, policy: chosen } },
    async ({ connect, origin, exchanges }) => {
      const client = await connect();
      await client.send(get(origin).replace("GET", "PURGE"));
      assertEquals((await client.message()).status, 403);
      assertEquals((await exchanges.next()).rule, "purge");
      await origin.assertNoFurtherConnection();
    },
  );
}

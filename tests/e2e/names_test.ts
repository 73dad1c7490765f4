/** Look-ups of names by the real resolver, in a network namespace with a name server of its own. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { hashPassword } from "../../src/passwords/verify.ts";
import { CAN, Namespace } from "./namespace.ts";

Deno.test({
  name: "names that hang hold up neither other clients' names, nor log-ins, nor the log",
  ignore: !CAN,
  async fn() {
    const good = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`v${i}.good`, "127.0.0.1"]));
    // longer than the test
    await using world = await Namespace.make({ names: good, settings: "options timeout:30 attempts:5\n" });
    const users = await Deno.makeTempFile({ dir: "/tmp" });
    try {
      const { text } = await hashPassword("s3cret", "scrypt");
      await Deno.writeTextFile(users, `alice:${text}\n`);
      await using weir = await world.weir("--users", users, "--no-cache");
      const through = (client: string) => ["-x", weir.url, "-U", "alice:s3cret", "--interface", client];
      const hanging = Array.from(
        { length: 60 },
        (_, i) => world.begin(...through("127.0.0.8"), `http://n${i}.slow:8000/`),
      );
      try {
        // its first request asks for a password, and each name is new
        for (let i = 0; i < 30; i++) {
          assertEquals(await world.curl(...through(`127.0.0.${i + 10}`), `http://v${i}.good:8000/`), "200");
        }
        await weir.logged("requests by names that are known", ({ status }) => status === 200, 30);
      } finally {
        for (const child of hanging) child.kill();
        for (const child of hanging) await child.status;
      }
    } finally {
      await Deno.remove(users);
    }
  },
});

const SEARCHED = {
  names: {
    "api.allowed.example.corp.test": "127.0.0.66",
    "evil.corp.test": "127.0.0.67",
    "wiki.corp.test": "127.0.0.68",
    "silent.slow.corp.test": "127.0.0.67",
    "odd_.example.corp.test": "127.0.0.67",
    "both.example": "127.0.0.1",
    "both.example.corp.test": "127.0.0.69",
    "pinned.example": "127.0.0.70",
  },
  hosts: "127.0.0.2 only.hosts.example word\n127.0.0.3 pinned.example\n",
};

for (const ndots of [1, 5]) {
  const settings = `search corp.test\noptions ndots:${ndots} timeout:1 attempts:1\n`;
  Deno.test({
    name: `the name that is judged is the one that is looked up, with ${JSON.stringify(settings)}`,
    ignore: !CAN,
    async fn(test) {
      await using world = await Namespace.make({ ...SEARCHED, settings });
      await using weir = await world.weir(
        ...["--no-cache", "--default-action", "allow", "--deny", "evil.corp.test", "--allow", "wiki"],
      );
      const address = `127.0.0.1:${weir.port}`;
      for (
        const [way, args] of [
          ["plain", ["-x", `http://${address}`]],
          ["tunnel", ["-p", "-x", `http://${address}`]],
          ["SOCKS 4a", ["-x", `socks4a://${address}`]],
          ["SOCKS 5", ["-x", `socks5h://${address}`]],
        ] as const
      ) {
        await test.step(way, async () => {
          const dialled = async (host: string) => {
            const before = weir.log.filter((line) => line.host === host).length;
            await world.curl(...args, `http://${host}:8000/`);
            return (await weir.logged(host, (line) => line.host === host, before + 1)).at(-1)!;
          };
          for (const host of ["api.allowed.example", "evil"]) {
            const line = await dialled(host);
            assertEquals([line.origin, line.error], [undefined, "dns_error"], host);
            assertStringIncludes(`${line.details}`, "names are not completed here");
          }
          for (const host of ["odd_.example", "silent.slow"]) {
            const line = await dialled(host);
            assertEquals([line.origin, line.error], [undefined, "dns_error"], host);
          }
          const reached: [string, string][] = [
            ["wiki", "127.0.0.68"],
            ["both.example", "127.0.0.1"],
            ["only.hosts.example", "127.0.0.2"],
            ["word", "127.0.0.2"],
            ["pinned.example", "127.0.0.3"],
          ];
          for (const [host, origin] of reached) assertEquals((await dialled(host)).origin, origin, host);
        });
      }
    },
  });
}

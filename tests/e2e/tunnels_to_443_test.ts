/** TLS as real programs speak it through tunnels to port 443, where a policy that denies by default requires it. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { dumpPage, throughProxy } from "./browser.ts";
import { makeCertificates } from "./certificates.ts";
import { CAN, Namespace } from "./namespace.ts";
import { removeFolder, run, until } from "./programs.ts";

Deno.test({
  name: "through tunnels to port 443 goes TLS with the name of the tunnel, and nothing else",
  ignore: !CAN,
  async fn(test) {
    const hosts = "127.0.0.1 a.example b.example\n";
    await using world = await Namespace.make({ names: {}, hosts });
    const folder = await Deno.makeTempDir({ dir: "/tmp" });
    const { certificate, key } = await makeCertificates(folder);
    const [program, ...args] = world.inside(
      ...["openssl", "s_server", "-accept", "127.0.0.1:443", "-www", "-cert", certificate, "-key", key],
      // no program begins with this group, so that TLS 1.3 takes a second ClientHello
      ...["-groups", "P-384"],
    );
    const server = new Deno.Command(program, { args, stdout: "null", stderr: "null" }).spawn();
    try {
      await until("the server to listen", async () => await world.curl("-k", "https://a.example/") === "200");
      await using weir = await world.weir("--allow", "a.example");
      const inside = async (...command: string[]) => {
        const [program, ...args] = world.inside(...command);
        return await run(program, args);
      };
      const curl = (...args: string[]) =>
        inside("curl", "-q", "-sS", "-k", "-x", weir.url, "--max-time", "20", ...args);
      const openssl = (...args: string[]) =>
        inside(
          ...["openssl", "s_client", "-proxy", `127.0.0.1:${weir.port}`, "-connect", "a.example:443"],
          ...["-ign_eof", ...args],
        );
      let lines = 0;
      const verdict = async () => {
        const found = await weir.logged("tunnels", ({ kind }) => kind === "tunnel", ++lines);
        return [found[lines - 1].verdict, found[lines - 1].rule];
      };
      const ALLOWED = ["allow", "--allow a.example"];
      const DENIED = ["deny", "tls"];

      await test.step("curl", async () => {
        assertStringIncludes((await curl("https://a.example/")).stdout, "s_server");
        assertEquals(await verdict(), ALLOWED);
      });
      for (const version of ["-tls1_2", "-tls1_3"]) {
        await test.step(`openssl ${version}, with a name, with another one, and without`, async () => {
          const quit = ["-servername", "a.example", version, "-brief", "-no_ign_eof"];
          assertStringIncludes((await openssl(...quit)).stderr, "CONNECTION ESTABLISHED");
          assertEquals(await verdict(), ALLOWED);
          for (const name of [["-servername", "b.example"], ["-noservername"]]) {
            assertStringIncludes((await openssl(version, ...name)).stderr, "access denied");
            assertEquals(await verdict(), DENIED, name.join());
          }
        });
      }
      await test.step("Chromium", async () => {
        const flags = [...throughProxy(weir.url), "--ignore-certificate-errors"];
        const page = await dumpPage("https://a.example/", flags, world.inside("chromium"));
        assertStringIncludes(page.stdout, "s_server");
        const tunnels = weir.log.filter(({ host }) => host === "a.example");
        assertEquals(tunnels.filter((line) => line.verdict === "deny").length, 4);
      });
      await test.step("plain HTTP", async () => {
        assertEquals((await curl("-p", "http://a.example:443/")).stdout, "");
        assertEquals(
          (await weir.logged("HTTP", ({ reason }) => `${reason}`.includes("is not TLS"))).length,
          1,
        );
      });
      weir.assertHealthy();
    } finally {
      server.kill();
      await server.status;
      await removeFolder(folder);
    }
  },
});

import { assertEquals } from "@std/assert";
import { NpmRegistry } from "./npm_registry.ts";
import { Origin } from "./origin.ts";
import { succeed } from "./programs.ts";
import { Weir } from "./weir.ts";

Deno.test("npm installs a package", async (test) => {
  await using origin = await Origin.start();
  await using weir = await Weir.start();
  const { certificate, key, authority } = origin.certificates;
  const tls = { cert: await Deno.readTextFile(certificate), key: await Deno.readTextFile(key) };

  for (const [scheme, options] of [["http", undefined], ["https", tls]] as const) {
    await test.step(`from a registry over ${scheme}`, async () => {
      const folder = `${origin.folder}/npm-${scheme}`;
      await using registry = await NpmRegistry.start(`${folder}/registry`, options);
      await Deno.mkdir(`${folder}/project`);
      await Deno.writeTextFile(`${folder}/project/package.json`, '{ "private": true }');
      await succeed("npm", [
        ...["install", "leaf", "--no-audit", "--no-fund", "--no-update-notifier", "--fetch-retries=0"],
        ...["--registry", registry.url, "--proxy", weir.url, "--https-proxy", weir.url, "--noproxy", ""],
        ...["--cafile", authority, "--cache", `${folder}/cache`, "--userconfig", `${folder}/npmrc`],
      ], { cwd: `${folder}/project`, env: { HOME: folder } });
      const said = await succeed("node", ["-p", 'require("leaf")'], { cwd: `${folder}/project` });
      assertEquals(said, "a leaf\n");
      // In a tunnel weir adds nothing: that npm used it is in weir's log alone.
      const through = scheme === "http" ? { kind: "forward" } : { kind: "tunnel" };
      const lines = await weir.logged(
        `npm's exchanges`,
        (line) => line.kind === through.kind && String(line.target).includes(new URL(registry.url).host),
      );
      assertEquals(lines.length > 0, true);
      if (scheme === "http") assertEquals(registry.sawDirect, false);
    });
  }

  weir.assertHealthy();
});

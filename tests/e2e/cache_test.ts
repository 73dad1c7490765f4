/** The cache with programs that nobody here wrote: what is fetched once, and what outlives a restart. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { NpmRegistry } from "./npm_registry.ts";
import { Origin } from "./origin.ts";
import { denoEnvironment, removeFolder, succeed } from "./programs.ts";
import { type LogLine, Weir } from "./weir.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const WITH_FILES = [
  Deno.execPath(),
  "run",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--no-prompt",
  MAIN,
];

/** Installs the package `leaf` on a machine that has never seen it. */
async function install(folder: string, name: string, registry: NpmRegistry, proxy: string): Promise<void> {
  const project = `${folder}/${name}`;
  await Deno.mkdir(project, { recursive: true });
  await Deno.writeTextFile(`${project}/package.json`, '{ "private": true }');
  await succeed("npm", [
    ...["install", "leaf", "--no-audit", "--no-fund", "--no-update-notifier", "--fetch-retries=0"],
    ...["--registry", registry.url, "--proxy", proxy, "--noproxy", ""],
    ...["--cache", `${project}/cache`, "--userconfig", `${project}/npmrc`],
  ], { cwd: project, env: { HOME: project } });
  assertEquals(await succeed("node", ["-p", 'require("leaf")'], { cwd: project }), "a leaf\n");
}

const fromRegistry = (registry: NpmRegistry) => (line: LogLine) => line.port === registry.port;

Deno.test("the second of two installs is served from the cache, also after a restart", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using registry = await NpmRegistry.start(`${folder}/registry`);
    const args = ["--cache-dir", `${folder}/kept`];
    {
      await using weir = await Weir.start(args, { command: WITH_FILES });
      await install(folder, "first", registry, weir.url);
      const asked = registry.requests;
      assert(asked >= 2, "a description and a package");
      await install(folder, "second", registry, weir.url);
      assertEquals(registry.requests, asked);
      assertEquals(await weir.stop(), 0);
      const lines = weir.log.filter(fromRegistry(registry));
      assertEquals(lines.filter(({ cache }) => cache !== "hit").length, asked);
      assert(lines.filter(({ cache }) => cache === "hit").length >= asked, "all of the second install's");
      weir.assertExpected();
    }
    const asked = registry.requests;
    await using weir = await Weir.start(args, { command: WITH_FILES });
    await install(folder, "third", registry, weir.url);
    assertEquals(registry.requests, asked);
    weir.assertHealthy();
  } finally {
    await removeFolder(folder);
  }
});

Deno.test("curl is told what came from where, and nginx is asked only for what changed", async () => {
  await using origin = await Origin.start();
  // nginx states no lifetime, and is one of this machine
  await using weir = await Weir.start(["--cache-estimates", "all"]);
  const url = `${origin.http}/hello.txt`;
  const get = async (...args: string[]) =>
    await succeed("curl", ["-sS", "-i", "-x", weir.url, "--noproxy", "", ...args, url]);
  assertMatch(await get(), /^Cache-Status: weir-[0-9a-f]{4}; fwd=uri-miss; fwd-status=200; stored\r$/m);
  // a reload asks the origin whether it has changed
  assertMatch(
    await get("-H", "Cache-Control: no-cache"),
    /fwd=(request|stale); fwd-status=304; stored; ttl=/,
  );
  assertMatch(await get("-r", "0-3"), /^HTTP\/1\.1 206 [^]*^Content-Range: bytes 0-3\/23\r$/m);
  weir.assertHealthy();
});

Deno.test("a second weir on the same folder is refused, and says by whom it is used", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const args = ["--cache-dir", `${folder}/kept`];
    await using first = await Weir.start(args, { command: WITH_FILES });
    const second = await new Deno.Command(Deno.execPath(), {
      args: [...WITH_FILES.slice(1), "--listen", "127.0.0.1:0", ...args],
      stdin: "null",
      clearEnv: true,
      env: denoEnvironment(),
    }).output();
    assertEquals(second.code, 3);
    assertMatch(new TextDecoder().decode(second.stderr), new RegExp(`\\b${first.pid}\\b`));
  } finally {
    await removeFolder(folder);
  }
});

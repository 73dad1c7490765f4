/** `weir get` as a program, through weir as another, against nginx. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Origin } from "./origin.ts";
import { denoEnvironment, type Output, removeFolder, run, until } from "./programs.ts";
import { Weir } from "./weir.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

function command(args: string[], permissions: string[] = []): string[] {
  return ["run", "--allow-net", ...permissions, "--no-prompt", MAIN, "get", ...args];
}

function get(args: string[], permissions: string[] = []): Promise<Output> {
  return run(Deno.execPath(), command(args, permissions), { env: denoEnvironment() });
}

Deno.test("the network's permission is all that it takes to see an exchange, and what the cache does", async () => {
  await using origin = await Origin.start();
  // what has not changed for ten days is taken for fresh for one, of this machine's origins only where that is wanted
  await using weir = await Weir.start(["--cache-estimates", "all"]);
  const then = new Date(Date.now() - 10 * 86_400_000);
  await Deno.utime(`${origin.files}/hello.txt`, then, then);
  const url = `${origin.http}/hello.txt`;
  const proxy = ["-x", weir.url];

  const repeated = await get([url, ...proxy, "--repeat", "3"]);
  assertEquals([repeated.code, repeated.stderr], [0, ""]);
  const rows = repeated.stdout.split("\n");
  assertEquals(rows.slice(0, 3).map((row) => row.trim().split(/ {2,}/)[2]), ["miss stored", "hit", "hit"]);
  assertMatch(rows[3], /^3 answers, 2 from the store; /);

  const { code, stdout, stderr } = await get([url, ...proxy]);
  assertEquals([code, stdout], [0, "Hello from the origin.\n"]);
  assertMatch(stderr, /^HTTP\/1\.1 200 OK\n/);
  assertMatch(stderr, /\n {2}via {6}it passed weir-[0-9a-f]{4}, which got it by HTTP\/1\.1\n/);
  assertMatch(stderr, /\n {2}cache {4}weir-[0-9a-f]{4} answered from its store, fresh for another /);
  assertMatch(stderr, /\n {2}age {6}the origin made it, or said that it still holds, /);
  assertMatch(stderr, /\n {2}time .*: connect .*, answer .*, body .*\n {2}body {5}23 B\n$/);

  const head = await get(["-I", "-v", `${origin.http}/none`, ...proxy]);
  assertEquals([head.code, head.stderr], [4, ""]);
  assertMatch(head.stdout, /^> HEAD http:\/\/127\.0\.0\.1:\d+\/none HTTP\/1\.1\n/);
  assertMatch(head.stdout, /\n< HTTP\/1\.1 404 Not Found\n/);
  assertEquals((await get([url, "--direct"])).stdout, stdout);
  weir.assertHealthy();
});

Deno.test("https:// is fetched through a tunnel from an origin that is known", async () => {
  await using origin = await Origin.start();
  await using weir = await Weir.start();
  const bytes = 3_000_000;
  const file = await origin.randomFile("long.bin", bytes);
  const args = [`${origin.https}/long.bin`, "-x", weir.url, "--origin-ca", origin.certificates.authority];
  const to = `${origin.folder}/got.bin`;
  const { code, stdout, stderr } = await get([...args, "-o", to], ["--allow-read", "--allow-write"]);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /: connect .*, tunnel .*, tls .*, answer .*, body /);
  assertStringIncludes(stdout, `written to ${to}\n`);
  const whole = async (path: string) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path)));
  assertEquals(await whole(to), await whole(file));

  const stranger = await get([`${origin.https}/hello.txt`, "-x", weir.url]);
  assertEquals([stranger.code, stranger.stdout], [1, ""]);
  assertStringIncludes(stranger.stderr, "issued by nobody who is trusted here");
  await weir.logged("tunnels", ({ method }) => method === "CONNECT", 2);
});

Deno.test("Ctrl-C ends it at once, and leaves no part of a file", async () => {
  const folder = await Deno.makeTempDir();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${listener.addr.port}/`;
  try {
    for (const args of [[], ["-o", `${folder}/part`]]) {
      const child = new Deno.Command(Deno.execPath(), {
        args: command([url, "--direct", ...args], ["--allow-write"]),
        clearEnv: true,
        env: denoEnvironment(),
        stdin: "null",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      using connection = await listener.accept();
      await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"));
      const reader = child.stdout.getReader();
      if (args.length === 0) await reader.read();
      else {await until("the part", () =>
          Deno.stat(`${folder}/part`).then(({ size }) =>
            size === 3, () => false));}
      child.kill("SIGINT");
      const { code } = await child.status;
      assertEquals(code, 130);
      await reader.cancel();
    }
    assertEquals([...Deno.readDirSync(folder)], []);
  } finally {
    await removeFolder(folder);
  }
});

Deno.test("on a terminal there are colours, a bar for a long body, and no binary", async () => {
  const pieces = 30;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    let sent = 0;
    const body = new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 40));
        if (sent++ === pieces) controller.close();
        else controller.enqueue(new Uint8Array(1000));
      },
    });
    return new Response(body, { headers: { "content-length": `${pieces * 1000}` } });
  });
  const line = [Deno.execPath(), ...command([`http://127.0.0.1:${server.addr.port}/`, "--direct"])].join(" ");
  const { code, stdout } = await run("script", ["-qec", line, "/dev/null"], { env: denoEnvironment() });
  assertEquals(code, 0);
  assertStringIncludes(stdout, "HTTP/1.1 \x1b[32m200\x1b[0m");
  assertMatch(stdout, /\r *\d+ % {2}█+░+ {2}\d+ kB of 30 kB {2}.*\/s {2}.* left/);
  assertStringIncludes(stdout, "the body is no text, and not shown");
  assert(!stdout.includes("\0"));
});

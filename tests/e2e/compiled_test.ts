import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { compile } from "../../.ci/compile.ts";
import { Origin } from "./origin.ts";
import { run, succeed } from "./programs.ts";
import { Weir } from "./weir.ts";

Deno.test("the executable needs nothing but itself", async (test) => {
  await using origin = await Origin.start();
  const executable = Deno.env.get("WEIR_EXECUTABLE") ?? `${origin.folder}/weir`;
  if (!Deno.env.has("WEIR_EXECUTABLE")) await compile({ output: executable });
  const folder = `${origin.folder}/empty`;
  await Deno.mkdir(folder);
  const bare = ["env", "-i", executable];

  await test.step("to proxy requests and tunnels, from an empty folder with an empty environment", async () => {
    await using weir = await Weir.start([], { command: bare, cwd: folder });
    const curl = (...args: string[]) => succeed("curl", ["-q", "-sS", "-x", weir.url, ...args]);
    assertEquals(await curl(`${origin.http}/hello.txt`), "Hello from the origin.\n");
    const tunnel = ["--cacert", origin.certificates.authority, `${origin.https}/hello.txt`];
    assertEquals(await curl(...tunnel), "Hello from the origin.\n");
    assertEquals(await weir.stop(), 0);
    assertEquals(weir.log.map((line) => [line.kind, line.status]), [["forward", 200], ["tunnel", 200]]);
    assertEquals([...Deno.readDirSync(folder)], [], "Nothing is written unasked.");
  });

  await test.step("to read a configuration file", async () => {
    await Deno.writeTextFile(`${folder}/weir.toml`, "[forwarding]\npseudonym = 'compiled'\n");
    await using weir = await Weir.start(["--config", "weir.toml"], { command: bare, cwd: folder });
    const answer = await succeed("curl", ["-q", "-sSi", "-x", weir.url, `${origin.http}/hello.txt`]);
    assertMatch(answer, /^via: 1\.1 compiled\r$/im);
  });

  await test.step("to keep responses in a folder, by a worker, also over a restart", async () => {
    const get = async (expected: string) => {
      await using weir = await Weir.start(["--cache-dir", "kept", "--cache-estimates", "all"], {
        command: bare,
        cwd: folder,
      });
      const answer = await succeed("curl", ["-q", "-sSi", "-x", weir.url, `${origin.http}/hello.txt`]);
      assertMatch(answer, new RegExp(`^cache-status: \\S+; ${expected}`, "im"));
      weir.assertHealthy();
      assertEquals(await weir.stop(), 0);
    };
    // fresh for a tenth of its age
    await Deno.utime(`${origin.folder}/www/hello.txt`, new Date(0), new Date(0));
    await get("fwd=uri-miss");
    await get("hit");
    const looked = await succeed("env", ["-i", executable, "cache", "list", "--cache-dir", "kept"], {
      cwd: folder,
    });
    assertStringIncludes(looked, `${origin.http}/hello.txt`);
  });

  await test.step("to give users passwords of either kind, and to ask for them", async () => {
    for (const [user, flags] of [["ann", ""], ["bob", "--bcrypt"]]) {
      const script = `echo a-password-of-mine | env -i "$0" passwd ${flags} users ${user}`;
      await succeed("sh", ["-c", script, executable], { cwd: folder });
    }
    await using weir = await Weir.start(["--users", "users"], { command: bare, cwd: folder });
    for (const [user, status] of [["ann", "200"], ["bob", "200"], ["eve", "407"]]) {
      const credentials = ["-U", `${user}:a-password-of-mine`, "-o", "/dev/null", "-w", "%{http_code}"];
      const url = `${origin.http}/hello.txt`;
      assertEquals(await succeed("curl", ["-q", "-sS", "-x", weir.url, ...credentials, url]), status);
    }
  });

  await test.step("to say what it is", async () => {
    const { version } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
    assertStringIncludes(await succeed("env", ["-i", executable, "--version"], { cwd: folder }), version);
    assertStringIncludes(await succeed("env", ["-i", executable, "--help"], { cwd: folder }), "--listen");
    assertEquals((await run("env", ["-i", executable, "--lisen", "1"], { cwd: folder })).code, 2);
  });
});

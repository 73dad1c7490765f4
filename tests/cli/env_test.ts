import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Io } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";

async function env(args: string[], { input = "", terminal = false } = {}) {
  let [out, err] = ["", ""];
  const io: Io = {
    bytes: () => true,
    out: (text) => out += text,
    err: (text) => err += text,
    input: new Response(input).body!,
    isTerminal: (stream) => terminal && stream === "out",
    noColor: false,
  };
  return { code: await run(["env", ...args], io), out, err };
}

Deno.test("without a word it is the shell's, whoever reads it", async () => {
  const { code, out, err } = await env([]);
  assertEquals([code, err], [0, ""]);
  assertEquals(out, (await env(["sh"])).out);
  assertEquals(out, (await env([], { terminal: true })).out);
  assertMatch(out, /^export http_proxy=http:\/\/127\.0\.0\.1:8888\n/);
});

Deno.test("a person is told where the text goes and how to take it back, in comments of a shell", async () => {
  const { err } = await env(["git"], { terminal: true });
  assertEquals(err.trimEnd().split("\n"), [
    `# run it: eval "$(weir env git)"`,
    "# for one run: git -c http.proxy=http://127.0.0.1:8888 clone URL",
    "# back: weir env git --undo",
  ]);
  assertMatch((await env([], { terminal: true })).err, /^# for one program: weir env sh\|fish\|/m);
});

Deno.test("the proxy is the first listener, of the file too, and loopback when it is on all addresses", async () => {
  const first = async (args: string[], input = "") =>
    (await env(["curl", ...args], { input })).out.split("\n")[0];
  assertEquals(await first(["-l", "192.0.2.1:3128", "-l", "9999"]), 'proxy = "http://192.0.2.1:3128"');
  assertEquals(await first(["-l", ":3128"]), 'proxy = "http://127.0.0.1:3128"');
  assertEquals(await first(["-c", "-"], 'listen = "[::1]:3128"'), 'proxy = "http://[::1]:3128"');
  assertEquals(await first(["--proxy", "proxy.test:1"]), 'proxy = "http://proxy.test:1"');
  const { code, err } = await env(["-l", ":0"]);
  assertEquals([code, err], [
    3,
    "weir: listen: port 0 is another one at each start: say where the proxy is by --proxy URL\n",
  ]);
});

Deno.test("what a program has no word for is told, whoever reads it", async () => {
  const left = async (...args: string[]) => (await env(args)).err;
  assertEquals(
    await left("jvm", "--no-proxy", "10.1.0.0/12"),
    "# left out, since Java has no word for it: 10.1.0.0/12\n",
  );
  assertEquals(await left("sh", "--no-proxy", "10.1.0.0/12"), "");
  assertMatch(
    await left("git", "--no-proxy", "example.com"),
    /git learns exceptions from the variable no_proxy alone/,
  );
  assertEquals(await left("git", "--no-proxy", ""), "");
  assertMatch(await left("jvm", "--proxy", "u:p@h:1"), /takes no user and password/);
  assertMatch(await left("docker"), /127\.0\.0\.1 is the container itself/);
});

Deno.test("no exceptions at all means that everything goes through the proxy", async () => {
  assert(!(await env(["sh", "--no-proxy", ""])).out.includes("NO_PROXY"));
});

Deno.test("--undo prints commands alone, and fails with a word where a person has to do it", async () => {
  assertEquals(await env(["pip", "--undo"]), { code: 0, out: "pip config unset global.proxy\n", err: "" });
  assertEquals(await env(["curl", "--undo"]), {
    code: 1,
    out: "",
    err: "# there is no command for it: take the lines out of ~/.curlrc\n",
  });
});

Deno.test("an unknown program is wrong usage and names the nearest one, or all", async () => {
  const near = await env(["crul"]);
  assertEquals([near.code, near.out], [2, ""]);
  assertEquals(near.err.split("\n")[0], "weir: weir env knows no program crul; did you mean curl?");
  assertMatch((await env(["zzzzzzzz"])).err, /it knows sh, fish, /);
});

Deno.test("values that are none are wrong usage, with the flag's name", async () => {
  assertEquals(
    (await env(["--no-proxy", "a b:1"])).err.split("\n")[0],
    'weir: --no-proxy: "b:1" has a port: write the host alone',
  );
  assertEquals((await env(["--proxy", "socks5://h:1"])).code, 2);
});

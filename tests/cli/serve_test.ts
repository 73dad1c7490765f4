import { assert, assertEquals } from "@std/assert";
import { HeldExchange } from "./exchange.ts";
import { Folder, runWeir, Weir } from "./weir.ts";

Deno.test("weir serves with the permission for the network alone, and says where", async () => {
  await using weir = await Weir.start();
  await using exchange = await HeldExchange.begin(weir.port);
  weir.signal("SIGTERM");
  assert((await exchange.finish()).startsWith("HTTP/1.1 200 OK\r\n"));
  assertEquals((await weir.ended()).code, 0);
});

Deno.test("weir serve is weir, and several addresses are several listeners", async () => {
  await using weir = await Weir.start(["serve", "-l", "127.0.0.1:0"]);
  const ports = [...weir.err.split("\n")[0].matchAll(/127\.0\.0\.1:([0-9]+)/g)].map((match) =>
    Number(match[1])
  );
  assertEquals(ports.length, 2);
  for (const port of ports) (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  weir.signal("SIGINT");
  assertEquals((await weir.ended()).code, 0);
});

Deno.test("the banner keeps off standard output, which is the access log's", async () => {
  await using weir = await Weir.start(["--log-format", "json"]);
  await using exchange = await HeldExchange.begin(weir.port);
  weir.signal("SIGTERM");
  await exchange.finish();
  const { out } = await weir.ended();
  const lines = out.trimEnd().split("\n");
  assertEquals(lines.length, 1);
  assertEquals(JSON.parse(lines[0]).status, 200);
});

Deno.test("an address that two options name is 3, and both are named", async () => {
  for (
    const [args, said] of [
      [["-l", "8888", "--gateway", "8888"], "--listen and --gateway both name 127.0.0.1:8888"],
      [["--gateway", "8888"], "--listen and --gateway both name 127.0.0.1:8888"],
      [["relay", "--to", "a.example:1", "-l", "8888", "-l", "8888"], "--listen names 127.0.0.1:8888 twice"],
    ] as const
  ) {
    const { code, out, err } = await runWeir([...args]);
    assertEquals([code, out, err], [3, "", `weir: ${said}: give each listener a port of its own\n`]);
  }
});

Deno.test("a port that is taken is 1, with a plain message and nothing else", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const { code, out, err } = await runWeir(["--listen", `${port}`]);
  assertEquals([code, out], [1, ""]);
  assertEquals(err.trimEnd().split("\n").length, 1);
  assert(err.startsWith(`weir: 127.0.0.1:${port} is taken by another program`), err);
});

Deno.test("an address that is not this machine's is 1", async () => {
  const { code, err } = await runWeir(["--listen", "192.0.2.1:8888", "--clients", "all"]);
  assertEquals(code, 1);
  assert(err.startsWith("weir: 192.0.2.1 is no address of this machine"), err);
});

Deno.test("without the permission for the network weir does not ask, and says how to give it", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", new URL("../../main.ts", import.meta.url).pathname, "-l", "0"],
    stdin: "null",
  });
  const { code, stderr } = await command.output();
  const err = new TextDecoder().decode(stderr);
  assertEquals(code, 3);
  assert(err.includes("listening on 127.0.0.1:0 needs the permission --allow-net"), err);
  assert(/give it: {2}deno run --allow-net \S*main\.ts -l 0\n/.test(err), err);
});

Deno.test("the line that gives the permission for the network keeps those for files", async () => {
  await using folder = await Folder.make();
  const config = await folder.write("weir.toml", "");
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", `--allow-read=${config}`, "--no-prompt", main, "-l", "0", "-c", config],
    stdin: "null",
  });
  const err = new TextDecoder().decode((await command.output()).stderr);
  assert(err.includes(`give it:  deno run --allow-net --allow-read=${config} `), err);
});

Deno.test("the configuration comes from standard input without a further permission", async () => {
  await using weir = await Weir.start(["--config", "-"], { input: '[log]\nformat = "json"\n' });
  weir.signal("SIGTERM");
  assertEquals((await weir.ended()).code, 0);
  const { code, err } = await runWeir(["--config", "-"], { input: '[log]\nformat = "jsno"\n' });
  assertEquals(code, 3);
  assert(err.startsWith("weir: standard input:2: log.format: must be one of "), err);
});

Deno.test("a file without the permission to read it is 3, with the two lines that would work", async () => {
  const { code, err } = await runWeir(["-c", "my weir.toml", "--grace=1s"]);
  assertEquals(code, 3);
  const [what, first, second] = err.trimEnd().split("\n");
  assertEquals(what, "weir: my weir.toml cannot be read: that needs the permission --allow-read");
  const main = new URL("../../main.ts", import.meta.url).pathname;
  assertEquals(
    first,
    `  give it:  deno run --allow-net '--allow-read=my weir.toml' ${main} -c 'my weir.toml' --grace=1s`,
  );
  assertEquals(
    second,
    `  or, by the network alone:  deno run --allow-net ${main} -c - --grace=1s < 'my weir.toml'`,
  );
});

Deno.test("certificates without the permission to read them are 3, with all that has to be read", async () => {
  await using folder = await Folder.make();
  const config = await folder.write("weir.toml", 'forwarding.origin-ca = "ca.pem"\n');
  const { code, err } = await runWeir(["--config", config], { permissions: [`--allow-read=${config}`] });
  assertEquals(code, 3);
  assert(err.startsWith("weir: ca.pem cannot be read: that needs the permission --allow-read\n"), err);
  assert(err.includes(`--allow-read=${config},ca.pem `), err);
});

Deno.test("an open proxy for everybody is refused at the start, with a line that works", async () => {
  const { code, out, err } = await runWeir(["--listen", "0.0.0.0:0", "--grace", "1s"]);
  assertEquals([code, out], [3, ""]);
  assert(err.startsWith("weir: 0.0.0.0:0 may be reached from anywhere, and the policy names neither"), err);
  const fix = /say who may: {2}deno run --allow-net \S*main\.ts (.*)\n/.exec(err)?.[1].split(" ");
  assertEquals(fix, ["--listen", "0.0.0.0:0", "--grace", "1s", "--clients", "loopback,192.168.0.0/16"]);
  await using weir = await Weir.start(fix);
  assert(!weir.err.includes("careful"), weir.err);
  assertEquals((await runWeir(["--check", ...fix!])).code, 0);
  await using open = await Weir.start(["--listen", "0.0.0.0:0", "--clients", "all"]);
  assert(open.err.includes("careful"), open.err);
});

Deno.test("warnings of the policy come before the banner, which tells the policy", async () => {
  await using weir = await Weir.start(["--deny", "a.example", "--mode", "report"]);
  assert(weir.err.startsWith("weir: warning: nothing is refused"), weir.err);
  assert(weir.err.includes("\n  policy    1 rule, default allow, report mode\n"), weir.err);
});

Deno.test("config, lists and users without the permission to read them are one message", async () => {
  const { code, err } = await runWeir(["-c", "a.toml", "--deny", "@b.txt", "--users", "c"]);
  assertEquals(code, 3);
  assert(
    err.startsWith("weir: a.toml, b.txt, c cannot be read: that needs the permission --allow-read\n"),
    err,
  );
  assert(err.includes(" --allow-read=a.toml,b.txt,c "), err);
});

Deno.test("lists and users that the file names are one message too, once the file can be read", async () => {
  await using folder = await Folder.make();
  const text = 'policy.users = "users"\n[[rule]]\naction = "deny"\nhosts = "@list.txt"\n';
  const config = await folder.write("weir.toml", text);
  const { code, err } = await runWeir(["-c", config], { permissions: [`--allow-read=${config}`] });
  assertEquals(code, 3);
  const all = [config, `${folder.path}/list.txt`, `${folder.path}/users`].join(",");
  assert(err.includes(` --allow-read=${all} `), err);
});

Deno.test("nobody reading standard output is no reason to stop", async () => {
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const script = '"$0" run --allow-net --no-prompt "$1" --help | head -1; echo "${PIPESTATUS[0]}"';
  const command = new Deno.Command("bash", {
    args: ["-c", script, Deno.execPath(), main],
    // bash complains of a locale that the machine does not have
    env: { LC_ALL: "C" },
  });
  const { stdout, stderr } = await command.output();
  const out = new TextDecoder().decode(stdout).trimEnd().split("\n");
  assertEquals([out.length, out[1], new TextDecoder().decode(stderr)], [2, "0", ""]);
});

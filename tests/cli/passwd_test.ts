import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readPasswordFile } from "../../src/passwords/password_file.ts";
import { verifyPassword } from "../../src/passwords/verify.ts";
import { type Ended, Folder, runWeir, Weir } from "./weir.ts";

/** Runs `weir passwd` on a file in a folder that it may read and write, with a line on standard input. */
async function passwd(folder: Folder, words: string[], input = "open sesame\n"): Promise<Ended> {
  const permissions = [`--allow-read=${folder.path}`, `--allow-write=${folder.path}`];
  const ended = await runWeir(["passwd", ...words], { permissions, input });
  assert(!(ended.out + ended.err).includes("sesame"), "the password is never printed");
  return ended;
}

async function check(path: string, user: string, password: string): Promise<boolean> {
  const { users, problems } = readPasswordFile(await Deno.readTextFile(path));
  assertEquals(problems, []);
  return await verifyPassword(users.get(user)!, password);
}

async function namesIn(folder: Folder): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name);
}

Deno.test("passwd makes a file that nobody else may read, and nothing beside it", async () => {
  await using folder = await Folder.make();
  const path = `${folder.path}/users`;
  const { code, out, err } = await passwd(folder, [path, "alice"]);
  assertEquals([code, out, err], [0, "", "weir: alice is a user now\n"]);
  assert(await check(path, "alice", "open sesame"));
  if (Deno.build.os !== "windows") assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  assertEquals(await namesIn(folder), ["users"]);
});

Deno.test("passwd changes one line and keeps the others, and the mode", async () => {
  await using folder = await Folder.make();
  const bob = "bob:$2y$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm";
  const path = await folder.write("users", `# ours\nalice:$apr1$old\n\n${bob}`);
  const { mode } = await Deno.stat(path);
  const { code, err } = await passwd(folder, ["--bcrypt", path, "alice"], "open sesame\r\nmore\n");
  assertEquals([code, err], [0, "weir: alice has a new password\n"]);
  const text = await Deno.readTextFile(path);
  assertMatch(text, /^# ours\nalice:\$2y\$12\$[^\n]{53}\n\nbob:/);
  assert(text.endsWith(bob));
  assert(await check(path, "alice", "open sesame"));
  assertEquals((await Deno.stat(path)).mode, mode);
});

Deno.test("passwd --delete takes a user out, once", async () => {
  await using folder = await Folder.make();
  const path = await folder.write("users", "# ours\nalice:x\n");
  assertEquals((await passwd(folder, ["--delete", path, "alice"])).code, 0);
  assertEquals(await Deno.readTextFile(path), "# ours\n");
  const { code, err } = await passwd(folder, ["--delete", path, "alice"]);
  assertEquals([code, err], [1, `weir: there is no user alice in ${path}\n`]);
});

Deno.test("passwd says which of the other lines cannot be served", async () => {
  await using folder = await Folder.make();
  const path = await folder.write("users", "bob:$apr1$old\n");
  const { code, err } = await passwd(folder, [path, "alice"]);
  assertEquals(code, 0);
  assertStringIncludes(
    err,
    "line 1: the password of bob is an MD5 hash, which weir does not take; run weir passwd",
  );
});

Deno.test("a password or a name that cannot be is refused, and nothing is written", async () => {
  await using folder = await Folder.make();
  const path = `${folder.path}/users`;
  for (
    const [words, input, code, message] of [
      [["alice"], "", 1, "the password is empty"],
      [["alice"], "\nopen sesame\n", 1, "the password is empty"],
      [["alice"], "a\tb\n", 1, "the password holds a control character"],
      [["alice"], "x".repeat(5000), 1, "the password has more than 4096 bytes"],
      [
        ["--bcrypt", "alice"],
        "x".repeat(73),
        1,
        "the password has 73 bytes, of which bcrypt counts 72 alone",
      ],
      [["a:b"], "x\n", 2, "a:b is a user's name with a colon"],
      [[""], "x\n", 2, "a user without a name"],
    ] as const
  ) {
    const ended = await passwd(folder, [path, ...words], input);
    assertEquals(ended.code, code, message);
    assertStringIncludes(ended.err, message);
  }
  assertEquals(await namesIn(folder), []);
});

Deno.test("without permission passwd says the line that gives it", async () => {
  const { code, err } = await runWeir(["passwd", "etc/users", "alice"], { input: "x\n" });
  assertEquals(code, 3);
  assertMatch(
    err,
    /needs the permissions --allow-read and --allow-write\n {2}give them: {2}deno run --allow-net --allow-read=etc --allow-write=etc \S+main\.ts passwd etc\/users alice\n$/,
  );
});

Deno.test("passwd writes into no folder, no link and no place that is not there", async () => {
  await using folder = await Folder.make();
  await folder.write("users", "");
  const link = new Deno.Command("ln", { args: ["-s", "users", `${folder.path}/link`] });
  for (
    const [name, message] of [
      ["link", "is a link; name the file itself: users"],
      [".", "is a folder"],
      ["none/users", "there is no such folder"],
    ]
  ) {
    if (name === "link" && (Deno.build.os === "windows" || !(await link.output()).success)) continue;
    const { code, err } = await passwd(folder, [`${folder.path}/${name}`, "alice"]);
    assertEquals(code, 3);
    assertStringIncludes(err, message);
  }
  assertEquals(await Deno.readTextFile(`${folder.path}/users`), "");
});

Deno.test("passwd asks for nothing, and changes nothing, where the file is none of users", async () => {
  await using folder = await Folder.make();
  const policy = '[policy]\nusers = "users"\nupstream = "http://proxy.example:3128"\n';
  const file = await folder.write("weir.toml", policy);
  const { code, err } = await passwd(folder, [file, "alice"]);
  assertEquals([code, err], [
    3,
    `weir: ${file} is no file of users: none of its lines is user:hash; name another\n`,
  ]);
  assertEquals(await Deno.readTextFile(file), policy);
});

Deno.test("a password that passwd changes is in force for the weir that runs, and the old one is not", async () => {
  await using folder = await Folder.make();
  const path = `${folder.path}/users`;
  await passwd(folder, [path, "alice"]);
  await using weir = await Weir.start(["--users", path], { permissions: [`--allow-read=${folder.path}`] });
  // nobody listens there: 502 is what somebody gets who may ask
  const ask = async (password: string) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: weir.port });
    const credentials = btoa(`alice:${password}`);
    const request = `GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\nConnection: close\r\n` +
      `Proxy-Authorization: Basic ${credentials}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    const answer = await new Response(connection.readable).text();
    return Number(answer.slice(9, 12));
  };
  assertEquals(await ask("open sesame"), 502);
  await passwd(folder, [path, "alice"], "open barley\n");
  await weir.said("1 user is in force");
  assertEquals([await ask("open sesame"), await ask("open barley")], [407, 502]);
  assert(!(weir.out + weir.err).includes("sesame") && !weir.out.includes(btoa("alice:open sesame")));
});

/** SIGHUP and the policy: rules, lists, users. */

import { assert, assertEquals } from "@std/assert";
import { Folder, Weir } from "./weir.ts";

/** The status that a client gets for a request to a port of this machine where nobody listens, by any name. */
async function statusOf(weir: Weir, host = "127.0.0.1"): Promise<number> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: weir.port });
  try {
    const head = `GET http://${host}:1/ HTTP/1.1\r\nHost: ${host}:1\r\nConnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(head));
    let text = "";
    const buffer = new Uint8Array(4096);
    for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) {
      text += new TextDecoder().decode(buffer.subarray(0, n));
    }
    return Number(text.split(" ")[1]);
  } finally {
    connection.close();
  }
}

const ALLOWED = 502;
const DENIED = 403;

Deno.test("SIGHUP takes the policy whole, and says in a few words what it changes", async () => {
  await using folder = await Folder.make();
  const rule = (action: string, hosts: string) => `[[rule]]\naction = "${action}"\nhosts = "${hosts}"\n`;
  const file = await folder.write("weir.toml", rule("deny", "127.0.0.1"));
  await using weir = await Weir.start(["-c", file], { permissions: [`--allow-read=${file}`] });
  assertEquals(await statusOf(weir), DENIED);

  await folder.write("weir.toml", rule("deny", "a.example") + rule("allow", "127.0.0.1"));
  weir.signal("SIGHUP");
  const from = await weir.said(`SIGHUP: ${file} is in force: rules 1 → 2, default allow → deny\n`);
  assertEquals(await statusOf(weir), ALLOWED);
  assertEquals(await statusOf(weir, "a.example"), DENIED);

  await folder.write("weir.toml", rule("allow", "127.0.0.1") + rule("deny", "127.0.0.1"));
  weir.signal("SIGHUP");
  const after = await weir.said(`error: SIGHUP: ${file}:4: `, from);
  await weir.said("error: SIGHUP: the old configuration stays in force", after);
  assertEquals(await statusOf(weir), ALLOWED);
});

Deno.test("SIGHUP reads a list again that has changed, also without a file of options", async () => {
  await using folder = await Folder.make();
  const list = await folder.write("list.txt", "127.0.0.1\n");
  await using weir = await Weir.start(["--deny", `@${list}`], { permissions: [`--allow-read=${list}`] });
  assertEquals(await statusOf(weir), DENIED);
  weir.signal("SIGHUP");
  const from = await weir.said("SIGHUP: what the flags name is in force\n");
  await folder.write("list.txt", "a.example\nhttps://b.example/\n");
  weir.signal("SIGHUP");
  await weir.said(`warning: SIGHUP: ${list}:2: `, from);
  await weir.said("SIGHUP: what the flags name is in force: 1 list read again\n", from);
  assertEquals(await statusOf(weir), ALLOWED);
});

Deno.test("SIGHUP says that nobody is asked any more who they are", async () => {
  await using folder = await Folder.make();
  await folder.write("users", "# nobody\n");
  const file = await folder.write("weir.toml", 'policy.users = "users"\n');
  await using weir = await Weir.start(["-c", file], { permissions: [`--allow-read=${folder.path}`] });
  assertEquals(await statusOf(weir), 407);
  await folder.write("weir.toml", "");
  weir.signal("SIGHUP");
  await weir.said(`SIGHUP: ${file} is in force: authentication always → none\n`);
  assertEquals(await statusOf(weir), ALLOWED);
});

Deno.test("SIGHUP with a list that has gone changes nothing", async () => {
  await using folder = await Folder.make();
  const list = await folder.write("list.txt", "127.0.0.1\n");
  const file = await folder.write("weir.toml", '[[rule]]\naction = "deny"\nhosts = "@list.txt"\n');
  const permissions = [`--allow-read=${folder.path}`];
  await using weir = await Weir.start(["-c", file], { permissions });
  await folder.write("weir.toml", '[[rule]]\naction = "deny"\nhosts = "@lost.txt"\n');
  weir.signal("SIGHUP");
  const lost = list.replace("list", "lost");
  const from = await weir.said(`error: SIGHUP: ${lost} cannot be read: there is no such file`);
  await weir.said("error: SIGHUP: the old configuration stays in force", from);
  assertEquals(await statusOf(weir), DENIED);
});

Deno.test({
  name: "SIGHUP waits for nobody who writes into a pipe, whichever file has become one",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await Folder.make();
    const rule = (action: string, hosts: string) => `[[rule]]\naction = "${action}"\nhosts = "${hosts}"\n`;
    const file = await folder.write("weir.toml", rule("deny", "127.0.0.1"));
    await using weir = await Weir.start(["-c", file], { permissions: [`--allow-read=${folder.path}`] });
    await system("rm", file);
    await system("mkfifo", file);
    weir.signal("SIGHUP");
    let from = await weir.said(`error: SIGHUP: ${file} cannot be read again: it is a pipe\n`);
    from = await weir.said("SIGHUP: the old configuration stays in force\n", from);

    await system("rm", file);
    await folder.write("weir.toml", rule("deny", "@list"));
    await system("mkfifo", `${folder.path}/list`);
    weir.signal("SIGHUP");
    from = await weir.said(`error: SIGHUP: ${folder.path}/list cannot be read again: it is a pipe\n`, from);
    assertEquals(await statusOf(weir), DENIED);

    await folder.write("weir.toml", rule("deny", "a.example"));
    weir.signal("SIGHUP");
    await weir.said(`SIGHUP: ${file} is in force`, from);
    assertEquals(await statusOf(weir), ALLOWED);
  },
});

async function system(program: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(program, { args }).output();
  assert(success, program);
}

Deno.test("SIGHUP does not open to everybody what listens on all addresses", async () => {
  await using folder = await Folder.make();
  const file = await folder.write("weir.toml", 'listen = "0.0.0.0:0"\npolicy.clients = "loopback"\n');
  await using weir = await Weir.start(["--listen", "0.0.0.0:0", "-c", file], {
    permissions: [`--allow-read=${file}`],
  });
  await folder.write("weir.toml", 'listen = "127.0.0.1:0"\n');
  weir.signal("SIGHUP");
  const from = await weir.said("error: SIGHUP: 0.0.0.0:0 may be reached from anywhere");
  await weir.said("error: SIGHUP: the old configuration stays in force", from);
});

Deno.test("a file of users that changes is in force without a signal", async () => {
  await using folder = await Folder.make();
  const file = await folder.write("users", "");
  await using weir = await Weir.start(["--users", file], { permissions: [`--allow-read=${file}`] });
  assertEquals(await statusOf(weir), 407);
  await folder.write("users", "alice\n");
  const from = await weir.said(`error: ${file}`);
  await folder.write("users", "# nobody\n");
  await weir.said(`info: ${file}: 0 users are in force`, from);
  assert(weir.err.includes("the users stay as they were"));
});

Deno.test("SIGHUP tells a missing permission in whole lines, with the one to run", async () => {
  await using folder = await Folder.make();
  const list = await folder.write("list.txt", "a.example\n");
  const file = await folder.write("weir.toml", "");
  await using weir = await Weir.start(["-c", file], { permissions: [`--allow-read=${file}`] });
  await folder.write("weir.toml", '[[rule]]\naction = "deny"\nhosts = ["@list.txt"]\n');
  weir.signal("SIGHUP");
  const from = await weir.said(
    `error: SIGHUP: ${list} cannot be read: that needs the permission --allow-read\n`,
  );
  await weir.said(`error: SIGHUP: give it:  deno run --allow-net --allow-read=${file},${list} `, from);
  await weir.said("error: SIGHUP: the old configuration stays in force", from);
});

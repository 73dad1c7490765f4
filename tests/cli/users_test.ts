import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConfigError } from "../../src/config/errors.ts";
import { readFlags } from "../../src/config/flags.ts";
import { parseListenAddress } from "../../src/net/listen.ts";
import { FileUsers, loadUsers } from "../../src/cli/users.ts";
import { watchFile } from "../../src/cli/watch_file.ts";
import { Folder } from "./weir.ts";

// of the password "password", at the least cost
const HASH = "$2y$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm";
const OTHER = "$scrypt$ln=4,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E";
const LINE = readFlags([], parseListenAddress);

Deno.test("the users of a file are those who know their passwords", async () => {
  await using folder = await Folder.make();
  const users = await loadUsers(await folder.write("users", `alice:${HASH}\n`), LINE);
  assertEquals([users.size, users.recordOf("alice"), users.recordOf("bob")], [1, HASH, undefined]);
  assert(await users.verify("alice", "password"));
  assert(!await users.verify("alice", "Password"));
  assert(!await users.verify("bob", "password"));
  assert(!await users.verify("", "password"));
});

Deno.test("a name of no user is none, not even with another user's password, and in an empty file", async () => {
  const users = new FileUsers("users", "");
  for (const name of ["alice", "toString", "__proto__"]) assert(!await users.verify(name, "password"));
});

Deno.test("a file with something wrong in it is not loaded, and all of that is told", async () => {
  await using folder = await Folder.make();
  const path = await folder.write("users", `alice:${HASH}\nbob\nalice:${HASH}\n`);
  const error = await assertRejects(() => loadUsers(path, LINE), ConfigError);
  assertEquals(error.problems, [
    `${path}, line 2: this is no user:hash`,
    `${path}, line 3: the user alice is there already`,
  ]);
  await assertRejects(() => loadUsers(`${folder.path}/none`, LINE), ConfigError, "there is no such file");
});

Deno.test("another text is in force at once, and a wrong one never", async () => {
  const users = new FileUsers("users", "");
  assertEquals(users.reload(`alice:${HASH}\n`), []);
  const { version } = users;
  assertEquals(users.reload(`bob:${OTHER}\nalice`), ["users, line 2: this is no user:hash"]);
  assertEquals([users.version, users.recordOf("alice")], [version, HASH]);
  assertEquals(users.reload(`bob:${OTHER}\n`), []);
  assertEquals([users.version > version, users.recordOf("alice"), users.recordOf("bob")], [
    true,
    undefined,
    OTHER,
  ]);
  assert(!await users.verify("alice", "password"));
});

Deno.test("a watched file is read again when it changes, and its loss is told once", async () => {
  await using folder = await Folder.make();
  const path = await folder.write("users", "one");
  const events: string[] = [];
  let heard = Promise.withResolvers<void>();
  const hear = (event: string) => {
    events.push(event);
    heard.resolve();
    heard = Promise.withResolvers();
  };
  const until = async (event: string) => {
    while (!events.includes(event)) await heard.promise;
  };
  // the watch itself keeps nothing alive
  const alive = setInterval(() => {}, 1_000);
  // a state that the file does not have: it has changed since it was read
  const stop = watchFile(path, "", 10, { changed: (text) => hear(text), lost: () => hear("lost") }, 5);
  try {
    await until("one");
    await folder.write("users", "another");
    await until("another");
    await folder.write("users", "too long for it");
    await until("lost");
    await folder.write("users", "last");
    await until("last");
  } finally {
    await stop();
    clearInterval(alive);
  }
  // whoever writes a file in place empties it first
  assertEquals(events.filter((event) => event !== ""), ["one", "another", "lost", "last"]);
});

Deno.test({
  name: "a watched file that becomes a pipe is lost, and nobody waits for what is written into it",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await Folder.make();
    const path = `${folder.path}/users`;
    assert((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
    const lost = Promise.withResolvers<string>();
    const stop = watchFile(path, "", 10, { changed: (text) => lost.resolve(text), lost: lost.resolve }, 5);
    try {
      assertEquals(await lost.promise, "cannot be read: it is a pipe");
    } finally {
      await stop();
    }
  },
});

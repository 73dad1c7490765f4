/** What weir writes as root and as another user: never through what a third one could have put in its place. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { freePort, until } from "./programs.ts";
import { isRoot, modeAndOwner, NOBODY, OtherUsers } from "./other_users.ts";
import { KEY, VALID } from "../net/tls_certificates.ts";
import { Weir } from "./weir.ts";

const USER = "alice:$2y$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm\n";
const CONFIG = `listen-tls = "127.0.0.1:0"
tls-cert = "cert.pem"
tls-key = "key.pem"
[policy]
users = "users"
[[rule]]
action = "allow"
hosts = ["@hosts", "@list"]
`;

const LOG = '{"time":"2026-01-01T00:00:00Z","method":"GET","target":"http://a.example/","status":200}\n';

const asRoot = (name: string, fn: () => Promise<void>) => Deno.test({ name, ignore: !isRoot, fn });

asRoot("root writes no file of users and no policy into a folder that another user can change", async () => {
  await using users = await OtherUsers.make();
  const own = await users.folder("own", NOBODY, 0o755);
  const open = await users.folder("open", 0, 0o777);
  const group = await users.folder("group", 0, 0o775, NOBODY);
  const inside = await users.folder("own/inside", 0, 0o755);
  const log = await users.file(`${users.path}/log`, LOG, 0, 0o644);
  for (
    const [folder, wrong, why] of [
      [own, own, `belongs to another user (${NOBODY})`],
      [open, open, "can be changed by every user of this machine"],
      [group, group, `can be changed by every member of its group (${NOBODY})`],
      [inside, own, `belongs to another user (${NOBODY})`],
    ]
  ) {
    const file = await users.file(`${folder}/file`, "# ours\n", NOBODY, 0o666);
    for (const args of [["passwd", file, "alice"], ["learn", log, "--into", file]]) {
      const { code, stderr } = await users.weir(0, args);
      assertEquals(code, 3, `${args} ${stderr}`);
      assertStringIncludes(stderr, `weir: ${file} is not written: the folder ${wrong} ${why}`);
    }
    assertEquals(await Deno.readTextFile(file), "# ours\n");
    assertEquals(modeAndOwner(file), `666 ${NOBODY}`);
  }
});

asRoot(
  "in a folder that root alone changes a file of another user stays that user's, with its mode",
  async () => {
    await using users = await OtherUsers.make();
    const folder = await users.folder("weir.d", 0, 0o755);
    const file = await users.file(`${folder}/users`, "# ours\n", NOBODY, 0o640);
    assertEquals((await users.weir(0, ["passwd", file, "alice"])).stderr, "weir: alice is a user now\n");
    assertEquals(modeAndOwner(file), `640 ${NOBODY}`);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["users"]);
  },
);

asRoot("in a folder like /tmp only one's own files are replaced", async () => {
  await using users = await OtherUsers.make();
  const folder = await users.folder("shared", 0, 0o1777);
  const others = await users.file(`${folder}/others`, "# ours\n", NOBODY, 0o666);
  const refused = await users.weir(0, ["passwd", others, "alice"]);
  assertEquals(refused.code, 3);
  assertStringIncludes(refused.stderr, `${others} belongs to another user (${NOBODY})`);
  for (const uid of [0, NOBODY]) {
    const file = `${folder}/of-${uid}`;
    assertEquals((await users.weir(uid, ["passwd", file, "alice"])).code, 0);
    assertEquals((await users.weir(uid, ["passwd", file, "bob"])).code, 0);
    assertEquals(modeAndOwner(file), `600 ${uid}`);
  }
});

asRoot("an ordinary user writes where nobody else does, and is told where others do", async () => {
  await using users = await OtherUsers.make();
  const own = await users.folder("own", NOBODY, 0o775);
  const open = await users.folder("open", 0, 0o777);
  assertEquals((await users.weir(NOBODY, ["passwd", `${own}/users`, "alice"])).code, 0);
  assertEquals(modeAndOwner(`${own}/users`), `600 ${NOBODY}`);
  const { code, stderr } = await users.weir(NOBODY, ["passwd", `${open}/users`, "alice"]);
  assertEquals(code, 3);
  assertStringIncludes(stderr, `chmod o-w ${open}`);
});

asRoot("weir keeps no cache in a folder or in files of another user, and follows no link there", async () => {
  await using users = await OtherUsers.make();
  const victim = await users.file(`${users.path}/victim`, "of root\n", 0, 0o600);
  const own = await users.folder("own", NOBODY, 0o755);
  const open = await users.folder("open", 0, 0o777);
  const shared = await users.folder("shared", 0, 0o1777);
  const group = await users.folder("group", 0, 0o2775, NOBODY);
  const linked = await users.folder("linked", 0, 0o700);
  const foreign = await users.folder("foreign", 0, 0o700);
  const writable = await users.folder("writable", 0, 0o700);
  await users.file(`${foreign}/weir-cache.sqlite`, "", NOBODY, 0o600);
  await users.file(`${writable}/weir-cache.sqlite-wal`, "", 0, 0o666);
  const start = (folder: string) => users.weir(0, ["-l", "127.0.0.1:0", "--cache-dir", folder]);
  for (
    const [folder, why] of [
      [own, `the cache's folder ${own} belongs to another user (${NOBODY})`],
      [open, `the cache's folder ${open} can be changed by every user of this machine: name one inside it`],
      [
        group,
        `the cache's folder ${group} can be changed by every member of its group (${NOBODY}): name one inside`,
      ],
      [shared, `name one inside it, such as ${shared}/weir`],
      [foreign, `${foreign}/weir-cache.sqlite belongs to another user (${NOBODY})`],
      [writable, `${writable}/weir-cache.sqlite-wal can be written by other users`],
    ]
  ) {
    const { code, stderr } = await start(folder);
    assertEquals(code, 3, stderr);
    assertStringIncludes(stderr, why);
  }
  for (const name of ["pid", "lock", "sqlite", "sqlite-wal", "sqlite-shm", "sqlite-journal"]) {
    const link = `${linked}/weir-cache.${name}`;
    await Deno.symlink(victim, link);
    for (const run of [() => start(linked), () => users.weir(0, ["cache", "clear", "--cache-dir", linked])]) {
      const { code, stderr } = await run();
      assertEquals(code, 3, stderr);
      // to look into a cache there has to be one
      if (!stderr.includes("holds no cache")) assertStringIncludes(stderr, `${link} is a link: remove it`);
    }
    await Deno.remove(link);
  }
  assertEquals([await Deno.readTextFile(victim), modeAndOwner(victim)], ["of root\n", "600 0"]);
});

asRoot("the folder of a cache that weir makes is the user's alone, whatever the umask", async () => {
  await using users = await OtherUsers.make();
  const volume = await users.folder("volume", 0, 0o777);
  for (const uid of [0, NOBODY]) {
    const folder = `${volume}/of-${uid}/cache`;
    const args = ["-l", `127.0.0.1:${freePort()}`, "--cache-dir", folder];
    const command = ["sh", "-c", 'umask 000; exec "$0" "$@"', ...users.command(uid, args)];
    await using weir = await Weir.start([], { command, cwd: users.path });
    const names = ["lock", "pid", "sqlite", "sqlite-shm", "sqlite-wal"].map((end) => `weir-cache.${end}`);
    await until("the cache's files", () => names.every((name) => exists(`${folder}/${name}`)));
    assertEquals(modeAndOwner(folder), `700 ${uid}`);
    assertEquals(names.map((name) => modeAndOwner(`${folder}/${name}`)), names.map(() => `600 ${uid}`));
    assertEquals(await weir.stop(), 0);
    // it opens again, and the commands take it for what it is
    assertEquals((await users.weir(uid, ["cache", "clear", "--cache-dir", folder])).code, 0);
  }
});

asRoot(
  "what of a download is not whole is removed, but by no path that another user could lead elsewhere",
  async () => {
    await using users = await OtherUsers.make();
    using origin = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    void (async () => {
      for await (const connection of origin) {
        await connection.read(new Uint8Array(4096));
        await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"));
        connection.close();
      }
    })().catch(() => {});
    const url = `http://127.0.0.1:${origin.addr.port}/`;
    const own = await users.folder("own", NOBODY, 0o755);
    const safe = await users.folder("safe", 0, 0o755);
    for (const folder of [own, safe]) {
      const { code, stderr } = await users.weir(0, ["get", "--direct", url, "-o", `${folder}/file`]);
      assertEquals(code, 1, stderr);
    }
    assertEquals(exists(`${safe}/file`), false);
    assertEquals((await Deno.stat(`${own}/file`)).size, 0);
  },
);

asRoot(
  "files that decide who may do what are warned of where other users can change them, and a key that all can read",
  async () => {
    await using users = await OtherUsers.make();
    const folder = await users.folder("etc", 0, 0o755);
    const [cert, key] = [VALID, KEY];
    const file = (name: string, text: string, mode: number) => users.file(`${folder}/${name}`, text, 0, mode);
    await file("hosts", "a.example\n", 0o664);
    const [list, names] = [await file("list", "b.example\n", 0o646), await file("users", USER, 0o602)];
    const open = [list, names, await file("cert.pem", cert, 0o622), await file("weir.toml", CONFIG, 0o666)];
    const secret = await file("key.pem", key, 0o644);
    const { code, stderr } = await users.weir(0, ["--check", "-c", `${folder}/weir.toml`]);
    assertEquals(code, 0, stderr);
    for (const path of open) {
      assertStringIncludes(
        stderr,
        `warning: ${path} can be changed by other users of this machine: chmod go-w ${path}`,
      );
    }
    assertStringIncludes(stderr, `warning: the key in ${secret} can be read by every user of this machine`);
    assertEquals(stderr.match(/warning:/g)!.length, 5, stderr);
  },
);

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

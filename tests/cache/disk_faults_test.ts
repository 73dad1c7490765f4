/** What becomes of a disk store whose files are not what they were: never a wrong byte, and never an exception. */

import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { DiskBodyLost } from "../../src/cache/disk/body.ts";
import { DiskReader } from "../../src/cache/disk/reader.ts";
import { PAGE_SIZE, WRITING } from "../../src/cache/disk/schema.ts";
import type { DiskStore } from "../../src/cache/disk_store.ts";
import { bodyOf, bytesOf, DiskFolder, put } from "./disk_folder.ts";

const LENGTHS = [0, 100, 5_000, 60_000, 140_000, 400_000];
const COUNT = 30;
const keyOf = (i: number) => `http://example.com:80/${i}`;
const lengthOf = (i: number) => LENGTHS[i % LENGTHS.length];

async function fill(store: DiskStore): Promise<void> {
  for (let i = 0; i < COUNT; i++) await put(store, keyOf(i), bytesOf(i, lengthOf(i)), "v", `{"n":${i}}`);
}

/** How many objects are there; all that are found and read have to be right. */
async function countRight(store: DiskStore): Promise<number> {
  let right = 0;
  for (let i = 0; i < COUNT; i++) {
    for (const object of store.lookup(keyOf(i))) {
      assertEquals([object.key, object.meta, object.length], [keyOf(i), `{"n":${i}}`, lengthOf(i)]);
      try {
        assertEquals(await bodyOf(store, object), bytesOf(i, lengthOf(i)));
        right++;
      } catch (error) {
        if (!(error instanceof DiskBodyLost)) throw error;
      }
    }
  }
  return right;
}

/** The store works: it may begin anew first, when it notices only now. */
async function assertWorks(store: DiskStore): Promise<void> {
  for (let time = 0; time < 1000; time++) {
    await put(store, "new", bytesOf(99, 200_000));
    const [object] = store.lookup("new");
    if (object !== undefined) {
      assertEquals(await bodyOf(store, object), bytesOf(99, 200_000));
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("the store keeps nothing");
}

/** The files of a store that was closed, and of one that `kill -9` has ended; made once, and copied. */
const templates: { closed?: Map<string, Uint8Array>; killed?: Map<string, Uint8Array> } = {};

async function makeTemplates(): Promise<void> {
  await using folder = new DiskFolder();
  const store = await folder.open();
  await fill(store);
  const files = () =>
    new Map(["", "-wal", "-shm"].flatMap((end) => {
      try {
        return [[end, Deno.readFileSync(folder.file(end))] as const];
      } catch {
        return [];
      }
    }));
  templates.killed = files();
  await store.close();
  templates.closed = files();
}

async function filled(killed = false): Promise<DiskFolder> {
  if (templates.closed === undefined) await makeTemplates();
  const folder = new DiskFolder();
  for (const [end, bytes] of templates[killed ? "killed" : "closed"]!) {
    Deno.writeFileSync(folder.file(end), bytes);
  }
  return folder;
}

function random(seed: number): () => number {
  let state = seed * 2654435761 >>> 0;
  return () => {
    state = Math.imul(state ^ state >>> 15, 2246822519) + 0x9e3779b9 >>> 0;
    return state / 2 ** 32;
  };
}

/** Overwrites some bytes of a file at places that the seed tells. */
function damage(file: string, seed: number): void {
  const next = random(seed);
  using handle = Deno.openSync(file, { read: true, write: true });
  const { size } = handle.statSync();
  for (let i = 0; i < 4; i++) {
    handle.seekSync(Math.floor(next() * size), Deno.SeekMode.Start);
    handle.writeSync(bytesOf(seed + i, 1 + Math.floor(next() * 9000)));
  }
}

Deno.test("as kill -9 leaves the files, everything is there", async () => {
  await using folder = await filled(true);
  const store = await folder.open();
  assertEquals(await countRight(store), COUNT);
  assertEquals(folder.notices, []);
});

for (
  const [name, spoil] of Object.entries<(file: string) => void>({
    "a text": (file) => Deno.writeTextFileSync(file, "this is no database\n".repeat(1000)),
    "cut to half a page": (file) => Deno.truncateSync(file, 4000),
    "cut in the middle": (file) => Deno.truncateSync(file, Deno.statSync(file).size >> 1),
    "without its tables": (file) => {
      const database = new DatabaseSync(file);
      database.exec("DROP TABLE pieces");
      database.close();
    },
    "with columns of another kind": (file) => {
      const database = new DatabaseSync(file);
      database.exec("DROP TABLE entries; CREATE TABLE entries (id INTEGER PRIMARY KEY, hash TEXT)");
      database.close();
    },
  })
) {
  Deno.test(`a database that is ${name} is told once and thrown away, and the store works`, async () => {
    await using folder = await filled();
    spoil(folder.file());
    const store = await folder.open();
    await countRight(store);
    await assertWorks(store);
    assert(store.isOn);
    assertEquals(folder.notices.length, 1, folder.notices.join("\n"));
  });
}

Deno.test("an empty database file is a new store", async () => {
  await using folder = await filled();
  Deno.truncateSync(folder.file(), 0);
  const store = await folder.open();
  await assertWorks(store);
  assertEquals(folder.notices, []);
});

for (const what of ["", "-wal", "-shm"]) {
  Deno.test(`whatever bytes of the database${what} are wrong, nothing wrong is read and the store works`, async () => {
    let right = 0;
    for (let seed = 1; seed <= (what === "" ? 10 : 5); seed++) {
      await using folder = await filled(what !== "");
      damage(folder.file(what), seed);
      let store = await folder.open();
      right += await countRight(store);
      await assertWorks(store);
      store = await folder.reopen(store);
      right += await countRight(store);
      await assertWorks(store);
    }
    assert(right > 0);
  });
}

for (const what of ["-wal", "-shm"]) {
  Deno.test(`when the ${what} of a killed process is missing or half, nothing wrong is read`, async () => {
    for (const part of [0.5, 0.01, null]) {
      await using folder = await filled(true);
      if (part === null) Deno.removeSync(folder.file(what));
      else Deno.truncateSync(folder.file(what), Math.floor(Deno.statSync(folder.file(what)).size * part));
      const store = await folder.open();
      const right = await countRight(store);
      if (what === "-shm") assertEquals(right, COUNT);
      await assertWorks(store);
    }
  });
}

Deno.test("a database that is damaged while it is used begins anew, without an exception", async () => {
  for (let seed = 1; seed <= 6; seed++) {
    await using folder = await filled();
    const store = await folder.open();
    await put(store, "first", bytesOf(1, 10));
    damage(folder.file(), seed);
    if (seed % 2 === 0) Deno.truncateSync(folder.file(), 100_000);
    for (let i = 0; i < COUNT; i++) {
      store.remove(keyOf(i * 7 % COUNT));
      await put(store, keyOf(i), bytesOf(i, lengthOf(i)), "v", `{"n":${i}}`);
      await countRight(store);
    }
    await assertWorks(store);
    assert(store.isOn);
    assert(folder.notices.length <= 3, folder.notices.join("\n"));
  }
});

Deno.test("when the files are removed while they are used, the store goes on or begins anew", async () => {
  await using folder = await filled();
  let store = await folder.open();
  for (const end of ["", "-wal", "-shm"]) {
    try {
      Deno.removeSync(folder.file(end));
    } catch {
      // not all are there
    }
  }
  await countRight(store);
  await assertWorks(store);
  store = await folder.reopen(store);
  await countRight(store);
  await assertWorks(store);
});

Deno.test("a store of an older form begins anew and says so", async () => {
  await using folder = await filled();
  const database = new DatabaseSync(folder.file());
  database.exec("PRAGMA user_version = 0");
  database.close();
  const store = await folder.open();
  assertEquals(await countRight(store), 0);
  await assertWorks(store);
  assertEquals(folder.notices.length, 1);
  assert(folder.notices[0].includes("older version"), folder.notices[0]);
});

for (
  const [name, pragma] of [["a newer form", "user_version = 1000"], ["another program", "application_id = 1"]]
) {
  Deno.test(`a store of ${name} is left alone, and weir goes without`, async () => {
    await using folder = await filled();
    const database = new DatabaseSync(folder.file());
    database.exec(`PRAGMA ${pragma}; PRAGMA wal_checkpoint(TRUNCATE)`);
    database.close();
    const before = Deno.readFileSync(folder.file());
    const store = await folder.open();
    assert(!store.isOn);
    assertEquals(store.lookup(keyOf(1)), []);
    store.write("k", "v", "{}", []);
    store.clear();
    await store.close();
    assertEquals(Deno.readFileSync(folder.file()), before);
    assertEquals(folder.notices.length, 1);
    assert(folder.notices[0].includes("left alone"), folder.notices[0]);
  });
}

Deno.test("a database that cannot be opened is told, and weir goes without", async () => {
  await using folder = new DiskFolder();
  Deno.mkdirSync(folder.file());
  const store = await folder.open();
  assert(!store.isOn);
  await put(store, "k", bytesOf(1, 10));
  assertEquals(store.lookup("k"), []);
  assertEquals(folder.notices.length, 1);
});

/** What a process that is killed while it throws a store away leaves behind: some of the files, and the rest gone. */
for (const left of [["-wal", "-shm"], ["-shm"]]) {
  Deno.test(`where only the ${left.join(" and ")} of a store is left, a new one begins, with nothing of the old`, async () => {
    await using folder = await filled(true);
    for (const end of ["", "-wal", "-shm"]) if (!left.includes(end)) Deno.removeSync(folder.file(end));
    const store = await folder.open();
    assertEquals(await countRight(store), 0);
    await assertWorks(store);
    assertEquals((await store.stats())!.objects, 1);
    assertEquals(folder.notices, []);
  });
}

Deno.test("a database that was killed before it had tables becomes one like all others", async () => {
  await using folder = new DiskFolder();
  const started = new DatabaseSync(folder.file());
  started.exec(WRITING);
  started.close();
  const store = await folder.open();
  await assertWorks(store);
  await store.close();
  const database = new DatabaseSync(folder.file(), { readOnly: true });
  const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get()!)[0];
  assertEquals([pragma("page_size"), pragma("auto_vacuum"), pragma("journal_mode")], [PAGE_SIZE, 2, "wal"]);
  database.close();
  assertEquals(folder.notices, []);
});

Deno.test("who looks into a store while it begins anew sees what was, and takes nothing from the new one", async () => {
  await using folder = await filled();
  let store = await folder.open();
  const reader = DiskReader.open(folder.path);
  assertEquals([...reader.all()].length, COUNT);
  for (const name of [...Deno.readDirSync(folder.path)].map(({ name }) => name)) {
    // the reader has these files still, under no name
    if (name.startsWith("weir-cache.sqlite")) Deno.removeSync(`${folder.path}/${name}`);
  }
  store = await folder.reopen(store);
  await put(store, "new", bytesOf(99, 200_000));
  assertEquals([...reader.all()].length, COUNT);
  reader.close();
  store = await folder.reopen(store);
  assertEquals(await bodyOf(store, store.lookup("new")[0]), bytesOf(99, 200_000));
  assertEquals(folder.notices, []);
});

Deno.test("a lock that is no lock is told with its name, and weir goes without", async () => {
  await using folder = new DiskFolder();
  Deno.writeTextFileSync(`${folder.path}/weir-cache.lock`, "this is no database\n".repeat(1000));
  const store = await folder.open();
  assert(!store.isOn);
  assertEquals(folder.notices.length, 1);
  assert(folder.notices[0].includes("weir-cache.lock: "), folder.notices[0]);
});

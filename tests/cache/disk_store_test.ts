import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import fc from "fast-check";
import { DatabaseSync } from "node:sqlite";
import { DiskBodyLost } from "../../src/cache/disk/body.ts";
import { DiskReader } from "../../src/cache/disk/reader.ts";
import { FolderInUse } from "../../src/cache/disk/lock.ts";
import { DiskStore, LONGEST_KEY, LONGEST_META } from "../../src/cache/disk_store.ts";
import { bodyOf, bytesOf, DiskFolder, MIB, pieces, put } from "./disk_folder.ts";

const LENGTHS = [0, 1, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 400_000];

Deno.test("what is written is found with its meta and every byte, before and after a restart", async () => {
  await using folder = new DiskFolder();
  let store = await folder.open();
  for (const length of LENGTHS) {
    assert(
      store.write(`http://a:80/${length}`, "v", `{"length":${length}}`, pieces(bytesOf(length, length))),
    );
  }
  await store.settled();
  for (let time = 0; time < 2; time++) {
    for (const length of LENGTHS) {
      const [object, ...others] = store.lookup(`http://a:80/${length}`);
      assertEquals(others, []);
      assertEquals(object.meta, `{"length":${length}}`);
      assertEquals(object.length, length);
      assertEquals(await bodyOf(store, object), bytesOf(length, length));
    }
    assertEquals(store.lookup("http://a:80/none"), []);
    store = await folder.reopen(store);
  }
  assertEquals(folder.notices, []);
});

Deno.test("any part of a body can be read", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open();
  const body = bytesOf(1, 400_000);
  await put(store, "k", body);
  const [object] = store.lookup("k");
  const places = [0, 1, 131_071, 131_072, 131_073, 262_144, 399_999, 400_000];
  for (const first of places) {
    for (const end of places) {
      if (first > end) continue;
      assertEquals(await bodyOf(store, object, first, end), body.slice(first, end), `${first}–${end}`);
    }
  }
});

Deno.test("a key has variants, of which one that is written again replaces itself alone", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open();
  for (const variant of ["one", "two", "three"]) await put(store, "k", bytesOf(1, 10), variant);
  await put(store, "k", bytesOf(2, 20), "two", '"new"');
  assertEquals(store.lookup("k").map(({ variant }) => variant).sort(), ["one", "three", "two"]);
  const two = store.lookup("k").find(({ variant }) => variant === "two")!;
  assertEquals([two.meta, two.length], ['"new"', 20]);
  assertEquals((await store.stats())?.objects, 3);
});

Deno.test("of more than sixteen variants of a key the oldest goes", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open();
  for (let i = 0; i < 18; i++) await put(store, "k", bytesOf(i, 10), `${i}`);
  assertEquals(store.lookup("k").map(({ variant }) => variant), [...Array(16).keys()].map((i) => `${i + 2}`));
});

Deno.test("what is removed is not found from that moment on, nor after a restart", async () => {
  await using folder = new DiskFolder();
  let store = await folder.open();
  for (const variant of ["one", "two"]) await put(store, "k", bytesOf(1, 10), variant);
  await put(store, "other", bytesOf(1, 10));
  store.remove("k", "one");
  assertEquals(store.lookup("k"), []);
  await store.settled();
  assertEquals(store.lookup("k").map(({ variant }) => variant), ["two"]);
  store.remove("k");
  assertEquals(store.lookup("k"), []);
  store = await folder.reopen(store);
  assertEquals(store.lookup("k"), []);
  assertEquals(store.lookup("other").length, 1);
});

Deno.test("a removal holds for what was written before it and waits, and not for what is written after it", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open();
  store.write("before", "v", "{}", [bytesOf(1, 10)]);
  store.remove("before");
  store.remove("after");
  store.write("after", "v", "{}", [bytesOf(1, 10)]);
  await store.settled();
  assertEquals(store.lookup("before"), []);
  assertEquals(store.lookup("after").length, 1);
});

Deno.test("everything can be cleared, from that moment on, and the files get small", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open();
  for (let i = 0; i < 20; i++) await put(store, `${i}`, bytesOf(i, MIB));
  store.clear();
  assertEquals(store.lookup("7"), []);
  await put(store, "new", bytesOf(1, 10));
  assertEquals(store.lookup("7"), []);
  assertEquals(store.lookup("new").length, 1);
  await smallerThan(store, 16 * MIB);
  const again = await folder.reopen(store);
  assertLess((await again.stats())!.fileBytes, 6 * MIB);
});

Deno.test("another meta leaves the body as it is; of what is not there nothing comes", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open();
  await put(store, "k", bytesOf(1, 200_000), "one");
  await put(store, "k", bytesOf(2, 10), "two");
  store.writeMeta("k", "one", '"later"');
  store.writeMeta("k", "three", "{}");
  store.writeMeta("none", "one", "{}");
  await store.settled();
  assertEquals(store.lookup("k").map(({ meta }) => meta).sort(), ['"later"', "{}"]);
  assertEquals(store.lookup("none"), []);
  const one = store.lookup("k").find(({ variant }) => variant === "one")!;
  assertEquals(await bodyOf(store, one), bytesOf(1, 200_000));
});

Deno.test("the files stay within the limit, and what was used last stays", async () => {
  await using folder = new DiskFolder();
  const limit = 8 * MIB;
  const store = await folder.open(limit);
  await put(store, "used", bytesOf(1, 100_000));
  await put(store, "touched", bytesOf(2, 100_000));
  let worst = 0;
  for (let i = 0; i < 150; i++) {
    await put(store, `${i}`, bytesOf(i, 150_000));
    if (i % 10 === 0) {
      store.used("touched", "v");
      store.used("used", "v");
      assertEquals(await bodyOf(store, store.lookup("used")[0]), bytesOf(1, 100_000));
    }
    worst = Math.max(worst, (await store.stats())!.fileBytes);
  }
  assertLess(worst, limit * 1.05);
  assertEquals(store.lookup("used").length, 1);
  assertEquals(store.lookup("touched").length, 1);
  assertEquals(store.lookup("0"), []);
  assertEquals(store.lookup("149").length, 1);
  assert((await store.stats())!.evicted > 80);
});

Deno.test("how often an object was used is written soon, whatever else happens or does not", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open();
  for (const variant of ["one", "two"]) await put(store, "k", bytesOf(1, 10), variant);
  for (let i = 0; i < 3; i++) store.used("k", "two");
  const reader = DiskReader.open(folder.path);
  const hits = () => [...reader.all()].map(({ variant, hits }) => `${variant} ${hits}`).join();
  while (hits() !== "one 0,two 3") await new Promise((resolve) => setTimeout(resolve, 5));
  reader.close();
});

Deno.test("uses of what was found are counted with those that are named, however often and of how many", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open();
  for (const variant of ["one", "two", "three", "four"]) await put(store, "k", bytesOf(1, 10), variant);
  const [one, two, three] = store.lookup("k");
  for (const { number } of [one, two, two, three]) store.usedFound(number);
  store.used("k", "two");
  await put(store, "k", bytesOf(2, 10), "three");
  const reader = DiskReader.open(folder.path);
  const hits = () => [...reader.all()].map(({ variant, hits }) => `${variant} ${hits}`).sort().join();
  while (hits() !== "four 0,one 1,three 0,two 3") await new Promise((resolve) => setTimeout(resolve, 5));
  // it has gone, and counts for nobody
  store.usedFound(three.number);
  store.usedFound(one.number);
  while (hits() !== "four 0,one 2,three 0,two 3") await new Promise((resolve) => setTimeout(resolve, 5));
  reader.close();
});

Deno.test("whatever the clock does, the variants of a key come as they were written, and the oldest goes first", async () => {
  await using folder = new DiskFolder();
  let store = await folder.open();
  for (let i = 0; i < 16; i++) await put(store, "k", bytesOf(i, 10), `${i}`);
  await store.close();
  const database = new DatabaseSync(folder.file());
  database.exec("UPDATE objects SET written = written + 1e10 - 1e6 * id");
  database.close();
  store = await folder.open();
  await put(store, "k", bytesOf(16, 10), "16");
  assertEquals(store.lookup("k").map(({ variant }) => variant), [...Array(16).keys()].map((i) => `${i + 1}`));
});

Deno.test("a clock that has gone back does not keep what was used before for ever", async () => {
  await using folder = new DiskFolder();
  let store = await folder.open(8 * MIB);
  await put(store, "old", bytesOf(1, 100_000));
  await store.close();
  const database = new DatabaseSync(folder.file());
  database.exec("UPDATE entries SET used = used + 1e10");
  database.close();
  store = await folder.open(8 * MIB);
  for (let i = 0; i < 100; i++) await put(store, `${i}`, bytesOf(i, 150_000));
  assertEquals(store.lookup("old"), []);
  assertEquals(store.lookup("99").length, 1);
});

Deno.test("a lower limit holds after a restart, and while it runs", async () => {
  await using folder = new DiskFolder();
  let store = await folder.open(32 * MIB);
  for (let i = 0; i < 24; i++) await put(store, `${i}`, bytesOf(i, MIB));
  store = await folder.reopen(store, 16 * MIB);
  await smallerThan(store, 16 * MIB);
  store.limit = 8 * MIB;
  await smallerThan(store, 8 * MIB);
  assertEquals(store.lookup("23").length, 1);
});

Deno.test("what is too large is not kept, and what it was to replace is removed, for it is outdated", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open(8 * MIB);
  for (const key of ["body", "meta", "other"]) await put(store, key, bytesOf(1, 10));
  assert(!store.write("body", "v", "{}", pieces(bytesOf(1, MIB + 1))));
  assert(!store.write("meta", "v", "x".repeat(LONGEST_META + 1), []));
  assert(!store.write("k".repeat(LONGEST_KEY + 1), "v", "{}", []));
  await store.settled();
  assertEquals(store.lookup("body"), []);
  assertEquals(store.lookup("meta"), []);
  assertEquals(store.lookup("k".repeat(LONGEST_KEY + 1)), []);
  assertEquals(store.lookup("other").length, 1);
});

Deno.test("more than the disk takes is not kept, without anybody waiting", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open(2048 * MIB);
  await put(store, "99", bytesOf(1, 10));
  const body = bytesOf(1, MIB);
  const kept: boolean[] = [];
  for (let i = 0; i < 100; i++) kept.push(store.write(`${i}`, "v", "{}", [body]));
  assert(kept[0] && !kept[99]);
  await store.settled();
  assertEquals(kept.map((_, i) => store.lookup(`${i}`).length === 1), kept);
});

Deno.test("what is written lets go of its memory, though more is always waiting", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open();
  const body = bytesOf(1, MIB);
  const before = Deno.memoryUsage().rss;
  let most = before;
  for (let kept = 0; kept < 512;) {
    if (store.write("k", `${kept % 8}`, "{}", [body])) kept++;
    else await new Promise((resolve) => setTimeout(resolve));
    most = Math.max(most, Deno.memoryUsage().rss);
  }
  assert(most - before < 256 * MIB, `${Math.round((most - before) / MIB)} MB more for 512 MB written`);
  await store.settled();
});

Deno.test("what is read does not wait for what is to be written", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open(2048 * MIB);
  await put(store, "k", bytesOf(1, 100_000));
  const body = bytesOf(2, MIB);
  for (let i = 0; i < 28; i++) assert(store.write(`${i}`, "v", "{}", [body]));
  let written = false;
  const writing = store.settled().then(() => written = true);
  const reading = store.read(store.lookup("k")[0]);
  const piece = await reading.next();
  // its one piece is here, told by the worker before the last of the writes, however late this is heard
  assert(!written);
  assertEquals(piece, bytesOf(1, 100_000));
  assertEquals(await reading.next(), null);
  await writing;
  assertEquals(store.lookup("27").length, 1);
});

Deno.test("a body that does not come whole is never seen, and takes no room in the end", async () => {
  await using folder = new DiskFolder();
  let store = await folder.open();
  await put(store, "k", bytesOf(1, 10));
  const aborted = store.writer("k", "v");
  for (const piece of pieces(bytesOf(2, 5 * MIB))) assert(aborted.append(piece));
  const left = store.writer("left", "v");
  for (const piece of pieces(bytesOf(2, 5 * MIB))) assert(left.append(piece));
  aborted.abort();
  assert(!aborted.append(bytesOf(1, 1)) && !aborted.finish("{}"));
  await store.settled();
  assertEquals(store.lookup("k").map(({ length }) => length), [10]);
  assertEquals(store.lookup("left"), []);
  store = await folder.reopen(store);
  assertEquals(store.lookup("left"), []);
  await smallerThan(store, 5 * MIB);
  assertEquals(store.lookup("k").length, 1);
});

Deno.test("a body that is being read stays to its end, whatever becomes of the object", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open(16 * MIB);
  const body = bytesOf(1, 2 * MIB);
  for (const change of ["replaced", "removed", "cleared", "evicted"]) {
    await put(store, "k", body);
    const reading = store.read(store.lookup("k")[0]);
    const parts = [(await reading.next())!];
    if (change === "replaced") await put(store, "k", bytesOf(2, 10));
    if (change === "removed") store.remove("k");
    if (change === "cleared") store.clear();
    if (change === "evicted") { for (let i = 0; i < 30; i++) await put(store, `${i}`, bytesOf(i, MIB)); }
    await store.settled();
    for (let part = await reading.next(); part !== null; part = await reading.next()) parts.push(part);
    assertEquals(Number(parts.reduce((sum, { length }) => sum + length, 0)), body.length, change);
    assertEquals(
      new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer()),
      body,
      change,
    );
  }
});

Deno.test("an object that was found and has gone is lost, and not another one's bytes", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open();
  await put(store, "k", bytesOf(1, 300_000));
  const [object] = store.lookup("k");
  await put(store, "k", bytesOf(2, 300_000));
  await assertRejects(() => untilLost(() => bodyOf(store, object)), DiskBodyLost);
  assertEquals(folder.notices, []);
});

/** Waits until the files are small: room is given back when there is nothing else to do. */
async function smallerThan(store: DiskStore, bytes: number): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if ((await store.stats())!.fileBytes <= bytes) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`the files do not get smaller than ${bytes} bytes`);
}

/** Calls until it throws: what was removed is freed a moment later. */
async function untilLost(call: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    await call();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test("a body or a meta with a wrong byte is removed, and told once", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open();
  const keys = ["short", "long", "meta", "length", "swapped"];
  await put(store, "short", bytesOf(1, 100));
  await put(store, "long", bytesOf(1, 400_000));
  await put(store, "meta", bytesOf(1, 100), "v", '{"a":1}');
  await put(store, "length", bytesOf(1, 100));
  await put(store, "swapped", bytesOf(1, 262_144));
  const ids = Object.fromEntries(keys.map((key) => [key, store.lookup(key)[0].id * 2 ** 20]));
  const database = new DatabaseSync(folder.file());
  const flip = (key: string, index: number) => {
    const bytes = database.prepare("SELECT bytes FROM pieces WHERE id = ?").get(ids[key] + index)!
      .bytes as Uint8Array;
    bytes[bytes.length >> 1] ^= 1;
    database.prepare("UPDATE pieces SET bytes = ? WHERE id = ?").run(bytes, ids[key] + index);
  };
  flip("short", 0);
  flip("long", 2);
  database.exec(`UPDATE objects SET meta = '{"a":2}' WHERE key = 'meta'`);
  database.exec("UPDATE objects SET length = 99 WHERE key = 'length'");
  database.exec(`UPDATE pieces SET id = -1 WHERE id = ${ids.swapped}`);
  database.exec(`UPDATE pieces SET id = ${ids.swapped} WHERE id = ${ids.swapped + 1}`);
  database.exec(`UPDATE pieces SET id = ${ids.swapped + 1} WHERE id = -1`);
  database.close();

  assertEquals(store.lookup("short"), []);
  for (const key of ["long", "swapped"]) {
    await assertRejects(() => bodyOf(store, store.lookup(key)[0]), DiskBodyLost);
  }
  assertEquals(store.lookup("meta"), []);
  assertEquals(store.lookup("length"), []);
  assertEquals((await store.stats())!.objects, 0);
  assertEquals((await store.stats())!.damaged, 5);
  for (const key of keys) assertEquals(store.lookup(key), []);
  assertEquals(folder.notices.length, 1, folder.notices.join("\n"));
});

Deno.test("a second store of a folder is refused with the number of the process, and can have it afterwards", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open();
  const error = await assertRejects(() => folder.open(), FolderInUse);
  assertEquals(error.pid, Deno.pid);
  assert(error.message.includes(`process ${Deno.pid}`), error.message);
  await put(store, "k", bytesOf(1, 10));
  const again = await folder.reopen(store);
  assertEquals(again.lookup("k").length, 1);
});

Deno.test("closing again is nothing, and what is asked afterwards finds nothing", async () => {
  await using folder = new DiskFolder();
  const store = await folder.open();
  await put(store, "k", bytesOf(1, 300_000));
  const [object] = store.lookup("k");
  const reading = store.read(object);
  await reading.next();
  await Promise.all([store.close(), store.close()]);
  assert(!store.isOn);
  await assertRejects(async () => {
    for (let i = 0; i < 5; i++) await reading.next();
  }, DiskBodyLost);
  assertEquals(store.lookup("k"), []);
  assert(!store.write("k", "v", "{}", [bytesOf(1, 1)]));
  store.remove("k");
  store.clear();
  store.used("k", "v");
  store.writeMeta("k", "v", "{}");
  await store.settled();
  assertEquals(await store.stats(), null);
});

Deno.test("whatever is done in whatever order, what is found is what was written last", async () => {
  const key = fc.constantFrom("a", "b", "c");
  const variant = fc.constantFrom("1", "2");
  const change = fc.oneof(
    fc.record({
      kind: fc.constant("write" as const),
      key,
      variant,
      length: fc.constantFrom(0, 5, 70_000, 140_000),
    }),
    fc.record({ kind: fc.constant("meta" as const), key, variant }),
    fc.record({ kind: fc.constant("remove" as const), key, variant: fc.option(variant) }),
    fc.record({ kind: fc.constantFrom("clear" as const, "settle" as const, "reopen" as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 40 }), async (changes) => {
      await using folder = new DiskFolder();
      let store = await folder.open();
      const model = new Map<string, { meta: string; seed: number; length: number }>();
      let seed = 0;
      for (const each of changes) {
        seed++;
        if (each.kind === "write") {
          const { key, variant, length } = each;
          assert(store.write(key, variant, `${seed}`, pieces(bytesOf(seed, length), 50_000)));
          model.set(`${key} ${variant}`, { meta: `${seed}`, seed, length });
        } else if (each.kind === "meta") {
          store.writeMeta(each.key, each.variant, `${seed}`);
          const found = model.get(`${each.key} ${each.variant}`);
          if (found !== undefined) found.meta = `${seed}`;
        } else if (each.kind === "remove") {
          store.remove(each.key, each.variant);
          for (const name of [...model.keys()]) {
            const [key, variant] = name.split(" ");
            if (key === each.key && (each.variant === null || variant === each.variant)) model.delete(name);
          }
        } else if (each.kind === "clear") {
          store.clear();
          model.clear();
        } else if (each.kind === "reopen") store = await folder.reopen(store);
        else await store.settled();
      }
      await store.settled();
      for (const key of ["a", "b", "c"]) {
        const found = store.lookup(key);
        assertEquals(
          found.map((each) => each.variant).sort(),
          ["1", "2"].filter((variant) => model.has(`${key} ${variant}`)),
        );
        for (const object of found) {
          const { meta, seed, length } = model.get(`${key} ${object.variant}`)!;
          assertEquals(object.meta, meta);
          assertEquals(await bodyOf(store, object), bytesOf(seed, length));
        }
      }
    }),
    { numRuns: 15 },
  );
});

Deno.test("a folder that cannot be made is told once, and the store keeps nothing", async () => {
  const notices: string[] = [];
  const file = Deno.makeTempFileSync({ dir: "/tmp" });
  const store = await DiskStore.open(`${file}/below`, MIB, (_, message) => notices.push(message));
  const same = await DiskStore.open(file, MIB, (_, message) => notices.push(message));
  assert(!store.isOn && !same.isOn);
  assertEquals(store.lookup("k"), []);
  assert(!store.write("k", "v", "{}", []));
  await store.close();
  await same.close();
  Deno.removeSync(file);
  assertEquals(notices.length, 2);
  assert(notices.every((message) => message.includes("cannot be used")), notices.join("\n"));
});

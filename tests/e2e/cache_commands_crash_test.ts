/** `weir cache purge` and `clear` under `kill -9`, and a folder on a file system that may only be read. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { DiskReader } from "../../src/cache/disk/reader.ts";
import { DiskStore } from "../../src/cache/disk_store.ts";
import { bodyOf, bytesOf, DiskFolder, MIB } from "../cache/disk_folder.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const ROUNDS = Number(Deno.env.get("WEIR_CRASH_ROUNDS") ?? 30) / 3;
const COUNT = 400;
const LIMIT = 256 * MIB;

const lengthOf = (i: number) => [10, 5_000, 70_000, 300_000][i % 4];
const urlOf = (i: number) => `http://example.com/${i % 2 === 0 ? "even" : "odd"}/${i}`;

/** What a proxy would have written of a response. */
async function fill(folder: DiskFolder): Promise<void> {
  const store = await folder.open(LIMIT);
  for (let i = 0; i < COUNT; i++) {
    const length = lengthOf(i);
    const meta = {
      ...{ status: 200, reason: "OK", address: "127.0.0.1", requestTime: 0, responseTime: 0 },
      ...{ vary: [], length, range: null, fields: [] },
    };
    store.write(` ${urlOf(i)}`, "[]", JSON.stringify(meta), [bytesOf(i, length)]);
    if (i % 50 === 49) await store.settled();
  }
  await store.close();
}

/** Runs a command until it has been at work on the files for so long, ms, and kills it. @returns what it printed */
async function killed(folder: DiskFolder, words: string[], time: number): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, "cache", ...words, "--cache-dir", folder.path],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = child.output();
  // the lock tells that it begins to change something
  while (!exists(`${folder.path}/weir-cache.pid`) && !await ended(child)) await pause(1);
  await pause(time);
  try {
    child.kill("SIGKILL");
  } catch {
    // it was done
  }
  return new TextDecoder().decode((await output).stdout);
}

function exists(file: string): boolean {
  try {
    return Deno.statSync(file).isFile;
  } catch {
    return false;
  }
}

function ended(child: Deno.ChildProcess): Promise<boolean> {
  return Promise.race([child.status.then(() => true), Promise.resolve(false)]);
}

function pause(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}

for (const words of [["purge", "http://example.com/even/*"], ["clear"]]) {
  Deno.test(`after kill -9 of weir cache ${words[0]} all or none of it is gone, and the rest is as it was`, async () => {
    await using template = new DiskFolder();
    await fill(template);
    for (let round = 0; round < ROUNDS; round++) {
      await using folder = new DiskFolder();
      Deno.copyFileSync(template.file(), folder.file());
      const out = await killed(folder, words, Math.random() ** 2 * 120);
      const store = await folder.open(LIMIT);
      const there: number[] = [];
      for (let i = 0; i < COUNT; i++) {
        for (const object of store.lookup(` ${urlOf(i)}`)) {
          assertEquals(await bodyOf(store, object), bytesOf(i, lengthOf(i)));
          there.push(i);
        }
      }
      const all = [...Array(COUNT).keys()];
      const left = words[0] === "clear" ? [] : all.filter((i) => i % 2 === 1);
      assertEquals(there, there.length === COUNT ? all : left);
      // what it said is so
      if (out !== "") assertEquals(there, left);
      assertEquals(folder.notices, []);
      await store.close();
    }
  });
}

async function mount(folder: string, options: string): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const args = ["-t", "tmpfs", "-o", options, "tmpfs", folder];
  return (await new Deno.Command("mount", { args, stderr: "null" }).output()).success;
}

const small = Deno.makeTempDirSync();
const mounted = await mount(small, "size=16m,mode=700");
globalThis.addEventListener("unload", () => {
  if (mounted) new Deno.Command("umount", { args: ["--lazy", small] }).outputSync();
  Deno.removeSync(small);
});

Deno.test({
  name:
    "where the folder may only be read weir goes without and says so once, and what is there is there when it may be written again",
  ignore: !mounted,
  async fn() {
    const notices: string[] = [];
    const open = () => DiskStore.open(small, 8 * MIB, (_, message) => notices.push(message));
    let store = await open();
    store.write("k", "v", "{}", [bytesOf(1, 100_000)]);
    await store.close();
    assert(await mount(small, "remount,ro"));
    store = await open();
    assert(!store.isOn);
    assertEquals(store.lookup("k"), []);
    assert(!store.write("k", "v", "{}", [bytesOf(2, 10)]));
    await store.close();
    assertEquals(notices.length, 1, notices.join("\n"));
    assert(notices[0].startsWith(`the disk cache in ${small} cannot be used`), notices[0]);
    assertThrows(() => DiskReader.open(small), Error, "takes the right to write");
    assert(await mount(small, "remount,rw"));
    store = await open();
    assertEquals(await bodyOf(store, store.lookup("k")[0]), bytesOf(1, 100_000));
    await store.close();
    assertEquals(notices.length, 1);
  },
});

/** The disk store under `kill -9`, and on a disk that is full. WEIR_CRASH_ROUNDS says how often it is killed. */

import { assert, assertEquals } from "@std/assert";
import { DiskStore } from "../../src/cache/disk_store.ts";
import { bodyOf, bytesOf, DiskFolder, MIB, put } from "../cache/disk_folder.ts";
import { faultOf, KEYS, LIMIT, SMALL_LIMIT } from "./programs/disk_store_load.ts";

const ROUNDS = Number(Deno.env.get("WEIR_CRASH_ROUNDS") ?? 30);
const PROGRAM = new URL("programs/disk_store_load.ts", import.meta.url).pathname;
/** What a round may number its changes with. */
const NUMBERS = 1_000_000;

/**
 * Runs the load, waits for `atWork` once it has opened the store, and kills it.
 *
 * @returns what it printed, in whole lines
 */
async function killAfter(
  atWork: () => Promise<void>,
  folder: string,
  seed: number,
  limit = LIMIT,
): Promise<string[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", PROGRAM, folder, `${seed}`, `${limit}`],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "";
  let killed: Promise<void> | undefined;
  for await (const more of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += more;
    if (text.includes("open\n")) killed ??= atWork().finally(() => child.kill("SIGKILL"));
  }
  const { signal } = await child.status;
  assertEquals(signal, "SIGKILL", text);
  await killed;
  return text.slice(0, text.lastIndexOf("\n")).split("\n");
}

function pause(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}

Deno.test(`after kill -9 at any moment, ${ROUNDS} times, every object is what was written, and none is outdated`, async () => {
  await using folder = new DiskFolder();
  /** The last settled change of each key. */
  const settled = new Map<string, number>();
  let changes = 0;
  let found = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    // every other one is killed while it makes room
    const limit = round % 2 === 0 ? SMALL_LIMIT : LIMIT;
    const lines = await killAfter(() => pause(Math.random() ** 2 * 400), folder.path, round * NUMBERS, limit);
    assertEquals(lines.filter((line) => line.startsWith("wrong")), []);
    for (const line of lines.slice(1)) {
      const [number, key] = line.split(" ");
      settled.set(key, Number(number));
      changes++;
    }
    // looked at here as well: the lock has to be free, and what was settled has to be what is found
    const store = await folder.open(LIMIT);
    assert(store.isOn);
    for (const key of KEYS) {
      for (const object of store.lookup(key)) {
        assertEquals(await faultOf(store, object), null);
        const number = Number(object.meta);
        const last = settled.get(key) ?? 0;
        assert(number >= last, `${key} is ${number}, which ${last} had replaced`);
        found++;
      }
    }
    await store.close();
    let bytes = 0;
    for (const { name } of Deno.readDirSync(folder.path)) {
      bytes += Deno.statSync(`${folder.path}/${name}`).size;
    }
    assert(bytes <= LIMIT * 1.1, `${bytes} bytes`);
  }
  assertEquals(folder.notices, []);
  // on a slow machine it may be killed before it has settled anything, but not each time
  assert(changes > 0 && found > ROUNDS, `${changes} changes, ${found} found`);
});

Deno.test("while one process has the folder another is refused with its number, until it is killed", async () => {
  await using folder = new DiskFolder();
  await killAfter(
    async () => {
      const message = await folder.open().then((store) => store.close()).then(() => "", String);
      assert(/is in use by another weir \(process [0-9]+\)/.test(message), message);
    },
    folder.path,
    NUMBERS,
  );
  assert((await folder.open()).isOn);
});

/** Whether this machine lets us make a small disk. */
async function mount(folder: string): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const args = ["-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", folder];
  return (await new Deno.Command("mount", { args, stderr: "null" }).output()).success;
}

const small = Deno.makeTempDirSync();
const mounted = await mount(small);
globalThis.addEventListener("unload", () => {
  if (mounted) new Deno.Command("umount", { args: ["--lazy", small] }).outputSync();
  Deno.removeSync(small);
});

Deno.test({
  name: "on a disk that is full the store keeps less or begins anew, and tells it once",
  ignore: !mounted,
  async fn() {
    const notices: string[] = [];
    const open = () => DiskStore.open(small, 256 * MIB, (_, message) => notices.push(message));
    let store = await open();
    const write = async (i: number) => {
      await put(store, `${i}`, bytesOf(i, 100_000));
      // what the worker has to say is heard between requests
      await new Promise((resolve) => setTimeout(resolve, 1));
    };
    const check = async (last: number) => {
      for (let i = 0; i <= last; i++) {
        for (const object of store.lookup(`${i}`)) {
          assertEquals(await bodyOf(store, object), bytesOf(i, 100_000));
        }
      }
    };
    for (let i = 0; i < 200; i++) {
      await write(i);
      if (i % 10 === 0) await check(i);
    }
    await check(199);
    assert(store.isOn);
    assert((await store.stats())!.objects > 3, `${(await store.stats())!.objects} objects`);
    // somebody else fills the rest
    try {
      Deno.writeFileSync(`${small}/other`, new Uint8Array(4 * MIB));
    } catch {
      // it is full
    }
    for (let i = 200; i < 300; i++) await write(i);
    store.remove("299");
    await check(298);
    assertEquals(store.lookup("299"), []);
    await store.close();
    const told = notices.length;
    store = await open();
    await put(store, "0", bytesOf(0, 100_000));
    await check(298);
    await store.close();
    assert(told >= 1 && told <= 4, notices.join("\n"));
    Deno.removeSync(`${small}/other`);
    store = await open();
    await put(store, "0", bytesOf(0, 100_000));
    assertEquals(store.lookup("0").length, 1);
    await store.close();
  },
});

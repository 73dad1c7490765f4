/**
 * Opens a disk store, looks at all that is in it, and changes and reads it without end: to be killed meanwhile.
 *
 *     deno run -A disk_store_load.ts FOLDER SEED LIMIT
 *
 * Each change has a number that grows, of which an object's length and bytes are made. Prints `open`, then the
 * numbers of the changes that are settled with their keys, and `wrong …` for what must not be.
 */

import { type DiskObject, DiskStore } from "../../../src/cache/disk_store.ts";
import { bodyOf, bytesOf, MIB, pieces } from "../../cache/disk_folder.ts";

const LENGTHS = [0, 300, 4_000, 60_000, 70_000, 200_000, 1_500_000];
export const KEYS = [...Array(40).keys()].map((i) => `http://example.com:80/${i}`);
/** Room for all that the keys may have. */
export const LIMIT = 24 * MIB;
/** Room for some of it: something has to go all the time, and much of it at the start. */
export const SMALL_LIMIT = 2 * MIB;

export function lengthOf(number: number): number {
  return LENGTHS[number % LENGTHS.length];
}

/** What is wrong with an object; `null` when it is whole, or gone before it could be read. */
export async function faultOf(store: DiskStore, object: DiskObject): Promise<string | null> {
  const number = Number(object.meta);
  if (object.length !== lengthOf(number)) return `${object.key} has ${object.length} bytes`;
  let body: Uint8Array;
  try {
    body = await bodyOf(store, object);
  } catch {
    return null;
  }
  const right = bytesOf(number, object.length);
  return body.length === right.length && body.every((byte, i) => byte === right[i])
    ? null
    : `${object.key} of ${number} has other bytes`;
}

if (import.meta.main) {
  const [folder, seed, limit] = Deno.args;
  let number = Number(seed);
  const store = await DiskStore.open(folder, Number(limit), (_, message) => console.log(`wrong ${message}`));
  console.log("open");
  const look = async (key: string) => {
    for (const object of store.lookup(key)) {
      const fault = await faultOf(store, object);
      if (fault !== null) console.log(`wrong ${fault}`);
    }
  };
  for (const key of KEYS) await look(key);
  const random = (below: number) => Math.floor(Math.random() * below);
  for (;;) {
    const changed: string[] = [];
    for (let i = random(6); i >= 0; i--) {
      const key = KEYS[random(KEYS.length)];
      number++;
      const what = random(10);
      if (what === 0) store.remove(key);
      else if (what === 1) {
        const writer = store.writer(key, "v");
        for (const piece of pieces(bytesOf(number, 1_000_000))) writer.append(piece);
        writer.abort();
        continue;
      } else store.write(key, "v", `${number}`, pieces(bytesOf(number, lengthOf(number)), 50_000));
      changed.push(`${number} ${key}`);
    }
    const reading = [look(KEYS[random(KEYS.length)]), look(KEYS[random(KEYS.length)])];
    await store.settled();
    await Promise.all(reading);
    if (changed.length > 0) console.log(changed.join("\n"));
  }
}

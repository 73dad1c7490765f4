/** Folders for disk stores, and what tests put into them and take out. */

import { type DiskObject, DiskStore } from "../../src/cache/disk_store.ts";

export const MIB = 1024 * 1024;

/** A folder of its own, removed in the end with the stores that were opened in it. */
export class DiskFolder implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ dir: "/tmp", prefix: "weir-disk-" });
  /** What the stores had to say. */
  readonly notices: string[] = [];
  #stores: DiskStore[] = [];

  async open(limit = 64 * MIB): Promise<DiskStore> {
    const store = await DiskStore.open(this.path, limit, (level, message) => {
      this.notices.push(`${level}: ${message}`);
    });
    this.#stores.push(store);
    return store;
  }

  /** Closes a store and opens it again. */
  async reopen(store: DiskStore, limit?: number): Promise<DiskStore> {
    await store.close();
    return await this.open(limit);
  }

  file(end = ""): string {
    return `${this.path}/weir-cache.sqlite${end}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) await store.close();
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Bytes that are the same for the same seed and differ for others. */
export function bytesOf(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed * 2654435761 + 12345 >>> 0;
  for (let i = 0; i < length; i++) {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Bytes in pieces as a network might deliver them. */
export function* pieces(bytes: Uint8Array, size = 10_000): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

export async function bodyOf(store: DiskStore, object: DiskObject, first?: number, end?: number) {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of store.read(object, first, end)) parts.push(part.slice());
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** Writes an object and waits until it is found. */
export async function put(store: DiskStore, key: string, body: Uint8Array, variant = "v", meta = "{}") {
  const kept = store.write(key, variant, meta, pieces(body));
  await store.settled();
  return kept;
}

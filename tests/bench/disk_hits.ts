/**
 * Answers from caches on disk after a restart. Each cache is filled once, from an origin that counts what is asked of
 * it, and is started anew for each round. In memory it has next to nothing, and what is asked for is asked for in a
 * circle: what is answered comes from its files, which are in the system's page cache for all alike.
 */

import type { DiskPeer } from "./disk_peers.ts";
import { wrkEach } from "./load.ts";
import { type Peer, type Proxy, startProxy } from "./peers.ts";
import type { Ground } from "./works.ts";

/** Requests at once, while a cache is filled and while its bodies are looked at. */
const AT_ONCE = 16;
/** What a cache has not taken in so many tries it does not take: in Squid's rock some take the places of others. */
const FILLINGS = 8;
/** The part of the objects that has to be there. */
const LEAST_KEPT = 0.95;

/** What is kept: objects of one length. */
export interface Kept {
  readonly name: string;
  readonly length: number;
  readonly count: number;
}

/** A cache that has been filled. */
interface Filled {
  readonly folder: string;
  /** What its URLs begin with. */
  readonly prefix: string;
  /** A file with the URLs of what was there after the first restart, byte for byte; `null` before that. */
  targets: string | null;
}

const filled = new Map<string, Promise<Filled>>();
/** What the origin of the objects was asked for, by all caches so far. */
let asked = 0;
let server: Deno.HttpServer<Deno.NetAddr> | null = null;

/** One round. Throws where a cache gives what is not right, asks its origin, or answers from memory. */
export async function measureDiskHits(
  peer: DiskPeer,
  kept: Kept,
  connections: number,
  ground: Ground,
  act: (proxy: Proxy, run: () => ReturnType<typeof wrkEach>) => Promise<Record<string, number>>,
): Promise<Record<string, number>> {
  const name = `${peer.name} ${kept.name}`;
  if (!filled.has(name)) filled.set(name, fill(peer, kept, ground));
  const cache = await filled.get(name)!;
  const { folder, prefix } = cache;
  const before = { asked, fromMemory: await peer.fromMemory(folder) };
  const proxy = await startProxy(within(folder, peer), ground.folder, ground.origin);
  try {
    await peer.ready(folder);
    if (cache.targets === null) {
      const missing = new Set(await look(proxy, prefix, kept));
      if (missing.size > (1 - LEAST_KEPT) * kept.count) {
        throw new Error(`${missing.size} objects are not there`);
      }
      const there = numbersOf(kept).filter((number) => !missing.has(number));
      await Deno.writeTextFile(
        cache.targets = `${folder}/targets`,
        there.map((number) => `${prefix}${number}\n`).join(""),
      );
    }
    const { targets } = cache;
    const figures = await act(proxy, async () => {
      const result = await wrkEach(proxy, targets, connections, ground.seconds);
      if (result.bytes < (result.requests - connections) * kept.length) {
        throw new Error("bodies are too short");
      }
      return result;
    });
    await proxy.program.end();
    const misses = asked - before.asked;
    const fromMemory = await peer.fromMemory(folder) - before.fromMemory;
    if (misses > 0) throw new Error(`the origin was asked ${misses} times`);
    if (fromMemory > 0) throw new Error(`${fromMemory} answers came from memory`);
    return figures;
  } finally {
    await proxy.program.end();
  }
}

/** The origin of what is kept has to be ended with the bench. */
export async function endDiskOrigin(): Promise<void> {
  await server?.shutdown();
}

async function fill(peer: DiskPeer, kept: Kept, ground: Ground): Promise<Filled> {
  server ??= Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    asked++;
    const [, length, number] = new URL(request.url).pathname.split("/");
    return new Response(bodyOf(Number(length), Number(number)), {
      headers: { "cache-control": "max-age=86400", "content-type": "application/octet-stream" },
    });
  });
  const prefix = `http://127.0.0.1:${server.addr.port}/${kept.length}/`;
  const folder = await Deno.makeTempDir({ dir: ground.diskFolder, prefix: `${peer.name}-` });
  await peer.prepare(folder, ground.origin);
  const proxy = await startProxy(within(folder, peer), ground.folder, ground.origin);
  try {
    let missing = numbersOf(kept);
    for (let time = 0; missing.length > 0 && time < FILLINGS; time++) {
      await eachOf(missing, async (number) => {
        await (await ask(proxy, `${prefix}${number}`)).bytes();
      });
      missing = await look(proxy, prefix, kept);
    }
  } finally {
    await proxy.program.end();
  }
  return { folder, prefix, targets: null };
}

function within(folder: string, peer: Peer): Peer {
  return { ...peer, command: (_, port, origin) => peer.command(folder, port, origin) };
}

function numbersOf({ count }: Kept): number[] {
  return [...Array(count).keys()];
}

/** The numbers of the objects that a cache does not have. Throws for one that it has otherwise. */
async function look(proxy: Proxy, prefix: string, kept: Kept): Promise<number[]> {
  const { length } = kept;
  const missing: number[] = [];
  await eachOf(numbersOf(kept), async (number) => {
    const response = await ask(proxy, `${prefix}${number}`, { "cache-control": "only-if-cached" });
    const bytes = await response.bytes();
    if (response.status !== 200) {
      missing.push(number);
      return;
    }
    const right = bodyOf(length, number);
    if (bytes.length !== length || !bytes.every((byte, at) => byte === right[at])) {
      throw new Error(`${proxy.peer.name} gives other bytes for ${prefix}${number}`);
    }
  });
  return missing;
}

const clients = new Map<number, Deno.HttpClient>();

function ask({ port }: Proxy, url: string, headers: Record<string, string> = {}): Promise<Response> {
  if (!clients.has(port)) {
    clients.set(port, Deno.createHttpClient({ proxy: { url: `http://127.0.0.1:${port}` } }));
  }
  return fetch(url, { client: clients.get(port), headers });
}

async function eachOf(numbers: readonly number[], act: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < numbers.length) await act(numbers[next++]);
  }));
}

/** The bytes of an object, which no other one has. */
function bodyOf(length: number, number: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(length / 4);
  for (let at = 0; at < words.length; at++) words[at] = Math.imul(number + 1, 2654435761) + at * 40503;
  return new Uint8Array(words.buffer);
}

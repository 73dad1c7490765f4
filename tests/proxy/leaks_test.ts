/**
 * Nothing is left behind: hundreds of connections that end at any moment, on either side, in any way. What is
 * random comes from a seed, so that what was seen once can be seen again, as far as the system plays along.
 *
 * Deno's sanitizers hold each test to its promises: no open socket, no pending operation, no running timer. The
 * clock runs while any deadline is watched, so that a deadline left behind is a timer left behind.
 */

import { assert, assertEquals } from "@std/assert";
import { stuckConnections } from "../../src/net/connection.ts";
import { Proxy } from "../../src/proxy/proxy.ts";
import type { ProxySettings } from "../../src/proxy/settings.ts";
import { type Exchanges, Origin, proxied, type Setting, SETTINGS, withProxy } from "./harness.ts";
import { CAN_RESET, Peer, turn } from "./peer.ts";
import { get, OK, request } from "./round_trip.ts";

const SEED = 20_240_607;

/** Everything that could wait ends by itself, so that whatever meets whatever, all of it is over soon. */
const HURRIED: Partial<ProxySettings> = {
  headTimeout: 1,
  connectTimeout: 1,
  responseTimeout: 1,
  bodyTimeout: 1,
  keepAliveTimeout: 1,
  tunnelTimeout: 1,
  halfClosedTimeout: 1,
  grace: 1,
  poolPerOrigin: 8,
  poolSize: 16,
};

/** The one origin of these tests goes by many names. */
const RESOLVER = {
  lookup: (host: string) =>
    host.endsWith(".example")
      ? Promise.resolve(["127.0.0.1"])
      : Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" })),
};

/** A sequence of numbers that looks random and is the same for the same seed (mulberry32). */
class Chance {
  constructor(private state: number) {}

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }

  happens(probability: number): boolean {
    return this.next() < probability;
  }
}

/** What may be thrown by an end whose other end has gone. */
function isEnd(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.NotConnected ||
    (error instanceof Error && /^the other side ended|^a whole body|^a chunk ends/.test(error.message)) ||
    (error instanceof Error && "code" in error &&
      /^(?:EPIPE|ECONNRESET|ERR_STREAM)/.test(String(error.code)));
}

async function untilItEnds(life: () => Promise<void>): Promise<void> {
  try {
    await life();
  } catch (error) {
    if (!isEnd(error)) throw error;
  }
}

const BODY = "x".repeat(5_000);

/** What an origin does with a connection, and how it ends. */
async function originLife(connection: Peer, chance: Chance): Promise<void> {
  for (;;) {
    if (chance.happens(0.05)) break;
    if (await connection.some() === "") break;
    const response = chance.of([
      OK,
      OK,
      OK,
      `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${`5\r\n12345\r\n`.repeat(50)}0\r\nA: b\r\n\r\n`,
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${OK}`,
      `HTTP/1.0 200 OK\r\n\r\n${BODY}`,
      `HTTP/1.1 204 No Content\r\n\r\n`,
      `HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n${BODY}`,
      `HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n${BODY}`,
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      "SSH-2.0-nonsense\r\n",
      "",
      BODY,
    ]);
    const pieces = chance.happens(0.5) ? [response] : cut(response, chance);
    const send = chance.happens(0.8) ? pieces : pieces.slice(0, chance.below(pieces.length));
    await connection.sendInPieces(send);
    if (send.length < pieces.length && chance.happens(0.7)) break;
    if (chance.happens(0.1)) await connection.closeWrite();
  }
}

function cut(text: string, chance: Chance): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const length = 1 + chance.below(chance.of([3, 30, 3_000]));
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}

/** What a client does with a connection, and how it ends. */
async function clientLife(client: Peer, { authority, port }: Origin, chance: Chance): Promise<void> {
  for (let round = chance.below(4); round >= 0; round--) {
    // the same place by its address, and by any number of names
    const origin = {
      authority: chance.happens(0.7) ? authority : `host-${chance.below(1e9)}.example:${port}`,
    };
    const message = chance.of([
      get(origin),
      get(origin),
      get(origin) + get(origin, "/2"),
      request(origin, "HEAD", "/"),
      request(origin, "POST", "/", `Content-Length: ${BODY.length}`) + BODY,
      request(origin, "POST", "/", "Transfer-Encoding: chunked") + "5\r\n12345\r\n".repeat(50) + "0\r\n\r\n",
      request(origin, "POST", "/", `Content-Length: ${BODY.length}`, "Expect: 100-continue"),
      request(origin, "POST", "/", "Transfer-Encoding: chunked") + "zz\r\n",
      get(origin, "/", "Connection: upgrade", "Upgrade: x"),
      get(origin, "/", "Connection: close"),
      get(origin).replace("HTTP/1.1", "HTTP/1.0"),
      `CONNECT ${origin.authority} HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`,
      get({ authority: "127.0.0.1:1" }),
      get({ authority: "nowhere.invalid" }),
      "nonsense\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01",
    ]);
    const pieces = chance.happens(0.5) ? [message] : cut(message, chance);
    const send = chance.happens(0.8) ? pieces : pieces.slice(0, chance.below(pieces.length));
    await client.sendInPieces(send);
    if (send.length < pieces.length && chance.happens(0.7)) return;
    if (chance.happens(0.1) && !("reset" in client.stream)) await client.closeWrite();
    if (chance.happens(0.2)) return;
    if (await client.some(chance.of([10, 100_000])) === "") return;
    if (chance.happens(0.3)) { for (let i = chance.below(5); i > 0; i--) await turn(); }
  }
}

/** So many clients at once, each with a chance of its own; resolves when all of them have gone. */
async function rush(
  { origin, connect, proxy }: Pick<Setting, "origin" | "connect" | "proxy">,
  count: number,
  seed: number,
): Promise<void> {
  const seeds = new Chance(seed);
  const clients = Array.from({ length: count }, () => new Chance(seeds.below(2 ** 31)));
  await Promise.all(clients.map(async (chance) => {
    const client = await connect({ resettable: CAN_RESET && chance.happens(0.2) });
    await untilItEnds(() => clientLife(client, origin, chance));
    if (CAN_RESET && "reset" in client.stream && chance.happens(0.7)) client.reset();
    else client.close();
  }));
  while (proxy.connections > 0) await turn();
}

function serveByChance(origin: Origin, seed: number): void {
  const seeds = new Chance(seed);
  origin.serve(async (connection) => {
    await untilItEnds(() => originLife(connection, new Chance(seeds.below(2 ** 31))));
    connection.close();
  });
}

function assertNothingIsLeft(proxy: Proxy, exchanges: Exchanges, seed: number): void {
  assertEquals([proxy.connections, proxy.active], [0, 0], `seed ${seed}`);
  assertEquals(exchanges.notices.filter(({ level }) => level === "error"), [], `seed ${seed}`);
}

for (let seed = SEED; seed < SEED + 4; seed++) {
  proxied(
    `300 connections that go wrong at random leave nothing behind (seed ${seed})`,
    { settings: HURRIED, resolver: RESOLVER },
    async (setting) => {
      serveByChance(setting.origin, seed + 1);
      await rush(setting, 300, seed);
      assertNothingIsLeft(setting.proxy, setting.exchanges, seed);
      assert(setting.exchanges.all.length > 100, `only ${setting.exchanges.all.length} exchanges`);
    },
  );
}

proxied(
  "a stop in the middle of hundreds of exchanges ends them all, each recorded once",
  {
    settings: { ...HURRIED, responseTimeout: 60_000, bodyTimeout: 60_000, tunnelTimeout: 60_000 },
    resolver: RESOLVER,
  },
  async (setting) => {
    serveByChance(setting.origin, SEED);
    const seeds = new Chance(SEED);
    const lives = Array.from({ length: 200 }, async () => {
      const chance = new Chance(seeds.below(2 ** 31));
      const client = await setting.connect().catch(() => null);
      if (client === null) return;
      await untilItEnds(() => clientLife(client, setting.origin, chance));
      if (chance.happens(0.5)) client.close();
    });
    while (setting.exchanges.all.length < 20) await turn();
    await setting.proxy.stop();
    assertNothingIsLeft(setting.proxy, setting.exchanges, SEED);
    await Promise.all(lives);
  },
);

proxied(
  "a drain in the middle of hundreds of exchanges ends them all, each recorded once",
  { settings: HURRIED, resolver: RESOLVER },
  async (setting) => {
    serveByChance(setting.origin, SEED);
    const seeds = new Chance(SEED);
    const lives = Array.from({ length: 200 }, async () => {
      const chance = new Chance(seeds.below(2 ** 31));
      const client = await setting.connect().catch(() => null);
      if (client === null) return;
      await untilItEnds(() => clientLife(client, setting.origin, chance));
      client.close();
    });
    while (setting.exchanges.all.length < 20) await turn();
    await setting.proxy.drain();
    assertNothingIsLeft(setting.proxy, setting.exchanges, SEED);
    await Promise.all(lives);
  },
);

/** How many sockets this process has open, whatever Deno thinks; `null` where that cannot be told. */
async function sockets(): Promise<number | null> {
  if (Deno.build.os !== "linux") return null;
  try {
    const { stdout } = await new Deno.Command("ls", { args: ["-l", `/proc/${Deno.pid}/fd`] }).output();
    return new TextDecoder().decode(stdout).split("-> socket:").length - 1;
  } catch {
    return null;
  }
}

Deno.test("as many sockets are open after hundreds of connections as before", async () => {
  // what is opened once and for all is opened by now
  await withProxy({}, async (setting) => {
    setting.origin.answer(OK);
    const client = await setting.connect();
    await client.send(get(setting.origin));
    await client.message();
  });
  const before = await sockets();
  await withProxy({ settings: HURRIED, resolver: RESOLVER }, async (setting) => {
    serveByChance(setting.origin, SEED);
    await rush(setting, 200, SEED);
  });
  // some are closed a turn later, and some when their peer has let go of them
  for (let turns = 0; turns < 1_000 && stuckConnections() > 0; turns++) await turn();
  assertEquals(await sockets(), before);
});

/** Collects what nobody refers to any more; `null` where that cannot be asked for. */
async function collector(): Promise<(() => void) | null> {
  try {
    const { setFlagsFromString } = await import("node:v8");
    const { runInNewContext } = await import("node:vm");
    setFlagsFromString("--expose-gc");
    return runInNewContext("gc");
  } catch {
    return null;
  }
}

const collect = await collector();

function bytesInUse(): number {
  for (let i = 0; i < 3; i++) collect!();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

Deno.test({
  name: "memory does not grow with the number of connections, exchanges and faults",
  ignore: collect === null,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: async () => {
    let ended = 0;
    const proxy = new Proxy(
      { ...SETTINGS, ...HURRIED },
      { finished: () => ended++, notice: () => {} },
      RESOLVER,
    );
    const [{ port }] = proxy.listen([{ hostname: "127.0.0.1", port: 0 }]);
    const connections: Peer[] = [];
    const origin = new Origin(connections);
    serveByChance(origin, SEED);
    const connect = async () => new Peer(await Deno.connect({ hostname: "127.0.0.1", port }));
    const rounds = async (from: number, to: number) => {
      for (let round = from; round < to; round++) {
        await rush({ origin, connect, proxy }, 150, SEED + round);
        for (const connection of connections.splice(0)) connection.close();
      }
    };
    await rounds(0, 3);
    const before = bytesInUse();
    const endedBefore = ended;
    await rounds(3, 13);
    const grown = bytesInUse() - before;
    assert(ended - endedBefore > 1_000);
    assert(grown < 1.5 * 1024 * 1024, `${grown} bytes more after ${ended - endedBefore} exchanges`);
    await origin.close();
    await proxy.stop();
  },
});

/** Responses on the disk behind those in memory, from outside. */

import { assertEquals } from "@std/assert";
import { DiskReader } from "../../src/cache/disk/reader.ts";
import { DiskStore } from "../../src/cache/disk_store.ts";
import { Proxy } from "../../src/proxy/proxy.ts";
import { Exchanges, Origin, SETTINGS } from "./harness.ts";
import { KnownUsers } from "./known_users.ts";
import { Peer } from "./peer.ts";
import { policy } from "./policies.ts";
import { get } from "./round_trip.ts";

const MIB = 1024 * 1024;

/** A proxy with a folder, for as long as `body` runs; what it keeps stays in the folder. */
async function withDisk(
  folder: string,
  cacheSize: number,
  body: (
    ask: (path: string, ...fields: string[]) => Promise<{ content: string; cache: string }>,
    purge: (path: string) => Promise<string>,
    proxy: Proxy,
  ) => Promise<void>,
  origin: Origin,
): Promise<void> {
  const notices: string[] = [];
  const disk = await DiskStore.open(folder, 64 * MIB, (_, message) => notices.push(message));
  const exchanges = new Exchanges();
  const rules = [{ name: "operators", methods: "PURGE" }];
  const operators = policy({ defaultAction: "allow", rules });
  const proxy = new Proxy({ ...SETTINGS, cacheSize, policy: operators }, exchanges, undefined, disk);
  const [address] = proxy.listen([{ hostname: "127.0.0.1", port: 0 }]);
  const client = new Peer(await Deno.connect({ hostname: "127.0.0.1", port: address.port }));
  try {
    await body(async (path, ...fields) => {
      const method = path.startsWith("HEAD ") ? "HEAD" : "GET";
      const message = get(origin, path.replace("HEAD ", ""), ...fields);
      await client.send(message.replace("GET", method));
      const { content } = await client.message({ method });
      return { content, cache: (await exchanges.next()).cache };
    }, async (path) => {
      await client.send(get(origin, path).replace("GET", "PURGE"));
      await client.message();
      return (await exchanges.next()).cache;
    }, proxy);
  } finally {
    client.close();
    await proxy.stop();
    await disk.settled();
    await disk.close();
  }
  assertEquals(notices, []);
}

Deno.test("what was kept is there after a restart, short and long, whole and in part", async () => {
  const folder = await Deno.makeTempDir();
  const origin = new Origin([]);
  const long = "0123456789abcdef".repeat(64 * 1024);
  const bodies: Record<string, string> = { "/short": "hello", "/long": long, "/empty": "" };
  let asked = 0;
  origin.answer((request) => {
    asked++;
    const body = bodies[request.startLine.split(" ")[1]];
    return `HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nETag: "1"\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  });
  try {
    // too small for the long one, which is then on the disk alone
    const memory = 2 * MIB;
    await withDisk(folder, memory, async (ask) => {
      for (const [path, body] of Object.entries(bodies)) {
        assertEquals(await ask(path), { content: body, cache: "miss stored" });
      }
    }, origin);
    assertEquals(asked, 3);
    await withDisk(folder, memory, async (ask) => {
      for (const [path, body] of Object.entries(bodies)) {
        for (let times = 0; times < 2; times++) {
          assertEquals(await ask(path), { content: body, cache: "hit" });
        }
      }
      assertEquals(
        (await ask("/long", "Range: bytes=1000000-1000009")).content,
        long.slice(1_000_000, 1_000_010),
      );
      assertEquals((await ask("/long", 'If-None-Match: "1"')).content, "");
    }, origin);
    assertEquals(asked, 3);
  } finally {
    await origin.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what a HEAD that wants no stored answer has confirmed is there after a restart", async () => {
  const folder = await Deno.makeTempDir();
  const origin = new Origin([]);
  origin.answer(({ head }) =>
    'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nETag: "a"\r\nContent-Length: 5\r\n\r\n' +
    (head.startsWith("HEAD ") ? "" : "hello")
  );
  await withDisk(folder, MIB, async (ask) => {
    assertEquals((await ask("/")).cache, "miss stored");
    assertEquals((await ask("HEAD /", "Cache-Control: no-cache")).cache, "miss method");
  }, origin);
  await withDisk(folder, MIB, async (ask) => {
    assertEquals(await ask("/"), { content: "hello", cache: "hit" });
  }, origin);
  await origin.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("PURGE forgets what is on the disk alone, and says that it was there", async () => {
  const folder = await Deno.makeTempDir();
  const origin = new Origin([]);
  origin.answer("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 2\r\n\r\nok");
  try {
    await withDisk(folder, MIB, async (ask) => {
      assertEquals((await ask("/a")).cache, "miss stored");
    }, origin);
    await withDisk(folder, MIB, async (ask, purge) => {
      assertEquals(await purge("/a"), "purged");
      assertEquals(await purge("/a"), "purge miss");
      assertEquals((await ask("/a")).cache, "miss stored");
    }, origin);
  } finally {
    await origin.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("every answer counts as a hit of its response, from memory or from the disk, and of no other", async () => {
  const folder = await Deno.makeTempDir();
  const origin = new Origin([]);
  const long = "0123456789abcdef".repeat(64 * 1024);
  origin.answer((request) => {
    const body = request.startLine.includes("/long") ? long : "hello";
    const vary = request.startLine.includes("/vary") ? "Vary: Accept-Language\r\n" : "";
    return `HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n${vary}Content-Length: ${body.length}\r\n\r\n${body}`;
  });
  const asking: [path: string, times: number, fields: string[]][] = [
    ["/short", 4, []],
    ["/long", 3, []],
    ["/vary", 2, ["Accept-Language: de"]],
    ["/vary", 1, ["Accept-Language: fr"]],
  ];
  try {
    for (const first of [true, false]) {
      await withDisk(folder, 2 * MIB, async (ask) => {
        for (const [path, times, fields] of asking) {
          const caches = [];
          for (let time = 0; time < times; time++) caches.push((await ask(path, ...fields)).cache);
          assertEquals(caches, caches.map((_, time) => first && time === 0 ? "miss stored" : "hit"));
        }
      }, origin);
    }
    const reader = DiskReader.open(folder);
    const hits = [...reader.all()].map(({ key, variant, hits }) =>
      `${new URL(key.trim()).pathname} ${/de|fr/.exec(variant) ?? ""} ${hits}`
    );
    reader.close();
    assertEquals(hits.sort(), ["/long  5", "/short  7", "/vary de 3", "/vary fr 1"]);
  } finally {
    await origin.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what one user has made invalid is not on the disk either for another who comes later", async () => {
  const folder = await Deno.makeTempDir();
  const origin = new Origin([]);
  let asked = 0;
  origin.answer(() => {
    asked++;
    return "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 2\r\n\r\nok";
  });
  const users = new KnownUsers({ one: "x", other: "x" });
  const disk = () => DiskStore.open(folder, 64 * MIB, () => {});
  /** What the log says of these requests, each `method user path`, to a proxy that has just been started. */
  const after = async (...requests: string[]): Promise<string[]> => {
    const store = await disk();
    const exchanges = new Exchanges();
    const always = policy({ authentication: "always" });
    const settings = { ...SETTINGS, cacheSize: MIB, users, policy: always };
    const proxy = new Proxy(settings, exchanges, undefined, store);
    const [{ port }] = proxy.listen([{ hostname: "127.0.0.1", port: 0 }]);
    const client = new Peer(await Deno.connect({ hostname: "127.0.0.1", port }));
    const said: string[] = [];
    for (const request of requests) {
      const [method, user, path] = request.split(" ");
      await client.send(
        get(origin, path, `Proxy-Authorization: Basic ${btoa(`${user}:x`)}`).replace("GET", method),
      );
      await client.message();
      said.push((await exchanges.next()).cache);
    }
    client.close();
    await proxy.stop();
    await store.settled();
    await store.close();
    return said;
  };
  try {
    const stored = "miss stored";
    const gets = ["GET one /a", "GET other /a", "GET other /b"];
    assertEquals(await after(...gets), [stored, stored, stored]);
    assertEquals(await after("DELETE one /a", "GET other /a", "GET other /b", "GET one /a"), [
      "bypass method",
      stored,
      "hit",
      stored,
    ]);
    assertEquals(await after(...gets), ["hit", "hit", "hit"]);
    assertEquals(asked, 6);
  } finally {
    await origin.close();
    await Deno.remove(folder, { recursive: true });
  }
});

/** Runs with the system's clock so many seconds from what it is, which may change meanwhile. */
async function withClock(body: (set: (seconds: number) => void) => Promise<void>): Promise<void> {
  const real = Date.now;
  try {
    await body((seconds) => Date.now = () => real() + seconds * 1000);
  } finally {
    Date.now = real;
  }
}

/** An origin whose responses are fresh for a minute by its own clock, which is the system's. */
function fresh(origin: Origin): void {
  origin.answer(() =>
    "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nSet-Cookie: a=b\r\n" +
    `Date: ${new Date(Date.now()).toUTCString()}\r\nContent-Length: 5\r\n\r\nhello`
  );
}

Deno.test("what was stored before the clock was set back is of use after a restart, and not for ever", async () => {
  const folder = await Deno.makeTempDir();
  const origin = new Origin([]);
  fresh(origin);
  await withClock(async (set) => {
    const restarted = (body: (ask: (path: string) => Promise<{ cache: string }>) => Promise<void>) =>
      withDisk(folder, MIB, body, origin);
    set(86_400);
    await restarted(async (ask) => assertEquals((await ask("/")).cache, "miss stored"));
    set(0);
    await restarted(async (ask) => assertEquals((await ask("/")).cache, "hit"));
    set(40);
    await restarted(async (ask) => assertEquals((await ask("/")).cache, "hit"));
    // it is as old as it is known to be, though the time at which it came is still to come
    set(70);
    await restarted(async (ask) => assertEquals((await ask("/")).cache, "miss stored"));
  });
  await origin.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("what is read from the disk is as old as it was in memory, whatever the clock is set to meanwhile", async () => {
  const folder = await Deno.makeTempDir();
  const origin = new Origin([]);
  fresh(origin);
  await withClock(async (set) => {
    await withDisk(folder, MIB, async (ask, _purge, { cache }) => {
      set(0);
      assertEquals((await ask("/before")).cache, "miss stored");
      set(-1800);
      assertEquals((await ask("/before")).cache, "hit");
      assertEquals((await ask("/after")).cache, "miss stored");
      await cache!.shelf!.store.settled();
      for (const seconds of [-1800, -1750]) {
        set(seconds);
        cache!.clear();
        for (const path of ["/before", "/after"]) assertEquals((await ask(path)).cache, "hit", path);
      }
      set(-1730);
      cache!.clear();
      for (const path of ["/before", "/after"]) assertEquals((await ask(path)).cache, "miss stored", path);
    }, origin);
    // to another run it is the system's clock that counts
    await withDisk(folder, MIB, async (ask) => assertEquals((await ask("/after")).cache, "hit"), origin);
  });
  await origin.close();
  await Deno.remove(folder, { recursive: true });
});

/** The works that are measured, what is printed of each, and the goals. */

import { download, fetchEach, openIdle, openTunnels, upload, wrk, type WrkResult } from "./load.ts";
import { GIBIBYTE, type Origin } from "./origin.ts";
import { type Kept, measureDiskHits } from "./disk_hits.ts";
import type { DiskPeer } from "./disk_peers.ts";
import { type Peer, type Proxy, startProxy } from "./peers.ts";

export interface Column {
  key: string;
  title: string;
  better: "more" | "less";
  digits: number;
}

/** A bound on a column: of the ratio of weir to a peer, or of weir's own figure when there is no peer. */
export interface Goal {
  column: string;
  peer?: string;
  atLeast?: number;
  atMost?: number;
}

/** What is measured with; files and seconds are shared by all works. */
export interface Ground {
  origin: Origin;
  folder: string;
  /** On a disk, for what is kept there. */
  diskFolder: string;
  /** A file of 512 MiB. */
  uploadFile: string;
  seconds: number;
  idleConnections: number;
}

interface WorkParts {
  /** What it is chosen by on the command line, whole or up to a hyphen: `small`, `small-64`. */
  name: string;
  title: string;
  columns: Column[];
  goals: Goal[];
  /** Needs CONNECT. */
  tunnels?: boolean;
  /** Compares these, with their caches on. */
  caches?: string[];
  /** Compares those that are filled beforehand, and keep things on a disk: the peers are {@link DiskPeer}s. */
  disks?: boolean;
}

/** Measured on proxies that run through the whole bench. */
export interface SharedWork extends WorkParts {
  measure(proxy: Proxy, ground: Ground): Promise<Record<string, number>>;
}

/** Measured on a proxy of its own, from its start. */
export interface FreshWork extends WorkParts {
  measureFresh(peer: Peer, ground: Ground): Promise<Record<string, number>>;
}

export type Work = SharedWork | FreshWork;

const RATE: Column = { key: "rate", title: "per second", better: "more", digits: 0 };
const MEDIAN: Column = { key: "p50", title: "p50 ms", better: "less", digits: 2 };
const TAIL: Column = { key: "p99", title: "p99 ms", better: "less", digits: 2 };
const CPU: Column = { key: "cpu", title: "CPU s/100k", better: "less", digits: 2 };
const BUSY: Column = { key: "busy", title: "cores busy", better: "less", digits: 2 };
const FAILED: Column = { key: "failed", title: "failed", better: "less", digits: 0 };
const SPEED: Column = { key: "speed", title: "MiB/s", better: "more", digits: 0 };
const CPU_BYTES: Column = { key: "cpu", title: "CPU s/GiB", better: "less", digits: 2 };

/** Runs `act` and adds what the proxy's CPU did meanwhile: seconds per `per` units, and cores busy. */
async function withCpu(
  proxy: Proxy,
  per: number,
  act: () => Promise<{ units: number; seconds: number } & Record<string, number>>,
): Promise<Record<string, number>> {
  const before = proxy.program.cpuSeconds();
  const { units, ...figures } = await act();
  const used = proxy.program.cpuSeconds() - before;
  return { ...figures, cpu: used / units * per, busy: used / figures.seconds };
}

const CACHES = ["weir", "squid", "nginx", "nginx-tuned", "varnish"];

/** Answers that are stored already. */
function hits(name: "hit-64" | "hit-64k", goals: Goal[]): SharedWork {
  const large = name === "hit-64k";
  return {
    name,
    title: large ? "64 KiB from the cache, 16 connections" : "1 KiB from the cache, 64 connections",
    columns: [RATE, MEDIAN, TAIL, CPU, BUSY, FAILED],
    goals,
    caches: CACHES,
    measure: (proxy, ground) => {
      const target = large ? ground.origin.kept64k : ground.origin.kept;
      return measureRequests(proxy, target, large ? 16 : 64, ground.seconds);
    },
  };
}

const misses: SharedWork = {
  name: "miss-64",
  title: "1 KiB that may not be stored, 64 connections, against no cache",
  columns: [RATE, MEDIAN, TAIL, CPU, BUSY, FAILED],
  goals: [{ column: "rate", peer: "weir-uncached", atLeast: 0.9 }],
  caches: ["weir", "weir-uncached"],
  measure: (proxy, ground) => measureRequests(proxy, ground.origin.small, 64, ground.seconds),
};

/** Objects that are stored to see what each of them takes. */
const OBJECTS = 30_000;

const objects: FreshWork = {
  name: "objects",
  title: `Memory of ${OBJECTS} objects of 1 KiB in the cache`,
  columns: [
    { key: "object", title: "bytes per object", better: "less", digits: 0 },
    { key: "before", title: "MB before", better: "less", digits: 1 },
    { key: "after", title: "MB after", better: "less", digits: 1 },
    { key: "kept", title: "% kept", better: "more", digits: 1 },
  ],
  goals: [{ column: "object", atMost: 2048 }],
  caches: ["weir", "weir-lean", "weir-uncached", "squid", "varnish"],
  async measureFresh(peer, ground) {
    const proxy = await startProxy(peer, ground.folder, ground.origin);
    const { small, each } = ground.origin;
    try {
      // what it takes to work at all is not what an object takes
      await fetchEach(proxy, () => small, OBJECTS);
      const before = await proxy.program.settledBytes();
      await fetchEach(proxy, (number) => each + number, OBJECTS);
      const after = await proxy.program.settledBytes();
      const asked = OBJECTS / 10;
      const seen = await fetchEach(proxy, (number) => each + number * 10, asked, [
        "Cache-Control: only-if-cached",
      ]);
      return {
        object: (after - before) / OBJECTS,
        before: before / 1e6,
        after: after / 1e6,
        kept: peer.name === "varnish" ? NaN : seen / asked * 100,
      };
    } finally {
      await proxy.program.end();
    }
  },
};

/** Answers from files, after a restart. */
function diskHits(kept: Kept, size: string): FreshWork {
  return {
    name: `disk-${kept.name}`,
    title: `${kept.count} objects of ${size} from the disk after a restart, 64 connections`,
    columns: [RATE, MEDIAN, TAIL, CPU, BUSY, FAILED],
    goals: ["squid-ufs", "squid-rock"].map((peer) => ({ column: "rate", peer, atLeast: 1 })),
    disks: true,
    measureFresh: (peer, ground) =>
      measureDiskHits(
        peer as DiskPeer,
        kept,
        64,
        ground,
        (proxy, run) => withCpu(proxy, 100_000, async () => figuresOf(await run())),
      ),
  };
}

function requests(connections: number, goals: Goal[], close = false): SharedWork {
  return {
    name: close ? "new" : `small-${connections}`,
    title: close
      ? `1 KiB, a new connection for each request, ${connections} at once`
      : `1 KiB, keep-alive, ${connections} connections`,
    columns: [RATE, MEDIAN, TAIL, CPU, BUSY, FAILED],
    goals,
    measure: (proxy, ground) =>
      measureRequests(proxy, ground.origin.small, connections, ground.seconds, close),
  };
}

function measureRequests(
  proxy: Proxy,
  target: string,
  connections: number,
  seconds: number,
  close = false,
): Promise<Record<string, number>> {
  return withCpu(
    proxy,
    100_000,
    async () => figuresOf(await wrk(proxy, target, connections, seconds, close)),
  );
}

function figuresOf({ requests, seconds, p50, p99, errors }: WrkResult) {
  return { units: requests, seconds, rate: requests / seconds, p50, p99, failed: errors };
}

function downloads(count: number, goals: Goal[], tunnel = false): SharedWork {
  return {
    name: `download-${tunnel ? "tunnel" : count}`,
    title: `1 GiB download, ${count === 1 ? "one" : `${count} at once`}${tunnel ? ", in a tunnel" : ""}`,
    columns: [SPEED, CPU_BYTES, BUSY],
    goals,
    tunnels: tunnel,
    measure: (proxy, ground) =>
      withCpu(proxy, 1, async () => {
        const seconds = await download(proxy, ground.origin.large, GIBIBYTE, count, tunnel);
        return { units: count, seconds, speed: count * 1024 / seconds };
      }),
  };
}

const uploads: SharedWork = {
  name: "upload",
  title: "512 MiB upload",
  columns: [SPEED, CPU_BYTES, BUSY],
  goals: [{ column: "speed", peer: "haproxy", atLeast: 1 }],
  measure: (proxy, ground) =>
    withCpu(proxy, 1, async () => {
      const seconds = await upload(proxy, ground.origin.sink, ground.uploadFile);
      return { units: 0.5, seconds, speed: 512 / seconds };
    }),
};

const tunnels: SharedWork = {
  name: "tunnels",
  title: "Tunnels opened, one request in each, 16 at once",
  columns: [RATE, MEDIAN, TAIL, CPU, BUSY, FAILED],
  goals: [
    { column: "rate", peer: "squid", atLeast: 1.2 },
    { column: "rate", peer: "tinyproxy", atLeast: 1 },
  ],
  tunnels: true,
  measure: (proxy, ground) =>
    withCpu(proxy, 100_000, async () => {
      const result = await openTunnels(proxy, ground.origin.small, 16, ground.seconds);
      const { tunnels, seconds, p50, p99, failed } = result;
      return { units: tunnels, seconds, rate: tunnels / seconds, p50, p99, failed };
    }),
};

const memory: FreshWork = {
  name: "memory",
  title: "Start and memory",
  columns: [
    { key: "start", title: "first answer ms", better: "less", digits: 1 },
    { key: "idle", title: "idle MB", better: "less", digits: 1 },
    { key: "connection", title: "KiB per idle connection", better: "less", digits: 1 },
  ],
  goals: [
    { column: "start", peer: "squid", atMost: 1 },
    { column: "idle", atMost: 40 },
    { column: "connection", atMost: 15 },
  ],
  async measureFresh(peer, ground) {
    const proxy = await startProxy(peer, ground.folder, ground.origin);
    try {
      const idle = await proxy.program.settledBytes();
      const figures = { start: proxy.firstAnswer, idle: idle / 1e6 };
      const connections = await openIdle(proxy, ground.origin.small, ground.idleConnections)
        .catch((error) => console.error(error.message));
      if (connections === undefined) return figures;
      const full = await proxy.program.settledBytes();
      for (const connection of connections) connection.close();
      return { ...figures, connection: (full - idle) / 1024 / ground.idleConnections };
    } finally {
      await proxy.program.end();
    }
  },
};

const SMALL_GOALS: Goal[] = [
  { column: "rate", peer: "squid", atLeast: 2.2 },
  { column: "rate", peer: "haproxy", atLeast: 1 },
  // what a policy costs: 5 % at most
  { column: "rate", peer: "weir-policy", atMost: 1.053 },
];

export const WORKS: Work[] = [
  requests(64, SMALL_GOALS),
  requests(8, SMALL_GOALS),
  requests(512, [...SMALL_GOALS, { column: "p99", peer: "haproxy", atMost: 3 }]),
  requests(64, [
    { column: "rate", peer: "squid", atLeast: 2 },
    { column: "rate", peer: "haproxy", atLeast: 0.8 },
  ], true),
  downloads(1, [
    { column: "speed", peer: "haproxy", atLeast: 1 },
    { column: "cpu", peer: "haproxy", atMost: 1 },
  ]),
  downloads(4, [
    { column: "speed", peer: "haproxy", atLeast: 1 },
    { column: "cpu", peer: "haproxy", atMost: 1 },
  ]),
  downloads(1, [], true),
  uploads,
  tunnels,
  memory,
  hits("hit-64", [
    { column: "rate", peer: "squid", atLeast: 1.6 },
    { column: "rate", peer: "nginx", atLeast: 1 },
    { column: "rate", peer: "nginx-tuned", atLeast: 1 },
    { column: "rate", peer: "varnish", atLeast: 1 },
  ]),
  hits("hit-64k", [{ column: "rate", peer: "squid", atLeast: 1 }]),
  misses,
  objects,
  diskHits({ name: "1k", length: 1024, count: 20_000 }, "1 KiB"),
  diskHits({ name: "16k", length: 16 * 1024, count: 5_000 }, "16 KiB"),
  diskHits({ name: "1m", length: 1024 * 1024, count: 200 }, "1 MiB"),
];

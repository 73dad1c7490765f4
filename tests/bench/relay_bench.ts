/**
 * Compares `weir relay` with HAProxy in TCP mode and socat: side by side, in interleaved rounds, over loopback, each
 * before the same nginx, with a log where it has one.
 *
 *     deno run -A tests/bench/relay_bench.ts [--rounds 5] [--seconds 4] [work]...
 *
 * Needs nginx, wrk and curl, and compares with what is installed of haproxy and socat.
 */

import { parseArgs } from "node:util";
import { download, upload, wrk } from "./load.ts";
import { GIBIBYTE, type Origin, startOrigin } from "./origin.ts";
import { type Peer, type Proxy, WEIR_FROM_SOURCES } from "./peers.ts";
import { endAll, freePort, installed, listening, Program } from "./processes.ts";
import { report, type Rounds } from "./report.ts";
import type { Column, Work } from "./works.ts";

const weir: Peer = {
  name: "weir",
  tunnels: false,
  command: (_folder, port, origin) =>
    Promise.resolve([
      ...[...WEIR_FROM_SOURCES, "relay", "-l", `127.0.0.1:${port}`, "--to", origin.authority],
      ...["--log-format", "json"],
    ]),
};

const haproxy: Peer = {
  name: "haproxy",
  tunnels: false,
  async command(folder, port, origin) {
    const file = `${folder}/haproxy.conf`;
    await Deno.writeTextFile(
      file,
      `
global
  nbthread 1
  maxconn 8900
  log stdout format raw local0 info
defaults
  mode tcp
  log global
  option tcplog
  timeout connect 5s
  timeout client 600s
  timeout server 600s
listen relay
  bind 127.0.0.1:${port} backlog 4096
  server origin ${origin.authority} check
`,
    );
    return ["haproxy", "-db", "-f", file];
  },
};

const socat: Peer = {
  name: "socat",
  tunnels: false,
  command: (_folder, port, origin) =>
    Promise.resolve([
      ...["socat", "-b", "65536", "-t", "5"],
      `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,backlog=4096,max-children=1000,nodelay`,
      `TCP:${origin.authority},nodelay`,
    ]),
};

const RATE: Column = { key: "rate", title: "per second", better: "more", digits: 0 };
const SPEED: Column = { key: "speed", title: "MiB/s", better: "more", digits: 0 };
const TAIL: Column = { key: "p99", title: "p99 ms", better: "less", digits: 2 };
const CPU: Column = { key: "cpu", title: "CPU s/100k", better: "less", digits: 2 };
const CPU_BYTES: Column = { key: "cpu", title: "CPU s/GiB", better: "less", digits: 2 };
const BUSY: Column = { key: "busy", title: "cores busy", better: "less", digits: 2 };
const GOALS = (column: string) => [
  { column, peer: "haproxy", atLeast: 0.9 },
  { column, peer: "socat", atLeast: 1 },
];

interface RelayWork {
  name: string;
  title: string;
  columns: Column[];
  goal: string;
  measure(proxy: Proxy, origin: Origin): Promise<Record<string, number>>;
}

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" }, seconds: { type: "string", default: "4" } },
});
const seconds = Number(options.seconds);

const requests = (connections: number, close: boolean) => async (proxy: Proxy, origin: Origin) => {
  const before = proxy.program.cpuSeconds();
  const result = await wrk(proxy, origin.small, connections, seconds, close);
  const used = proxy.program.cpuSeconds() - before;
  return {
    rate: result.requests / result.seconds,
    p99: result.p99,
    cpu: used / result.requests * 100_000,
    busy: used / result.seconds,
  };
};

const bytes = (gibibytes: number, move: (proxy: Proxy, origin: Origin) => Promise<number>) =>
async (
  proxy: Proxy,
  origin: Origin,
) => {
  const before = proxy.program.cpuSeconds();
  const took = await move(proxy, origin);
  const used = proxy.program.cpuSeconds() - before;
  return { speed: gibibytes * 1024 / took, cpu: used / gibibytes, busy: used / took };
};

const WORKS: RelayWork[] = [
  {
    name: "connections",
    title: "Connections: each with one request and its answer of 1 KiB, 32 at once",
    columns: [RATE, TAIL, CPU, BUSY],
    goal: "rate",
    measure: requests(32, true),
  },
  {
    name: "kept",
    title: "Requests on kept connections, answers of 1 KiB, 64 at once",
    columns: [RATE, TAIL, CPU, BUSY],
    goal: "rate",
    measure: requests(64, false),
  },
  {
    name: "bytes",
    title: "Bytes from the target: 1 GiB on one connection",
    columns: [SPEED, CPU_BYTES, BUSY],
    goal: "speed",
    measure: bytes(1, (proxy, origin) => download(proxy, origin.large, GIBIBYTE, 1)),
  },
  {
    name: "bytes-8",
    title: "Bytes from the target: 1 GiB on each of 8 connections at once",
    columns: [SPEED, CPU_BYTES, BUSY],
    goal: "speed",
    measure: bytes(8, (proxy, origin) => download(proxy, origin.large, GIBIBYTE, 8)),
  },
  {
    name: "up",
    title: "Bytes to the target: 512 MiB on one connection",
    columns: [SPEED, CPU_BYTES, BUSY],
    goal: "speed",
    measure: bytes(0.5, (proxy, origin) => upload(proxy, `http://${origin.authority}/sink`, uploadFile)),
  },
];

const memory = await Deno.stat("/dev/shm").then(() => "/dev/shm", () => undefined);
const folder = await Deno.makeTempDir({ dir: memory, prefix: "weir-bench-" });
await Deno.chmod(folder, 0o755);
const uploadFile = `${folder}/upload`;
using file = await Deno.create(uploadFile);
await file.truncate(2 ** 29);

for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => finish(130));
try {
  await bench();
  await finish(0);
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  await finish(1);
}

async function finish(code: number): Promise<never> {
  await endAll();
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch { /* A program that is just being ended may still hold on to it. */ }
  Deno.exit(code);
}

async function bench(): Promise<void> {
  const nginx = await startOrigin(folder);
  const sink = { ...nginx, authority: nginx.sinkAuthority };
  const peers = [weir, haproxy, socat].filter(({ name }) => name === "weir" || installed(name) !== undefined);
  for (const work of WORKS) {
    if (wanted.length > 0 && !wanted.includes(work.name)) continue;
    const origin = work.name === "up" ? sink : nginx;
    const proxies = new Map<string, Proxy>();
    for (const peer of peers) proxies.set(peer.name, await start(peer, origin));
    const rounds: Rounds = new Map(peers.map(({ name }) => [name, []]));
    for (let round = 0; round < Number(options.rounds); round++) {
      for (let turn = 0; turn < peers.length; turn++) {
        const { name } = peers[(round + turn) % peers.length];
        try {
          rounds.get(name)![round] = await work.measure(proxies.get(name)!, origin);
        } catch (error) {
          console.error(`${work.title}: ${name}: ${error instanceof Error ? error.message : error}`);
          rounds.get(name)![round] = undefined;
        }
      }
    }
    const { name, title, columns, goal } = work;
    console.log(report({ name, title, columns, goals: GOALS(goal) } as unknown as Work, rounds));
    for (const { program } of proxies.values()) await program.end();
  }
}

async function start(peer: Peer, origin: Origin): Promise<Proxy> {
  const own = await Deno.makeTempDir({ dir: folder, prefix: `${peer.name}-` });
  const port = freePort();
  const [name, ...args] = await peer.command(own, port, origin);
  const path = name.includes("/") ? name : installed(name)!;
  const program = Program.start(peer.name, [path, ...args], `${own}/output.log`, own);
  await listening(program, port);
  return { peer, program, port, firstAnswer: 0 };
}

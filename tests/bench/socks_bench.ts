/**
 * Compares weir with microsocks and dante as SOCKS 5 proxies: side by side, in interleaved rounds, over loopback,
 * before the same nginx, each with a log where it has one.
 *
 *     deno run -A tests/bench/socks_bench.ts [--rounds 5] [--seconds 4] [work]...
 *
 * Needs nginx and curl, and compares with what is installed of microsocks and danted.
 */

import { parseArgs } from "node:util";
import { GIBIBYTE, type Origin, startOrigin } from "./origin.ts";
import { type Peer, type Proxy, WEIR_FROM_SOURCES } from "./peers.ts";
import { endAll, freePort, installed, listening, Program } from "./processes.ts";
import { report, type Rounds } from "./report.ts";
import type { Column, Work } from "./works.ts";

const weir: Peer = {
  name: "weir",
  tunnels: true,
  command: (_folder, port) =>
    Promise.resolve([
      ...[...WEIR_FROM_SOURCES, "--listen", `127.0.0.1:${port}`, "--log-format", "json"],
    ]),
};

const microsocks: Peer = {
  name: "microsocks",
  tunnels: true,
  command: (_folder, port) => Promise.resolve(["microsocks", "-i", "127.0.0.1", "-p", `${port}`]),
};

const danted: Peer = {
  name: "danted",
  tunnels: true,
  async command(folder, port) {
    const file = `${folder}/danted.conf`;
    await Deno.writeTextFile(
      file,
      `
logoutput: ${folder}/danted.log
internal: 127.0.0.1 port = ${port}
external: lo
clientmethod: none
socksmethod: none
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 log: connect disconnect }
`,
    );
    return ["danted", "-f", file];
  },
};

const RATE: Column = { key: "rate", title: "per second", better: "more", digits: 0 };
const SPEED: Column = { key: "speed", title: "MiB/s", better: "more", digits: 0 };
const TAIL: Column = { key: "p99", title: "p99 ms", better: "less", digits: 2 };
const CPU: Column = { key: "cpu", title: "CPU s/100k", better: "less", digits: 2 };
const FAILED: Column = { key: "failed", title: "failed", better: "less", digits: 0 };

interface SocksWork {
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

async function output(program: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

const connections = (concurrency: number) => async ({ port, program }: Proxy, origin: Origin) => {
  const load = new URL("./socks_load.ts", import.meta.url).pathname;
  const target = new URL(origin.small).port;
  const args = ["run", "-A", load, `${port}`, target, `${concurrency}`, options.seconds];
  const before = program.cpuSeconds();
  const result = JSON.parse(await output(Deno.execPath(), args)) as Record<string, number>;
  return { ...result, cpu: (program.cpuSeconds() - before) / result.count * 100_000 };
};

const bytes = (count: number) => async ({ port }: Proxy, origin: Origin) => {
  const targets = Array.from({ length: count }, () => ["-o", "/dev/null", origin.large]).flat();
  const began = performance.now();
  await output("curl", [
    ...["-q", "-sSf", "-Z", "--parallel-immediate", "--socks5", `127.0.0.1:${port}`],
    ...targets,
  ]);
  return { speed: count * GIBIBYTE / 2 ** 20 / ((performance.now() - began) / 1000) };
};

const WORKS: SocksWork[] = [
  {
    name: "connections",
    title: "Connections: each with a handshake, one request and its answer of 1 KiB, 32 at once",
    columns: [RATE, TAIL, CPU, FAILED],
    goal: "rate",
    measure: connections(32),
  },
  {
    name: "bytes",
    title: "Bytes from the target: 1 GiB on one connection",
    columns: [SPEED],
    goal: "speed",
    measure: bytes(1),
  },
  {
    name: "bytes-4",
    title: "Bytes from the target: 1 GiB on each of 4 connections at once",
    columns: [SPEED],
    goal: "speed",
    measure: bytes(4),
  },
];

const memory = await Deno.stat("/dev/shm").then(() => "/dev/shm", () => undefined);
const folder = await Deno.makeTempDir({ dir: memory, prefix: "weir-bench-" });
await Deno.chmod(folder, 0o755);

let code = 0;
try {
  await bench();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  code = 1;
}
await endAll();
Deno.removeSync(folder, { recursive: true });
Deno.exit(code);

async function bench(): Promise<void> {
  const origin = await startOrigin(folder);
  const others = [microsocks, danted].filter(({ name }) => installed(name) !== undefined);
  const peers = [weir, ...others];
  const proxies = new Map<string, Proxy>();
  for (const peer of peers) proxies.set(peer.name, await start(peer, origin));
  for (const work of WORKS) {
    if (wanted.length > 0 && !wanted.includes(work.name)) continue;
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
    const goals = others.map(({ name }) => ({ column: work.goal, peer: name, atLeast: 1 }));
    const { name, title, columns } = work;
    console.log(report({ name, title, columns, goals } as unknown as Work, rounds));
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

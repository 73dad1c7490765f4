/**
 * Compares weir with the proxies that are installed: side by side, in interleaved rounds, over loopback.
 *
 *     deno task bench                                   everything, in about half an hour
 *     deno task bench small new                         some of the works
 *     deno task bench --only weir,haproxy --rounds 3 --seconds 2 small
 *     deno task bench --only weir --against ../before small new-64 hit-64
 *
 * Needs nginx (the origin), wrk and curl; compares with squid, haproxy, nginx, tinyproxy, privoxy and
 * varnish.
 */

import { parseArgs } from "node:util";
import { endDiskOrigin } from "./disk_hits.ts";
import { chooseDisks } from "./disk_peers.ts";
import { startOrigin } from "./origin.ts";
import {
  AGAINST,
  chooseCaches,
  choosePeers,
  type Peer,
  PEER_NAMES,
  type Proxy,
  startProxy,
  WEIR_FROM_SOURCES,
} from "./peers.ts";
import { endAll, installed } from "./processes.ts";
import { report, type Rounds } from "./report.ts";
import { type Ground, type Work, WORKS } from "./works.ts";

const NAMES = WORKS.map((work) => work.name);
const HELP = `deno task bench [options] [work]...

  works                 ${NAMES.join(", ")};
                        "small" is all three
  --only NAMES          compare these alone: ${PEER_NAMES.join(",")};
                        weir-policy is weir with 20 rules and a list of a million names, when it is named
  --against FOLDER      another checkout of weir, as one more peer called ${AGAINST}: the goal is to be level with it
  --rounds NUMBER       rounds of each work [5]
  --seconds NUMBER      length of a timed work in each round [4]
  --idle NUMBER         idle connections of "memory" [5000]
  --weir COMMAND        how weir is started, words split at spaces [deno run --allow-net --no-prompt main.ts]
  --json                print the figures of every round as JSON too`;

const { values: options, positionals: wanted } = readOptions();
if (options.help) {
  console.log(HELP);
  Deno.exit(0);
}
for (const program of ["nginx", "wrk", "curl", "setsid"]) {
  if (installed(program) === undefined) {
    console.error(`The bench needs ${program}: apt-get install nginx wrk curl util-linux`);
    Deno.exit(1);
  }
}

// A sparse file in memory costs nothing to read; without /dev/shm the page cache does as well.
const memory = await Deno.stat("/dev/shm").then(() => "/dev/shm", () => undefined);
const folder = await Deno.makeTempDir({ dir: memory, prefix: "weir-bench-" });
const diskFolder = await Deno.makeTempDir({ prefix: "weir-bench-" });
for (const path of [folder, diskFolder]) await Deno.chmod(path, 0o755);
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => interrupted ? Deno.exit(130) : (interrupted = true, finish(130)));
}

let code = 0;
try {
  await bench();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  code = 1;
}
await finish(code);

function readOptions() {
  try {
    const read = parseArgs({
      args: Deno.args,
      allowPositionals: true,
      options: {
        only: { type: "string", default: "" },
        against: { type: "string", default: "" },
        rounds: { type: "string", default: "5" },
        seconds: { type: "string", default: "4" },
        idle: { type: "string", default: "5000" },
        weir: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const unknown = read.positionals.find((name) => !WORKS.some((work) => chosenBy(name, work)));
    if (unknown !== undefined) throw new Error(`There is no work ${unknown}.`);
    const stranger = namesIn(read.values.only).find((name) => !PEER_NAMES.includes(name));
    if (stranger !== undefined) {
      throw new Error(`There is no proxy ${stranger} here; there are ${PEER_NAMES.join(", ")}.`);
    }
    return read;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    Deno.exit(2);
  }
}

function namesIn(list: string): string[] {
  return list.split(",").filter((name) => name !== "");
}

function chosenBy(name: string, work: Work): boolean {
  return work.name === name || work.name.startsWith(`${name}-`);
}

async function finish(code: number): Promise<never> {
  await endAll();
  await endDiskOrigin();
  for (const path of [folder, diskFolder]) {
    try {
      Deno.removeSync(path, { recursive: true });
    } catch { /* A program that is just being ended may still hold on to it. */ }
  }
  Deno.exit(code);
}

async function bench(): Promise<void> {
  const chosen = WORKS.filter((work) => wanted.length === 0 || wanted.some((name) => chosenBy(name, work)));
  const only = namesIn(options.only);
  // the program is started in a folder of its own
  const against = options.against === "" ? "" : await Deno.realPath(options.against);
  const command = options.weir?.split(" ") ?? WEIR_FROM_SOURCES;
  const relays = chosen.some((work) => work.caches === undefined && !work.disks)
    ? choosePeers(command, only, against)
    : [];
  const caches = chosen.some((work) => work.caches !== undefined) ? chooseCaches(command, only, against) : [];
  const disks = chosen.some((work) => work.disks) ? chooseDisks(command, only) : [];
  const origin = await startOrigin(folder);
  const uploadFile = `${folder}/upload`;
  using file = await Deno.create(uploadFile);
  await file.truncate(2 ** 29);
  const ground: Ground = {
    origin,
    folder,
    diskFolder,
    uploadFile,
    seconds: Number(options.seconds),
    idleConnections: Number(options.idle),
  };

  const started = { relays: new Map<string, Proxy>(), caches: new Map<string, Proxy>() };
  console.log(
    `${Deno.build.os} ${Deno.osRelease()}, ${navigator.hardwareConcurrency} cores, ` +
      `${
        [...new Set([...relays, ...caches, ...disks].map((peer) => peer.name))].join(", ")
      }; ${options.rounds} rounds of ${options.seconds} s; medians`,
  );
  for (const work of chosen) {
    const { caches: names } = work;
    const peers = work.disks
      ? disks
      : names === undefined
      ? relays
      : caches.filter((peer) => names.includes(peer.name) || peer.name === AGAINST);
    const proxies = names === undefined ? started.relays : started.caches;
    if ("measure" in work) {
      for (const peer of peers) {
        if (!proxies.has(peer.name)) proxies.set(peer.name, await startProxy(peer, folder, origin));
      }
    }
    const rounds = await measure(work, peers, proxies, ground);
    console.log(report(against === "" ? work : levelWith(work), rounds));
    if (options.json) console.log(JSON.stringify({ work: work.title, rounds: Object.fromEntries(rounds) }));
  }
}

/** The same work with the goal to be level with another checkout: by a fiftieth at the most below it. */
function levelWith(work: Work): Work {
  const { key, better } = work.columns[0];
  const bound = better === "more" ? { atLeast: 0.98 } : { atMost: 1.02 };
  return { ...work, goals: [...work.goals, { column: key, peer: AGAINST, ...bound }] };
}

/** Measures one work in rounds, each beginning with another peer. */
async function measure(
  work: Work,
  peers: Peer[],
  proxies: Map<string, Proxy>,
  ground: Ground,
): Promise<Rounds> {
  const able = peers.filter((peer) => peer.tunnels || !work.tunnels);
  const rounds: Rounds = new Map(able.map((peer) => [peer.name, []]));
  for (let round = 0; round < Number(options.rounds); round++) {
    for (let turn = 0; turn < able.length; turn++) {
      const peer = able[(round + turn) % able.length];
      try {
        const figures = "measure" in work
          ? await work.measure(proxies.get(peer.name)!, ground)
          : await work.measureFresh(peer, ground);
        rounds.get(peer.name)![round] = figures;
      } catch (error) {
        // The programs are being ended: what fails now says nothing about a proxy.
        if (interrupted) return await new Promise(() => {});
        console.error(`${work.title}: ${peer.name}: ${error instanceof Error ? error.message : error}`);
        rounds.get(peer.name)![round] = undefined;
      }
    }
  }
  return rounds;
}

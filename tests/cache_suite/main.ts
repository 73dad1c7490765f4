/**
 * Puts weir's cache to the public tests for HTTP caches, those behind https://cache-tests.fyi, as a forward
 * proxy between the suite's client and its server:
 *
 *     deno task test:cache                          all tests, held to the accepted run in results.json
 *     deno task test:cache --update                 accepts this run
 *     deno task test:cache --only ID,ID --dump      some tests and what they depend on, with their messages
 *     deno task test:cache --peer squid,nginx,varnish,weir
 *                                                   other caches as well
 *
 * Needs Node and npm, which installs the suite into a temporary folder. Left out are the tests for surrogates
 * and those that only a browser can run. A test that does not pass is run a second time before it is believed.
 * Exits 1 when weir does not pass a test that the accepted run passes.
 */

import { parseArgs } from "node:util";
import { endAll } from "../bench/processes.ts";
import { compare, readAccepted, toAccepted, writeAccepted } from "./accepted.ts";
import { EXCEPTIONS } from "./exceptions.ts";
import { EDITION, judge, type Judged } from "./outcome.ts";
import { type Peer, PEERS, type Running } from "./peers.ts";
import { installSuite, Origin, type Run, type RunOptions } from "./suite.ts";
import { comparison, failures, inWords, summary } from "./table.ts";

const HELP = `deno task test:cache [options]

  --peer NAMES          the caches to test: ${PEERS.map(({ name }) => name).join(", ")} [weir]
  --only IDS            these tests alone, and those that they depend on
  --dump                print every request and response
  --concurrency NUMBER  tests at the same time [24]
  --update              accept what weir passes as what it has to pass from now on`;

const options = readOptions();
if (options.help) {
  console.log(HELP);
  Deno.exit(0);
}
const folder = await Deno.makeTempDir({ prefix: "weir-cache-suite-" });
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => finish(130));

let code: number;
try {
  code = await test();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  code = 1;
}
await finish(code);

async function finish(code: number): Promise<never> {
  await endAll();
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  Deno.exit(code);
}

/** Runs the suite against every cache that is asked for; the exit code. */
async function test(): Promise<number> {
  await Deno.chmod(folder, 0o755);
  await installSuite(`${folder}/suite`);
  const runs: [string, Judged[]][] = [];
  let code = 0;
  for (const peer of options.peers) {
    const judged = await testPeer(peer);
    runs.push([peer.name, judged]);
    if (peer.name === "weir" && options.only === null) code = await holdToAccepted(judged);
  }
  if (runs.length > 1) console.log(`\n${comparison(runs)}`);
  return code;
}

async function testPeer(peer: Peer): Promise<Judged[]> {
  await using origin = await Origin.start(`${folder}/suite`);
  const files = `${folder}/${peer.name}`;
  await Deno.mkdir(files);
  await using running = await peer.start(files, origin.port);
  console.log(`== ${running.version}`);
  const judged = await runTwice(origin, running);
  running.assertHealthy?.();
  console.log(`${failures(judged, peer.name === "weir" ? EXCEPTIONS : {})}\n\n${summary(judged)}\n`);
  console.log(`${inWords(judged)}\n`);
  return judged;
}

/** Runs the tests, and once more those that have not passed: the machine may have been busy. */
async function runTwice(origin: Origin, { address }: Running): Promise<Judged[]> {
  const { only, concurrency, dump } = options;
  const first = await origin.run(address, { only, concurrency, dump });
  const judged = judge(first.groups, first.results);
  const again = judged.filter(({ outcome }) => outcome !== "pass").map(({ test }) => test.id);
  if (again.length === 0 || dump) return judged;
  const second = await origin.run(address, { only: again, concurrency });
  const passed = again.filter((id) => first.results[id] !== true && second.results[id] === true);
  if (passed.length > 0) console.log(`Passed only when they ran a second time: ${passed.join(", ")}`);
  return judge(first.groups, merge(first, second));
}

/** The better of two results of each test. */
function merge(first: Run, second: Run): Run["results"] {
  const passed = Object.entries(second.results).filter(([, result]) => result === true);
  return { ...first.results, ...Object.fromEntries(passed) };
}

/** Compares with the accepted run, or accepts this one; the exit code. */
async function holdToAccepted(judged: Judged[]): Promise<number> {
  if (options.update) {
    await writeAccepted(toAccepted(EDITION, judged));
    console.log("This run is the accepted one now: tests/cache_suite/results.json.");
    return 0;
  }
  const accepted = await readAccepted();
  if (accepted?.edition !== EDITION) {
    console.log(`There is no accepted run of the edition ${EDITION}: --update accepts this one.`);
    return 1;
  }
  const { worse, better, changed } = compare(accepted, judged);
  if (changed.length > 0) console.log(`Answered in another way than before:\n${answers(changed)}\n`);
  if (better.length > 0) console.log(`Passed now, which they were not: ${names(better)}`);
  if (worse.length > 0) console.log(`Not passed, which they were:\n${failures(worse)}\n`);
  if (better.length + worse.length + changed.length > 0) {
    console.log("deno task test:cache --update accepts this run as it is.");
  }
  const passed = judged.filter(({ outcome }) => outcome === "pass").length;
  const rest = judged.length - passed - worse.length;
  const verdict = worse.length === 0 ? "ok" : "FAILED";
  // The line that .ci/run reads, in the words of deno test.
  console.log(`${verdict} | ${passed} passed (${rest} as accepted) | ${worse.length} failed`);
  return worse.length === 0 ? 0 : 1;
}

function answers(changed: Judged[]): string {
  return changed.map(({ test, outcome }) => `${outcome === "pass" ? "yes" : "no "} ${test.id}: ${test.name}`)
    .join("\n");
}

function names(judged: Judged[]): string {
  return judged.map(({ test }) => test.id).join(", ");
}

function readOptions(): RunOptions & { peers: Peer[]; update: boolean; help: boolean } {
  try {
    const { values } = parseArgs({
      args: Deno.args,
      options: {
        peer: { type: "string", default: "weir" },
        only: { type: "string" },
        dump: { type: "boolean", default: false },
        concurrency: { type: "string", default: "24" },
        update: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const concurrency = Number(values.concurrency);
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new Error("--concurrency wants a number of tests, 1 or more.");
    }
    return {
      peers: values.peer.split(",").map(peerNamed),
      only: values.only?.split(",") ?? null,
      dump: values.dump,
      concurrency: values.dump ? 1 : concurrency,
      update: values.update,
      help: values.help,
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    Deno.exit(2);
  }
}

function peerNamed(name: string): Peer {
  const peer = PEERS.find((peer) => peer.name === name);
  if (peer === undefined) {
    throw new Error(`There is no cache ${name} here; there are ${PEERS.map(({ name }) => name).join(", ")}.`);
  }
  return peer;
}

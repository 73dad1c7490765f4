/**
 * Feeds the readers and writers of HTTP with made-up and damaged messages and checks what must hold for each of
 * them. `--seed 7` makes the same inputs again, `--seconds 60` sets how long, `--case 123` runs one case alone.
 * Exits with 1 when something was found, and 2 when it cannot read its arguments.
 */

import type { Order, Report } from "./worker.ts";

const DEFAULT_SECONDS = 30;
/** A case takes well under a millisecond: one that takes so long never ends. */
const HANGS_AFTER = 10_000;

const options = new Map<string, number>();
for (let at = 0; at < Deno.args.length; at += 2) {
  const [name, value] = Deno.args.slice(at, at + 2);
  if (!["--seed", "--seconds", "--case"].includes(name) || !/^[0-9]{1,10}$/.test(value ?? "")) {
    console.error("usage: deno task fuzz [--seed NUMBER] [--seconds NUMBER] [--case NUMBER]");
    Deno.exit(2);
  }
  options.set(name, Number(value));
}

const seed = options.get("--seed") ?? crypto.getRandomValues(new Uint32Array(1))[0] >>> 1;
const seconds = options.get("--seconds") ?? DEFAULT_SECONDS;
const only = options.get("--case");
console.log(`seed ${seed}, ${only === undefined ? `${seconds} seconds` : `case ${only}`}`);

const progress = new Int32Array(new SharedArrayBuffer(4));
const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
worker.onmessage = ({ data: { cases, findings } }: MessageEvent<Report>) => {
  for (const finding of findings) console.error(`\n${finding}`);
  console.log(`${cases} cases, ${findings.length} findings`);
  Deno.exit(findings.length > 0 ? 1 : 0);
};
worker.postMessage(
  {
    seed,
    first: only ?? 0,
    most: only === undefined ? Infinity : 1,
    duration: seconds * 1000,
    progress,
  } satisfies Order,
);

let seen = -1;
setInterval(() => {
  const now = Atomics.load(progress, 0);
  if (now === seen) {
    console.error(`case ${now} of seed ${seed} does not end: deno task fuzz --seed ${seed} --case ${now}`);
    worker.terminate();
    Deno.exit(1);
  }
  seen = now;
}, HANGS_AFTER);

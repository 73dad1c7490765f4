/**
 * What a list of a million names costs: its memory and its loading are printed first, then looking names up is
 * timed.
 *
 *     deno bench tests/bench/policy_bench.ts
 */

import { HostListReader } from "../../src/policy/host_list_reader.ts";
import { Random } from "../fuzz/random.ts";

const NAMES = 1_000_000;
/** As many are asked for in turn, so that no cache of the processor holds their entries. */
const ASKED = 8192;
const CHUNK_SIZE = 64 * 1024;

const random = new Random(3);
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-";
const SUFFIXES = [
  "com",
  "com",
  "com",
  "net",
  "org",
  "example",
  "de",
  "co.uk",
  "info",
  "xyz",
  "cloudfront.net",
];

function label(): string {
  let text = LETTERS[random.below(26)];
  for (let length = 3 + random.below(12); length > 0; length--) text += LETTERS[random.below(36)];
  return text;
}

/** As long as the names of public lists are: 20 letters or so, of two to four labels. */
function name(): string {
  let text = `${label()}.${random.pick(SUFFIXES)}`;
  for (let more = random.below(3); more > 0; more--) {
    text = `${random.pick(["www", "ads", "t", label()])}.${text}`;
  }
  return text;
}

const encoder = new TextEncoder();
const mebibytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);

/** Fills a list by the form of a line, and says what that took. */
function load(what: string, lineOf: (name: string) => string, names: number) {
  const asked: string[] = [];
  const reader = new HostListReader();
  const chunk = new Uint8Array(CHUNK_SIZE);
  const before = Deno.memoryUsage();
  let taken = 0;
  let bytes = 0;
  let length = 0;
  const flush = () => {
    const start = performance.now();
    reader.read(chunk.subarray(0, length));
    taken += performance.now() - start;
    bytes += length;
    length = 0;
  };
  for (let number = 0; number < names; number++) {
    const listed = name();
    if (number % Math.floor(names / ASKED) === 0) asked.push(listed);
    if (length + 256 > CHUNK_SIZE) flush();
    length += encoder.encodeInto(lineOf(listed), chunk.subarray(length)).written;
  }
  flush();
  const start = performance.now();
  const { list, problems } = reader.end();
  taken += performance.now() - start;
  const after = Deno.memoryUsage();
  console.log(
    `${what}: ${list.size} names of ${mebibytes(bytes)} MiB in ${taken.toFixed(0)} ms; memory grew by ` +
      `${mebibytes(after.rss - before.rss)} MiB, of which buffers ${
        mebibytes(after.external - before.external)
      }` +
      (problems.length > 0 ? `; ${problems[0].message}` : ""),
  );
  return { list, asked };
}

const { list, asked } = load("one name a line", (name) => `${name}\n`, NAMES);
const domains = load("domains", (name) => `.${name}\n`, NAMES).list;
load("a hosts file", (name) => `0.0.0.0 ${name}\n`, NAMES);

const unknown = asked.map(() => `${name()}x`);
const deep = asked.map(() => `a.b.c.d.e.f.${name()}`);
const below = asked.map((name) => `a.b.${name}`);

let turn = 0;
const next = (names: readonly string[]) => names[turn = turn + 1 & ASKED - 1];

Deno.bench("a name that is listed", { group: "a million names", baseline: true }, () => {
  list.includesName(next(asked));
});
Deno.bench("a name that is not", { group: "a million names" }, () => {
  list.includesName(next(unknown));
});
Deno.bench("a name of eight labels and more that is not", { group: "a million names" }, () => {
  list.includesName(next(deep));
});
Deno.bench("a name two labels below one that is not meant with it", { group: "a million names" }, () => {
  list.includesName(next(below));
});
Deno.bench("a name below a domain that is listed", { group: "a million names" }, () => {
  domains.includesName(next(below));
});

/**
 * What a list of a million names costs, and a decision by 20 rules that name it: the memory and the loading are
 * printed first, then looking names up and deciding is timed.
 *
 *     deno bench tests/bench/policy_bench.ts
 */

import { parseIp } from "../../src/http/ip_address.ts";
import type { Facts } from "../../src/policy/facts.ts";
import { HostListReader } from "../../src/policy/host_list_reader.ts";
import { pathReadings } from "../../src/policy/path_pattern.ts";
import { Policy } from "../../src/policy/policy.ts";
import { Random } from "../fuzz/random.ts";
import { facts, policyOfRules, rule, type RuleWords } from "../policy/policy_samples.ts";

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
    if (asked.length < ASKED && number % Math.floor(names / ASKED) === 0) asked.push(listed);
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

/** Of all kinds; what is asked for passes all of them but the last. */
const RULES: RuleWords[] = [
  { action: "deny", hosts: ["@ads"] },
  { hosts: ["registry.corp.test", "*.other.test"], ports: ["443"] },
  { hosts: ["github.com", ".githubusercontent.com"], methods: ["GET", "HEAD"] },
  { hosts: ["pypi.org", "files.pythonhosted.org"] },
  { clients: ["10.1.0.0/16"], hosts: [".corp.example"] },
  { clients: ["10.2.0.0/16", "2001:db8::/32"], hosts: ["*"] },
  { action: "deny", methods: ["TRACE", "DELETE"] },
  { action: "deny", paths: ["/admin/*", "/*.exe"] },
  { hosts: ["192.0.2.0/24", "2001:db8::/32"], ports: ["5432"] },
  { action: "deny", hosts: [".example.net"], note: "not this one" },
  ...Array.from({ length: 9 }, (_, number) => ({ hosts: [`mirror${number}.example.com`], ports: ["80"] })),
  { clients: ["loopback"], ports: ["80", "443"] },
];
const policy = new Policy(
  policyOfRules(RULES.map((words, index) => rule(words, index + 1))),
  new Map([["ads", list]]),
);
const address = parseIp("203.0.114.7")!;

const requests = unknown.map((host) => facts(`${host}:80`, { path: "/a/plain/path.html" }));
const denied = asked.map((host) => facts(`${host}:80`));
const few = requests.slice(0, 512);

/** Both questions that a request has: by its name, and by its address unless the first was answered with no. */
function decide(requests: readonly Facts[]): string {
  const request = requests[turn = turn + 1 & requests.length - 1];
  const { decision } = policy.decide(request, null);
  return decision === "deny" ? decision : policy.decide(request, address).decision;
}
for (const [what, expected] of [[requests, "allow"], [denied, "deny"]] as const) {
  if (decide(what) !== expected) throw new Error(`the policy does not ${expected}`);
}

Deno.bench("a request for a host that is often asked for", { group: "20 rules", baseline: true }, () => {
  decide(few);
});
Deno.bench("a request for a host that was not asked for lately", { group: "20 rules" }, () => {
  decide(requests);
});
Deno.bench("a request for a listed host that was not asked for lately", { group: "20 rules" }, () => {
  decide(denied);
});

// two by turns, since the last one is remembered
const nasty = ["a", "b"].map((letter) => "/%252e%252e%252f;\\..//..;a%2f%3b.".repeat(250) + letter);
const spaced = ["the%20index", "the%20other"].map((name) => `/api/v1/packages/${name}.html`);
Deno.bench("a plain path", { group: "the readings of a path", baseline: true }, () => {
  pathReadings("/api/v1/packages/index.html");
});
Deno.bench("a path with a space", { group: "the readings of a path" }, () => {
  pathReadings(spaced[turn++ & 1]);
});
Deno.bench("8 KiB of nothing but tricks", { group: "the readings of a path" }, () => {
  pathReadings(nasty[turn++ & 1]);
});

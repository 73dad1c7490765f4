/** README, held to what is there: its files, its tasks, its command lines and its configuration. */

import { assert, assertEquals } from "@std/assert";
import manifest from "../deno.json" with { type: "json" };
import { configOf } from "../src/config/config.ts";
import { readFlags } from "../src/config/flags.ts";
import { OPTIONS } from "../src/config/options.ts";
import { policyOf } from "../src/config/policy.ts";
import { readToml } from "../src/config/toml.ts";
import { parseListenAddress } from "../src/net/listen.ts";
import { CaseRunner } from "../src/policy/cases.ts";
import { findingText } from "../src/policy/finding.ts";
import { HostListReader } from "../src/policy/host_list_reader.ts";
import { lint } from "../src/policy/linter.ts";

const ROOT = new URL("../", import.meta.url);
const readme = await Deno.readTextFile(new URL("README.md", ROOT));

/** The contents of the fenced blocks in a language. */
function blocks(language: string): string[] {
  const fence = new RegExp(`^ *\`\`\`${language}\\n([^]*?)^ *\`\`\`$`, "gm");
  return [...readme.matchAll(fence)].map((match) => match[1]);
}

function all(pattern: RegExp): string[] {
  return [...new Set([...readme.matchAll(pattern)].map((match) => match[1]))];
}

/** The words that weir is given in a command line that starts it. */
function wordsFor(line: string): string[] {
  const words = line.replace(/\s+(?:#|<|>|&).*/, "").trim().split(/ +/)
    .map((word) => word.replace(/^'(.*)'$/, "$1"));
  return words.slice(words.findIndex((word) => word === "weir" || word === "main.ts") + 1);
}

Deno.test("each configuration in README is right", async () => {
  const samples = blocks("toml");
  assert(samples.length > 0);
  for (const sample of samples) {
    const { values, rules, ways } = await readToml(sample, "README.md", parseListenAddress);
    configOf(values, { pseudonym: "weir-1f3a", version: manifest.version }, rules, ways);
  }
});

Deno.test("each policy in README passes its own tests, and the linter has nothing against it", async () => {
  const reader = new HostListReader();
  reader.read(new TextEncoder().encode("ads.example\n"));
  const lists = new Map([["ads.txt", reader.end().list]]);
  let run = 0;
  for (const sample of blocks("toml")) {
    const { values, rules, tests } = await readToml(sample, "README.md", parseListenAddress);
    const spec = policyOf(values, rules);
    assertEquals(lint(spec, lists).map(findingText), [], sample);
    const runner = new CaseRunner(spec, lists);
    assertEquals(tests.map((each) => runner.run(each)).filter(({ passed }) => !passed), []);
    run += tests.length;
  }
  assert(run > 0);
});

Deno.test("each command line in README that starts weir is understood", () => {
  const code = [...blocks("sh"), ...blocks("console"), ...all(/`([^`\n]*main\.ts[^`\n]*)`/g)].join("\n");
  const lines = code.split("\n").filter((line) => /\brun .*\bmain\.ts\b|^(?:\$ )?weir -?[a-z]/.test(line))
    .filter((line) => !/^weir \d/.test(line));
  assert(lines.length > 15);
  for (const line of lines) readFlags(wordsFor(line), parseListenAddress);
});

Deno.test("README shows the version that is here", () => {
  assertEquals(all(/^weir (\S+) listens on/gm), [manifest.version]);
});

Deno.test("each task in README is one of deno.json", () => {
  const tasks = all(/\btask ([a-z][a-z0-9:]*)/g);
  assert(tasks.length > 5);
  assertEquals(tasks.filter((task) => !(task in manifest.tasks)), []);
});

Deno.test("each file in README is there", async () => {
  const files = [
    ...all(/`((?:src|tests|\.ci)\/[^`\s]+)`/g),
    ...all(/^((?:src|tests|main)[./]\S*) /gm),
    ...all(/\]\(([^):]+)\)/g),
  ];
  assert(files.length > 10);
  const missing: string[] = [];
  for (const file of files) {
    await Deno.stat(new URL(file, ROOT)).catch(() => missing.push(file));
  }
  assertEquals(missing, []);
});

Deno.test("each mark in README around what is filled in stands there once", () => {
  for (const name of ["options", "rule fields", "test fields", "programs", "measured"]) {
    for (const mark of [name, `/${name}`]) assertEquals(readme.split(`<!-- ${mark} -->`).length, 2, mark);
  }
});

Deno.test("each flag of weir's in README's words is an option", () => {
  const foreign = [
    // of deno, of the tests and the bench, and of the programs that are pointed at weir
    ...[
      "allow-net",
      "allow-read",
      "allow-write",
      "no-prompt",
      "seed",
      "rounds",
      "only",
      "against",
      "fail-with-body",
      "frozen",
      "retry",
      "retry-delay",
      "retry-connrefused",
    ],
    ...["user-data-dir", "proxy-server", "proxy-bypass-list", "proxy", "https-proxy", "global"],
    ...["index-url", "registry", "replace-registry-host"],
  ];
  const known: string[] = [...OPTIONS.map((option) => option.flag), ...foreign];
  assertEquals(all(/(?<![\w-])--([a-z][a-z-]*)/g).filter((flag) => !known.includes(flag)), []);
});

Deno.test("each link within README leads to a heading", () => {
  const headings = all(/^#+ (.+)$/gm).map((heading) =>
    heading.toLowerCase().replace(/[^\p{L}\p{N} -]/gu, "").replaceAll(" ", "-")
  );
  const links = all(/\]\(#([^)]+)\)/g);
  assert(links.length > 0);
  assertEquals(links.filter((link) => !headings.includes(link)), []);
});

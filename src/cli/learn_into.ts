/** Adds learned rules to the text of a policy, and judges the result before anybody writes it. */

import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { policyOf } from "../config/policy.ts";
import { readToml, type TomlContents } from "../config/toml.ts";
import { printable } from "../config/printable.ts";
import { parseListenAddress } from "../net/listen.ts";
import { humanSize } from "../observe/quantities.ts";
import { findingText } from "../policy/finding.ts";
import type { HostList } from "../policy/host_list.ts";
import { lint } from "../policy/linter.ts";
import { Policy } from "../policy/policy.ts";
import type { PolicySpec } from "../policy/spec.ts";
import type { Known } from "../review/learn.ts";
import type { LearnedRule } from "../review/learned_rule.ts";
import { catchAllsOf, insertBlocks, keepsRules, placesFor } from "../review/merge.ts";
import { type NamedRule, ruleLines, testBlocks, withNames } from "../review/policy_text.ts";
import { ListFiles } from "./lists.ts";
import { listFilesOf, resolveLists } from "./named_files.ts";
import { requireRead } from "./read_file.ts";

/** Bytes. */
export const MAX_POLICY_SIZE = 2 ** 20;

/** What was added to a policy. */
export interface Addition {
  readonly rules: readonly NamedRule[];
  /** Rules that would have changed nothing, since something before or behind them decides. */
  readonly useless: readonly { rule: NamedRule; why: string }[];
  readonly text: string;
  /** In the unified form, without lines of context. */
  readonly diff: string;
}

interface Judged {
  readonly contents: TomlContents;
  readonly spec: PolicySpec;
  readonly policy: Policy;
}

export class Merging {
  #path: string;
  #text: string;
  #judged: Judged;
  #lists: ReadonlyMap<string, HostList>;
  /** What the linter has against the last text that was tried. */
  #problem: ConfigError | null = null;
  readonly known: Known;

  private constructor(path: string, text: string, judged: Judged, lists: ReadonlyMap<string, HostList>) {
    this.#path = path;
    this.#text = text;
    this.#judged = judged;
    this.#lists = lists;
    const catchAlls = new Set(catchAllsOf(judged.spec.rules).map(({ name }) => name));
    // by `auto` the first rule that allows something makes the default deny
    const spec: PolicySpec = { ...judged.spec, defaultAction: "deny" };
    this.known = { policy: new Policy(spec, lists), catchAlls };
  }

  /** @throws {ConfigError} when the policy is wrong, or allows whatever no rule matches */
  static async begin(path: string, text: string, line: CommandLine): Promise<Merging> {
    const contents = await readToml(text, path, parseListenAddress);
    if (contents.values["default-action"] === "allow") {
      throw new ConfigError([
        `${path} allows whatever no rule matches, so that there is nothing to add: ` +
        'write default = "deny" in [policy] first',
      ]);
    }
    const files = listFilesOf(resolveLists(contents.rules, path));
    if (files.length > 0) await requireRead([path, ...files], line);
    const lists = await new ListFiles().load(files, line);
    const judged = judge(contents, path, lists);
    const errors = errorsIn(judged.spec, lists);
    if (errors.length > 0) throw new ConfigError(errors);
    return new Merging(path, text, judged, lists);
  }

  /**
   * The policy with these rules in it. Rules that change nothing are left out.
   *
   * @throws {ConfigError} when there is no place for them
   */
  async add(learned: readonly LearnedRule[], tests: boolean): Promise<Addition> {
    let rules = withNames(learned, this.#judged.spec.rules.map(({ name }) => name));
    const useless: { rule: NamedRule; why: string }[] = [];
    while (rules.length > 0) {
      const { text, diff, policy } = await this.#put(rules, tests);
      const wrong = rules.flatMap((rule) => {
        const verdict = policy.decide(rule.sample.facts, rule.sample.address);
        const passes = verdict.decision === "allow" || !verdict.enforced && !policy.reportsOnly ||
          verdict.decision === "unresolved";
        return passes
          ? []
          : [{ rule, why: `denied by ${printable(verdict.rule)}: ${printable(verdict.reason)}` }];
      });
      if (wrong.length === 0) return { rules, useless, text, diff };
      useless.push(...wrong);
      rules = rules.filter((rule) => wrong.every((each) => each.rule !== rule));
    }
    return { rules: [], useless, text: this.#text, diff: "" };
  }

  async #put(
    rules: readonly NamedRule[],
    tests: boolean,
  ): Promise<{ text: string; diff: string; policy: Policy }> {
    const blocks = rules.map((rule) => ruleLines(rule, humanSize));
    const added = new Set(rules.map(({ name }) => name));
    for (const place of placesFor(this.#text, this.#judged.contents.rules)) {
      const text = insertBlocks(this.#text, place, blocks);
      const judged = await this.#tried(text);
      if (judged === null || !keepsRules(this.#judged.spec.rules, judged.spec.rules, added)) continue;
      const diff = `--- ${printable(this.#path)}\n+++ ${printable(this.#path)}\n${hunk(this.#text, text)}`;
      const cases = tests ? testBlocks(rules) : [];
      if (cases.length === 0) return { text, diff, policy: judged.policy };
      const whole = insertBlocks(text, text.split("\n").length + 1, cases);
      if (await this.#tried(whole) === null) continue;
      return { text: whole, diff: diff + hunk(text, whole), policy: judged.policy };
    }
    if (this.#problem !== null) throw this.#problem;
    throw new ConfigError([
      `${this.#path}: there is no place in it for rules; write each of its rules below a line [[rule]]`,
    ]);
  }

  /** What a text means; `null` when it is no policy. */
  async #tried(text: string): Promise<Judged | null> {
    try {
      const judged = judge(await readToml(text, this.#path, parseListenAddress), this.#path, this.#lists);
      const errors = errorsIn(judged.spec, this.#lists);
      if (errors.length > 0) {
        this.#problem = new ConfigError([
          `${this.#path} would not be right with what was learned:`,
          ...errors,
        ]);
        return null;
      }
      return judged;
    } catch (error) {
      if (error instanceof ConfigError) return null;
      throw error;
    }
  }
}

function judge(contents: TomlContents, path: string, lists: ReadonlyMap<string, HostList>): Judged {
  const spec = policyOf(contents.values, resolveLists(contents.rules, path));
  return { contents, spec, policy: new Policy(spec, lists) };
}

/** What no weir would start with. */
function errorsIn(spec: PolicySpec, lists: ReadonlyMap<string, HostList>): string[] {
  return lint(spec, lists).filter(({ severity }) => severity === "error").map(findingText);
}

/** What the new text has more than the old one, at one place. */
function hunk(before: string, after: string): string {
  const [old, now] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < old.length && old[start] === now[start]) start++;
  let end = 0;
  while (end < old.length - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end++;
  const added = now.slice(start, now.length - end);
  return `@@ -${start},0 +${start + 1},${added.length} @@\n${
    added.map((line) => `+${line.replace(/\r$/, "")}\n`).join("")
  }`;
}

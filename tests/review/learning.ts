/** Learning from logs made by hand. */

import { assertEquals } from "@std/assert";
import { humanSize } from "../../src/observe/quantities.ts";
import { type Known, Learning, type LearnOptions } from "../../src/review/learn.ts";
import { policyText, withNames } from "../../src/review/policy_text.ts";
import { parseListenAddress } from "../../src/net/listen.ts";
import { readToml } from "../../src/config/toml.ts";
import { policyOf } from "../../src/config/policy.ts";
import { findingText } from "../../src/policy/finding.ts";
import { lint } from "../../src/policy/linter.ts";
import { Policy } from "../../src/policy/policy.ts";
import { readLine } from "../../src/review/log_reader.ts";

export const NOTHING_ELSE: LearnOptions = { methods: false, clients: false, users: false };

export function learnFrom(
  lines: readonly string[],
  options: Partial<LearnOptions> = {},
  known: Known | null = null,
): Learning {
  const learning = new Learning({ ...NOTHING_ELSE, ...options }, known);
  for (const line of lines) learning.add(readLine(line));
  return learning;
}

export function textFrom(
  lines: readonly string[],
  options: Partial<LearnOptions> = {},
  tests = false,
): string {
  const learning = learnFrom(lines, options);
  return policyText(learning, withNames(learning.rules(), []), humanSize, tests);
}

/** The policy that a text is. */
export async function policyIn(text: string): Promise<Policy> {
  const { values, rules } = await readToml(text, "policy.toml", parseListenAddress);
  const spec = policyOf(values, rules);
  const errors = lint(spec, new Map()).filter(({ severity }) => severity === "error").map(findingText);
  assertEquals(errors, []);
  return new Policy(spec, new Map());
}

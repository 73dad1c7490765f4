/** What the linter has to say of a policy. */

import type { RuleSpec } from "./spec.ts";

export interface Finding {
  /** `error`: something is not refused, or not allowed, that the policy says is; `warning`: it is hardly meant. */
  readonly severity: "warning" | "error";
  /** As {@link RuleSource.file}; `""` where it is about the settings of `[policy]`. */
  readonly file: string;
  /** From 1; 0 where there are no lines. */
  readonly line: number;
  /** What is wrong and what to do about it, in a sentence without a full stop. */
  readonly message: string;
}

/** A finding about a rule, or about one of its keys. */
export function findingAt(
  rule: RuleSpec,
  key: string | null,
  severity: Finding["severity"],
  message: string,
): Finding {
  const { file, line, lines } = rule.source;
  return { severity, file, line: (key === null ? undefined : lines[key]) ?? line, message };
}

/** A finding about `[policy]`. */
export function findingOfPolicy(severity: Finding["severity"], message: string): Finding {
  return { severity, file: "", line: 0, message };
}

/** In one line, with its place: `weir.toml:12: …`. */
export function findingText({ file, line, message }: Finding): string {
  return `${placeOf(file, line)}${message}`;
}

function placeOf(file: string, line: number): string {
  if (file === "") return "";
  return line === 0 ? `${file}: ` : `${file}:${line}: `;
}

/** A rule's name in a message. */
export function named({ name }: RuleSpec): string {
  return `"${name}"`;
}

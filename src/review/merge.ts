/** Puts rules into the text of a policy, all of which stays as it is. */

import type { RuleSpec } from "../policy/spec.ts";

/**
 * The names of the rules that deny whatever comes to them. Behind the last of them no rule is ever reached.
 *
 * @param rules of the file, with their names
 */
export function catchAllsOf(rules: readonly RuleSpec[]): RuleSpec[] {
  return rules.filter((rule) => {
    const { action, mode, clients, users, hosts, ports, methods, paths } = rule;
    if (action !== "deny" || mode !== "enforce") return false;
    if ([clients, users, ports, methods, paths].some((condition) => condition !== null)) return false;
    return hosts === null || hosts.some(({ kind }) => kind === "any");
  });
}

/**
 * Where rules may be put, best first: before the first rule that denies everything, together with the comment above
 * it, or behind the last rule, before whatever follows it. A text in several lines may look like a comment or like
 * the head of a table; so whoever takes a place has to read the result, and take the next one if it is not the old
 * rules with the new ones among them.
 *
 * @param rules of the file, in order
 * @returns lines before which to insert, from 1
 */
export function placesFor(text: string, rules: readonly RuleSpec[]): number[] {
  const lines = text.split("\n");
  const [catchAll] = catchAllsOf(rules);
  if (catchAll !== undefined) {
    let line = catchAll.source.line;
    while (line > 1 && /^[ \t]*#/.test(lines[line - 2])) line--;
    return [line, catchAll.source.line];
  }
  const end = lines.length + 1;
  const last = rules.at(-1);
  if (last === undefined) {
    const test = lines.findIndex((line) => /^[ \t]*\[\[[ \t]*test[ \t]*\]\]/.test(line)) + 1;
    return test > 0 ? [aboveComments(lines, test), test, end] : [end];
  }
  const behind = Math.max(last.source.line, ...Object.values(last.source.lines));
  let next = lines.findIndex((line, index) => index >= behind && /^[ \t]*\[/.test(line)) + 1;
  if (next === 0) next = end;
  return next === end ? [end] : [aboveComments(lines, next), next, end];
}

/** The first line of the comment that stands right above a line. */
function aboveComments(lines: readonly string[], line: number): number {
  let above = line;
  while (above > 1 && /^[ \t]*#/.test(lines[above - 2])) above--;
  return above;
}

/**
 * The text with blocks before a line, an empty line around each. Lines end as the text's own do.
 *
 * @param line from 1; one more than there are is the end
 */
export function insertBlocks(text: string, line: number, blocks: readonly (readonly string[])[]): string {
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  const at = offsetOf(text, line);
  let before = text.slice(0, at);
  const after = text.slice(at);
  // the last line may have no end
  if (before !== "" && !before.endsWith("\n")) before += end;
  const body = blocks.map((lines) => lines.map((each) => each + end).join("")).join(end);
  const gapBefore = before === "" || /(?:^|\n)[ \t]*\r?\n$/.test(before) ? "" : end;
  const gapAfter = after === "" || /^[ \t]*\r?\n/.test(after) ? "" : end;
  return before + gapBefore + body + gapAfter + after;
}

function offsetOf(text: string, line: number): number {
  let at = 0;
  for (let number = 1; number < line; number++) {
    const end = text.indexOf("\n", at);
    if (end < 0) return text.length;
    at = end + 1;
  }
  return at;
}

/** Whether `merged` are the rules of `old` in their order, with others named `added` among them and nothing else. */
export function keepsRules(
  old: readonly RuleSpec[],
  merged: readonly RuleSpec[],
  added: ReadonlySet<string>,
): boolean {
  const rest = merged.filter(({ name }) => !added.has(name));
  return merged.length === old.length + added.size && rest.length === old.length &&
    rest.every((rule, index) => contentOf(rule) === contentOf(old[index]));
}

/** All of a rule but where it stands, and the number that stands for a name it has not. */
function contentOf({ source: _, name, ...content }: RuleSpec): string {
  return JSON.stringify([/^rule [0-9]+$/.test(name) ? "" : name, content]);
}

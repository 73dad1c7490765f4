/** A set of the rules of a policy, one bit each: rule 33 is the second bit of the second word. */

export type RuleSet = number[];

/** An empty set for `count` rules; a policy without rules has one word too. */
export function emptyRuleSet(count: number): RuleSet {
  // Plain numbers: a typed array takes ten times as long to make, and the sets are short.
  return new Array<number>(Math.max(1, Math.ceil(count / 32))).fill(0);
}

export function addRule(set: RuleSet, index: number): void {
  set[index >>> 5] |= 1 << (index & 31);
}

export function includesRule(set: RuleSet, index: number): boolean {
  return (set[index >>> 5] & (1 << (index & 31))) !== 0;
}

export function removeRule(set: RuleSet, index: number): void {
  set[index >>> 5] &= ~(1 << (index & 31));
}

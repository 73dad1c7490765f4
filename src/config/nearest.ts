/** Beyond it a word is no slip of the pen, and comparing it would take long. */
const LONGEST = 64;
/** With so many letters, the beginning of a word stands for the word. */
const SHORT = 3;
/** Up to so many letters, words that differ in the first one alone are different words. */
const SHORTEST = 4;

/** The candidate that was probably meant, or `undefined` when none is near. Capitals make no difference. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LONGEST) return undefined;
  const given = word.toLowerCase();
  let best: string | undefined;
  // a slip for every three letters: with more, another word is as near
  let least = Math.max(1, Math.floor(given.length / 3)) + 1;
  for (const candidate of candidates) {
    const whole = candidate.toLowerCase();
    // `warn` is short for `warning`, however many letters are missing
    const slips = given.length >= SHORT && whole.startsWith(given) ? 0 : slipsBetween(given, whole);
    // the first letter is seldom the wrong one: `port` is no slip of `sort`
    if (given.length <= SHORTEST && whole.length === given.length && whole.slice(1) === given.slice(1)) {
      continue;
    }
    // a word that would have to be replaced whole is no help, however short it is
    if (slips >= least || slips >= Math.min(given.length, candidate.length)) continue;
    least = slips;
    best = candidate;
  }
  return best;
}

/** A question to put behind an error, with the space before it, or `""`. */
export function didYouMean(word: string, candidates: Iterable<string>, prefix = ""): string {
  const best = nearest(word, candidates);
  return best === undefined ? "" : `; did you mean ${prefix}${best}?`;
}

/**
 * How many letters are missing, added, wrong or swapped: the optimal string alignment distance. Levenshtein's
 * alone counts two swapped letters, the commonest slip, as two.
 */
export function slipsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
      }
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}

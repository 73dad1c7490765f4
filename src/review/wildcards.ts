/** Patterns that would cover several names at once: for a person to think about, never to be taken by itself. */

/** So many names below one domain are worth a word. */
const LEAST_NAMES = 3;
const MOST_SUGGESTIONS = 20;
/** Below these of a country there are names of strangers, as in `co.uk`. */
const REGISTRIES = new Set([
  "ac",
  "co",
  "com",
  "edu",
  "gov",
  "go",
  "gob",
  "gouv",
  "mil",
  "ne",
  "net",
  "or",
  "org",
]);

export interface Suggestion {
  readonly domain: string;
  readonly names: number;
}

/**
 * Domains with several of these names below them, the lowest ones that have enough, in order. Never a top-level
 * domain, nor what looks like a registry's.
 */
export function wildcards(names: readonly string[]): Suggestion[] {
  const below = new Map<string, string[]>();
  for (const name of new Set(names)) {
    if (name.includes(":") || /^[0-9.]+$/.test(name)) continue;
    const labels = name.split(".");
    for (let from = 1; from < labels.length; from++) {
      const domain = labels.slice(from).join(".");
      if (isOpenToAll(labels.slice(from))) break;
      const list = below.get(domain);
      if (list === undefined) below.set(domain, [name]);
      else list.push(name);
    }
  }
  const covered = new Set<string>();
  const found: Suggestion[] = [];
  const deepestFirst = [...below].sort(([a], [b]) => depth(b) - depth(a) || (a < b ? -1 : 1));
  for (const [domain, all] of deepestFirst) {
    const others = all.filter((name) => !covered.has(name));
    if (others.length < LEAST_NAMES) continue;
    for (const name of others) covered.add(name);
    found.push({ domain, names: all.length });
  }
  return found.slice(0, MOST_SUGGESTIONS).sort((a, b) => a.domain < b.domain ? -1 : 1);
}

function isOpenToAll(labels: readonly string[]): boolean {
  return labels.length < 2 || labels.length === 2 && labels[1].length === 2 && REGISTRIES.has(labels[0]);
}

function depth(domain: string): number {
  return domain.split(".").length;
}

/** The run that is accepted as weir's: what every later one is held to. */

import type { Judged, Kind, Outcome } from "./outcome.ts";
import { inWords } from "./table.ts";

export interface Accepted {
  edition: string;
  /** For people. */
  summary: string;
  /** Outcomes by the identifiers of groups and of their tests. */
  results: Record<Kind, Record<string, Record<string, Outcome>>>;
}

const FILE = new URL("results.json", import.meta.url);

/** The accepted run; `null` when there is none yet. */
export async function readAccepted(): Promise<Accepted | null> {
  try {
    return JSON.parse(await Deno.readTextFile(FILE));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Accepts `judged`, which are all tests of the suite. */
export async function writeAccepted(accepted: Accepted): Promise<void> {
  await Deno.writeTextFile(FILE, JSON.stringify(accepted, null, 2) + "\n");
}

export function toAccepted(edition: string, judged: Judged[]): Accepted {
  const results: Accepted["results"] = { required: {}, optimal: {}, check: {} };
  for (const { group, test, outcome } of judged) (results[test.kind][group.id] ??= {})[test.id] = outcome;
  return { edition, summary: inWords(judged), results };
}

export interface Comparison {
  /** Required and optimal tests that had passed and have not. */
  worse: Judged[];
  /** Required and optimal tests that had not passed and have. */
  better: Judged[];
  /** Checks that are answered in another way. */
  changed: Judged[];
}

/** Holds `judged` to the accepted run. A test that it does not know is worse unless it has passed. */
export function compare(accepted: Accepted, judged: Judged[]): Comparison {
  const before = ({ group, test }: Judged) => accepted.results[test.kind][group.id]?.[test.id];
  const ruled = judged.filter(({ test }) => test.kind !== "check");
  return {
    worse: ruled.filter((one) => one.outcome !== "pass" && (before(one) ?? "pass") === "pass"),
    better: ruled.filter((one) => one.outcome === "pass" && before(one) !== "pass"),
    changed: judged.filter((one) => one.test.kind === "check" && before(one) !== one.outcome),
  };
}

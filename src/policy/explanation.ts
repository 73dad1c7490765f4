/** A decision as it is told to a person: what was looked at, what came of it, and what would have to be written. */

import type { IpAddress } from "../http/ip_address.ts";
import { type Change, changesThatTurn } from "./change.ts";
import { evaluate, type Step } from "./evaluation.ts";
import type { Facts } from "./facts.ts";
import type { HostList } from "./host_list.ts";
import type { PolicySpec } from "./spec.ts";
import type { Verdict } from "./verdict.ts";

export interface Explanation {
  /** Every station and every rule that was tried, in order, up to the one that has the last word. */
  readonly steps: readonly Step[];
  readonly verdict: Verdict;
  /** What would turn the verdict, all of it together; nothing while it is not known. */
  readonly changes: readonly Change[];
}

/**
 * Decides as `Policy.decide` does, and says how it came to it. It takes the time that it takes: it is for people.
 *
 * @param address where the request would go; `null` before its name is resolved
 * @param elsewhere another proxy resolves it, and no address will be known
 */
export function explain(
  spec: PolicySpec,
  lists: ReadonlyMap<string, HostList>,
  facts: Facts,
  address: IpAddress | null,
  elsewhere = false,
): Explanation {
  const { steps, verdict } = evaluate(spec, lists, facts, address, elsewhere);
  return { steps, verdict, changes: changesThatTurn(spec, lists, facts, address, elsewhere) };
}

/**
 * The addresses of the very name that was asked for. The system completes names by the search list of its
 * configuration: `api.example` may be looked up as `api.example.corp.test`, of which no rule was asked.
 */

import type { Lookup } from "./system_lookup.ts";

/** There is no host of this name, only one whose name the system makes of it. */
export class IncompleteName extends Error {}

/**
 * Looks a name up without the search list, but with `/etc/hosts`. The system's resolver honours both, or neither for a
 * name with a final dot, and does not say where an answer is from. So its answer counts if the complete name has an
 * address of it too, or if no name server gives it.
 *
 * @param system looks up as the system does
 * @param dns asks the name servers alone, by the search list
 * @throws {IncompleteName} and what the look-ups throw
 */
export async function exactLookup(host: string, system: Lookup, dns: Lookup): Promise<string[]> {
  const found = await system(host);
  const [complete, byServers] = await Promise.allSettled([dns(`${host}.`), dns(host)]);
  const addresses = addressesOf(complete);
  if (meet(found, addresses)) return found;
  const others = addressesOf(byServers);
  if (addresses.length > 0) {
    // the servers give the complete name's addresses: the ones that were found are from /etc/hosts, which comes first
    return meet(others, addresses) && !meet(others, found) ? found : [...addresses];
  }
  // servers that say nothing have not said this either
  if (others.length === 0) return found;
  if (complete.status === "rejected" && !isNotFound(complete.reason)) throw complete.reason;
  throw new IncompleteName(`there is no host ${host}, only one that the system's search list makes of it`);
}

function addressesOf(answer: PromiseSettledResult<string[]>): readonly string[] {
  return answer.status === "fulfilled" ? answer.value : [];
}

function meet(one: readonly string[], other: readonly string[]): boolean {
  return one.some((address) => other.includes(address));
}

function isNotFound(error: unknown): boolean {
  return (error as { code?: unknown }).code === "ENOTFOUND";
}

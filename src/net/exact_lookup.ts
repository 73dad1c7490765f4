/**
 * The addresses of the very name that was asked for. The system completes names by the search list of its
 * configuration: `api.example` may be looked up as `api.example.corp.test`, of which no rule was asked.
 */

import { type Lookup, SILENT } from "./system_lookup.ts";

/** There is no host of this name, only one whose name the system makes of it. */
export class IncompleteName extends Error {}

/**
 * ms within which the system cannot have waited in vain for a name server (1 s at least) before it answered from
 * somewhere else.
 */
const PROMPT = 900;

/** Names that every resolver takes: if it cannot ask for one, that is not for its name. */
const PLAIN = /^(?:(?!xn--)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.|$))+$/;

/** What was said of a name; no addresses and no error: that there is none. */
interface Answer {
  readonly addresses: readonly string[];
  readonly error: unknown;
}

/**
 * Looks a name up without the search list. The system does not say where an answer is from, so its answer counts if
 * the complete name has an address of it too, or if the name servers say that there is neither such a name nor a
 * completed one: then it is from elsewhere, as from mDNS. What the name servers leave open fails, for the system also
 * completes a name of which they say nothing.
 *
 * @param system looks up as the system does: a name with a final dot without the search list and `/etc/hosts`
 * @param dns asks `/etc/hosts` and the name servers, by the search list unless there is a final dot
 * @param now the clock, monotonic ms
 * @throws {IncompleteName} and what the look-ups throw
 */
export async function exactLookup(
  host: string,
  system: Lookup,
  dns: Lookup,
  now: () => number = () => performance.now(),
): Promise<readonly string[]> {
  const before = now();
  const found = await system(host);
  const prompt = now() - before < PROMPT;

  let complete = await answerOf(dns, `${host}.`);
  const silent = isSilence(complete.error);
  // names that the system takes and `dns` does not: some with underscores
  if (complete.error !== null && !silent) complete = await answerOf(system, `${host}.`);
  const { addresses, error } = complete;
  if (addresses.length > 0) return addresses.some((each) => found.includes(each)) ? found : addresses;

  const completed = await answerOf(dns, host);
  if (completed.addresses.length > 0) throw error ?? new IncompleteName(only(host));
  // no name server answers anything, or none is configured, and the system did not wait for one
  const noneAnswers = silent ? isSilence(completed.error) : error !== null && completed.error !== null;
  if (noneAnswers && prompt && (silent || PLAIN.test(host))) return found;
  if (error === null && completed.error === null) return found;
  throw error ?? new IncompleteName(only(host));
}

async function answerOf(lookup: Lookup, host: string): Promise<Answer> {
  try {
    return { addresses: await lookup(host), error: null };
  } catch (error) {
    return { addresses: [], error: codeOf(error) === "ENOTFOUND" ? null : error };
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}

function isSilence(error: unknown): boolean {
  return codeOf(error) === SILENT;
}

function only(host: string): string {
  return `there is no host ${host}, only one that the system's search list makes of it`;
}

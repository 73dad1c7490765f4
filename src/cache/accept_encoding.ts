/** Which content codings a request takes (RFC 9110 §12.5.3). */

import { copyOf } from "../http/text.ts";
import { choiceOf, trimmed } from "./preferences.ts";

/** What was read of texts that come again and again. */
const MEMO_SIZE = 256;
const MEMO_TEXT = 256;
const known = new Map<string, ReadonlyMap<string, number>>();

/** Members of a list that are read; there are not as many codings. */
const MAX_MEMBERS = 64;

/** Other names of codings (RFC 9110 §8.4.1). */
const ALIASES: Readonly<Record<string, string>> = { "x-gzip": "gzip", "x-compress": "compress" };

/**
 * Whether a representation may be sent to a request: each of its codings is named with a weight above 0, or by `*`
 * where it is not named. One without a coding may unless `identity`, or `*` without it, has the weight 0. A request
 * that says nothing takes everything.
 *
 * @param acceptEncoding the request's, `""` for none
 * @param contentEncoding in lower case, `""` for none
 */
export function acceptsCoding(acceptEncoding: string, contentEncoding: string): boolean {
  if (acceptEncoding === "") return true;
  const weights = weightsIn(acceptEncoding);
  const others = weights.get("*") ?? null;
  // what most have, and most take
  if (contentEncoding === "") return (weights.get("identity") ?? others ?? 1) > 0;
  const codings = contentEncoding.split(",", MAX_MEMBERS).map(trimmed).filter(isCoding);
  if (codings.length === 0) return acceptsCoding(acceptEncoding, "");
  return codings.every((coding) => (weights.get(ALIASES[coding] ?? coding) ?? others ?? 0) > 0);
}

/** Whether a member of `Content-Encoding` is a coding: `identity` says that there is none. */
function isCoding(member: string): boolean {
  return member !== "" && member !== "identity";
}

/** Codings in lower case, and the weights that they have; one that cannot be read is 0. */
function weightsIn(text: string): ReadonlyMap<string, number> {
  const before = known.get(text);
  if (before !== undefined) return before;
  const weights = new Map<string, number>();
  for (const member of text.toLowerCase().split(",", MAX_MEMBERS)) {
    const [coding, weight] = choiceOf(trimmed(member));
    // a weight that cannot be read speaks for no coding, and against none that would do without
    if (weight === null && (coding === "identity" || coding === "*")) continue;
    if (coding !== "") weights.set(ALIASES[coding] ?? coding, weight ?? 0);
  }
  if (text.length <= MEMO_TEXT) {
    if (known.size >= MEMO_SIZE) known.clear();
    known.set(copyOf(text), weights);
  }
  return weights;
}

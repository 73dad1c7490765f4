/** Which target a connection goes to. A function of the targets' state; nothing here has a state of its own. */

export type Balance = "round-robin" | "least-connections" | "random-two" | "source";

/** What is looked at of a target. */
export interface Candidate {
  /** {@link hashOf} what it is known by, which is the same in every process. */
  readonly hash: number;
  /** Connections that it has or is about to have. */
  readonly active: number;
  /** When it was chosen last, in the order of choices: the lower the longer ago. */
  readonly picked: number;
}

/**
 * Chooses one of `candidates`, of which there is at least one.
 *
 * - `round-robin`: the one that was chosen longest ago, which makes rounds while the candidates stay the same, and
 *   gives nobody two turns at once when they change;
 * - `least-connections`: the one with the fewest, and among equals the one that was chosen longest ago;
 * - `random-two`: of two at random, the one with fewer: nearly as even, and many relays that know nothing of each
 *   other do not all run to the same one;
 * - `source`: the same for the same client, by rendezvous hashing: each target has its own number for each client,
 *   and the highest wins. When a target goes, its clients go to where their second highest number is, and nobody
 *   else moves; when it comes back, they and nobody else come back.
 *
 * @param client {@link hashOf} the client's address
 * @param random gives numbers from 0 up to 1
 */
export function choose<Each extends Candidate>(
  balance: Balance,
  candidates: readonly Each[],
  client: number,
  random: () => number,
): Each {
  switch (balance) {
    case "round-robin":
      return candidates.reduce((best, each) => each.picked < best.picked ? each : best);
    case "least-connections":
      return candidates.reduce((best, each) => lessBusy(each, best) ? each : best);
    case "random-two":
      return lessBusyOfTwo(candidates, random);
    case "source": {
      let best = candidates[0];
      let highest = -1;
      for (const each of candidates) {
        const number = mixed(client, each.hash);
        if (number <= highest) continue;
        best = each;
        highest = number;
      }
      return best;
    }
  }
}

function lessBusy(one: Candidate, other: Candidate): boolean {
  return one.active < other.active || one.active === other.active && one.picked < other.picked;
}

function lessBusyOfTwo<Each extends Candidate>(candidates: readonly Each[], random: () => number): Each {
  const { length } = candidates;
  const first = Math.floor(random() * length);
  if (length === 1) return candidates[0];
  // another one, each equally likely
  const second = (first + 1 + Math.floor(random() * (length - 1))) % length;
  return candidates[second].active < candidates[first].active ? candidates[second] : candidates[first];
}

/** A number from 0 to 2^32 - 1 for a text of ASCII (FNV-1a, then mixed so that similar texts are far apart). */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return spread(hash);
}

/** A number from 0 to 2^32 - 1 for two of them; which is first matters. */
function mixed(one: number, other: number): number {
  return spread(Math.imul(one ^ 0x9e3779b9, 0x85ebca77) + other);
}

/** Lets each bit of a number decide about all of the result's (MurmurHash3's last step). */
function spread(number: number): number {
  let n = number | 0;
  n = Math.imul(n ^ n >>> 16, 0x85ebca6b);
  n = Math.imul(n ^ n >>> 13, 0xc2b2ae35);
  return (n ^ n >>> 16) >>> 0;
}

/** On whose behalf an origin is reached: a session, or what is fetched when its client has its answer already. */

import type { Facts } from "../policy/facts.ts";
import type { Usage } from "../policy/rates.ts";
import type { Verdict } from "../policy/verdict.ts";
import type { Services } from "./services.ts";

export interface Asker {
  readonly services: Services;
  /** The address on which the client came in, without brackets. */
  readonly local: string;
  /** What the client is counted as, see {@link clientKey}. */
  readonly clientKey: string;
  /** What the policy is asked about, and what it last said. */
  readonly facts: Facts;
  verdict: Verdict | null;
  /** What is taken of the rates, where there are any, and whether it is counted yet. */
  usage: Usage | null;
  counted: boolean;
  /** The same where nothing is refused and nothing waits: its bytes are counted at the end. */
  countedOnly: Usage | null;
  /** Whether nobody is there any more for whom it would be. */
  readonly gone: boolean;
  /** What is on its way and can be given up. */
  reaching: { giveUp(): void } | null;
}

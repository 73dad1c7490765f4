/** One address that connections may go to, and what is known of it. */

import type { Authority } from "../http/authority.ts";
import { type Candidate, hashOf } from "./balancing.ts";
import { Health } from "../net/health.ts";

export class Target implements Candidate {
  readonly health = new Health();
  readonly hash: number;
  readonly port: number;
  /** Connections that go there, those included that are being made. */
  active = 0;
  picked = -1;
  /** It has been checked once, whatever came of it. */
  asked = false;
  /** A client tries whether it is back, while nobody else does. */
  onTrial = false;
  /** The name of which it is an address has it no longer: what goes there goes on, and nothing new does. */
  gone = false;

  /** @param address a literal address without brackets */
  constructor(readonly place: Authority, readonly address: string) {
    this.port = place.port;
    this.hash = hashOf(`${address} ${place.port}`);
  }

  /** For messages: `127.0.0.1:6379`, or `redis.internal:6379 (10.0.0.5)` for one of a name's addresses. */
  get text(): string {
    return this.place.ip === null ? `${this.place.text} (${this.address})` : this.place.text;
  }
}

/** A case of a policy's own test: what somebody asks for, and what is expected to be decided. */

import type { IpAddress } from "../http/ip_address.ts";

export type Expectation = "allow" | "deny" | "authenticate";

/** One `[[test]]`, each of its values found valid by itself. */
export interface TestCase {
  /** As it was written: a URL, or `host:port` for a tunnel. */
  readonly url: string;
  /** The client's address, in its canonical form and as bytes. */
  readonly client: string;
  readonly clientIp: IpAddress;
  /** Who the client has proved to be; `null` when it has not said. */
  readonly user: string | null;
  /** As given; otherwise `GET` for `http://`, and `CONNECT` for all else, as programs have it. */
  readonly method: string;
  /** What the host's name resolves to; empty: it is not resolved. */
  readonly addresses: readonly IpAddress[];
  readonly expect: Expectation;
  /** The name of the rule that is expected to decide; `null`: any. */
  readonly rule: string | null;
  /** The ways that are expected, in their order: names of parents, or `direct`; `null`: any. */
  readonly via: readonly string[] | null;
  /** The file's name, or `standard input`. */
  readonly file: string;
  /** The line of its header, from 1. */
  readonly line: number;
}

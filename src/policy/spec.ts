/**
 * A policy as it was written: the values of `[policy]` and of every `[[rule]]`, `--allow` and `--deny`, each read
 * and found valid by itself. Whether they make sense together is the linter's to say, what they decide is
 * {@link Policy}'s.
 */

import type { HostPattern } from "./host_pattern.ts";
import type { Network } from "./network.ts";
import type { PathPattern } from "./path_pattern.ts";
import type { PortRange } from "./port_range.ts";
import type { RateLimits } from "./rates.ts";

export type Action = "allow" | "deny";

/** `report`: everything is decided and recorded as it would be, and nothing is refused. */
export type Mode = "enforce" | "report";

/**
 * How the first bytes of a tunnel are looked at. `any`: not at all. `match`: a TLS ClientHello has to name the host
 * of the CONNECT, or none; what is not TLS may pass. `require`: it has to be TLS and to name that host (no name is
 * fine where the host is an address).
 */
export type TlsCheck = "any" | "match" | "require";

/** `auto`: `require` to port 443, and `match` to others. */
export type TlsSetting = TlsCheck | "auto";

/**
 * Which addresses that are not public may be reached. `own`: those no more private than the client's own; `deny`:
 * none; `allow`: all; a list: these networks alone, and with `own` in it those of `own` besides.
 */
export type PrivateNetworks = "own" | "deny" | "allow" | readonly ("own" | Network)[];

/** Who has to say who they are: nobody, everybody, or whom a rule would let in by name. */
export type Authentication = "none" | "always" | "by-rule";

export interface PolicySpec {
  readonly mode: Mode;
  /** What becomes of a request that no rule matches. */
  readonly defaultAction: Action;
  /** For tunnels whose rule says nothing about it. */
  readonly tls: TlsSetting;
  readonly privateNetworks: PrivateNetworks;
  /** Who may use the proxy at all; `null` is everybody. */
  readonly clients: readonly Network[] | null;
  /** Ports that CONNECT may reach where no rule names the port; `null`: all for loopback clients, 443 for others. */
  readonly connectPorts: readonly PortRange[] | null;
  readonly authentication: Authentication;
  /** In order: the first that matches decides. */
  readonly rules: readonly RuleSpec[];
}

/** One rule. A condition that is `null` was not given and holds for everything; all that are given must hold. */
export interface RuleSpec {
  /** As given, or `rule 3` (the third of the whole policy), or `--allow example.com`. Unique. */
  readonly name: string;
  readonly action: Action;
  readonly mode: Mode;
  /** Shown to the client that is refused; `""` when there is none. */
  readonly note: string;
  readonly clients: readonly Network[] | null;
  /** Names; `*` is anybody who has said who they are. */
  readonly users: readonly string[] | null;
  readonly hosts: readonly HostPattern[] | null;
  readonly ports: readonly PortRange[] | null;
  /** As they are written in requests, in upper case. */
  readonly methods: readonly string[] | null;
  readonly paths: readonly PathPattern[] | null;
  /** Whether an encoded slash in a path is a slash to the rule; otherwise such a path is read in several ways. */
  readonly encodedSlashes: boolean;
  readonly tls: TlsCheck | null;
  readonly rates: RateLimits | null;
  readonly source: RuleSource;
}

/** Where a rule was written. */
export interface RuleSource {
  /** The file's name, `standard input`, or `command line`. */
  readonly file: string;
  /** The line of the rule's header and of each of its keys, from 1; empty for the command line. */
  readonly lines: Readonly<Record<string, number>>;
  readonly line: number;
}

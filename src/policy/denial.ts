/** What stations other than rules refuse, and the words for it. */

import { formatIp, type IpAddress } from "../http/ip_address.ts";
import { type ClientScope, meaningWithScope, plainAddress, type Scope } from "./address_scope.ts";
import type { Facts } from "./facts.ts";

/** What refused, as {@link Verdict.rule} has it, and why. */
export interface Denial {
  readonly rule: string;
  readonly reason: string;
  /** What the client is told besides; nothing in most cases. */
  readonly note?: string;
}

export const NO_PASSWORD = "the client has not said who it is";
export const WOULD_BE_ASKED = "would be asked for a password";
export const RULE_MATCHES = "the rule matches";
export const NO_RULE_MATCHES = "no rule matches";
/** Why paths of a rule did not allow a path, or denied one that they do not name. */
export const AMBIGUOUS = "servers may take the path for different ones";

export function notAClient(facts: Facts): Denial {
  return { rule: "clients", reason: `${facts.client} is not among the clients` };
}

export function mailPort(): Denial {
  return { rule: "port 25", reason: "port 25 is reached only by a rule that names it in ports" };
}

export function connectPort(port: number): Denial {
  return {
    rule: "connect ports",
    reason: `a tunnel to port ${port} needs a rule that names the port, or connect-ports`,
  };
}

export function plainPort(port: number): Denial {
  return {
    rule: "plain ports",
    reason: `plain requests of other machines reach port ${port} only by a rule that names it in ports`,
  };
}

/** A tunnel to the port of plain HTTP, which would hide what the rule looks at. */
export function hidingTunnel(rule: string, port: number): Denial {
  return { rule, reason: `the rule looks at methods or paths, which a tunnel to port ${port} hides` };
}

/** An address to which only a rule that names it leads. */
export function unnamedAddress(ip: IpAddress, scope: "metadata" | "reserved", port: number): Denial {
  const name = formatIp(plainAddress(ip));
  return {
    rule: `${scope} addresses`,
    reason: `${described(ip, scope)} is a ${scope} address: only a rule with hosts = ["${name}"] and ` +
      `ports = [${port}] allows it`,
  };
}

/** An address of no host, to which no rule leads. */
export function unspecifiedAddress(ip: IpAddress): Denial {
  return {
    rule: "unspecified addresses",
    reason: `${described(ip, "unspecified")} is the address of no host, and refused whatever a rule says`,
    note: "write 127.0.0.1, [::1] or localhost for the machine of the proxy",
  };
}

export function morePrivate(ip: IpAddress, scope: Scope, facts: Facts, client: ClientScope): Denial {
  return {
    rule: "private networks",
    reason: `${
      described(ip, scope)
    } is more private than the client (${scope}, ${facts.client} is ${client})`,
  };
}

/** The same where some networks are listed besides those of `own`. */
export function morePrivateAndUnlisted(
  ip: IpAddress,
  scope: Scope,
  facts: Facts,
  client: ClientScope,
): Denial {
  const { rule, reason } = morePrivate(ip, scope, facts, client);
  return { rule, reason: `${reason} and not among private-networks` };
}

export function noPrivateNetworks(ip: IpAddress, scope: Scope): Denial {
  return {
    rule: "private networks",
    reason: `${described(ip, scope)} is a ${scope} address, and private-networks is "deny"`,
  };
}

export function notAmongPrivateNetworks(ip: IpAddress, scope: Scope): Denial {
  return {
    rule: "private networks",
    reason: `${described(ip, scope)} is a ${scope} address that is not among private-networks`,
  };
}

/** The address, with the one inside it on which the judgement rests. */
function described(ip: IpAddress, scope: Scope): string {
  const text = formatIp(ip);
  const meaning = meaningWithScope(ip, scope);
  return meaning === text ? text : `${text}, which leads to ${meaning},`;
}

/** Keeps a proxy that everybody on the Internet can reach from being everybody's. */

import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { formatAddress } from "../config/value.ts";
import { isUnspecified, parseIp } from "../http/ip_address.ts";
import type { ListenAddress } from "../net/listen.ts";
import { clientScopeOf, plainAddress } from "../policy/address_scope.ts";
import type { PolicySpec, RuleSpec } from "../policy/spec.ts";
import { permittedLine } from "./permissions.ts";

/**
 * Refuses to serve everybody where nobody said so.
 *
 * @param listen where clients come in
 * @param files what has to be read, for the line that fixes it
 * @param behindProxy whether there are trusted proxies, which may let in whom they like
 * @throws {ConfigError} when an address may be reached from anywhere and the policy asks nobody who they are
 */
export function requireAdmission(
  listen: readonly ListenAddress[],
  policy: PolicySpec,
  line: CommandLine,
  files: readonly string[],
  behindProxy = false,
): void {
  // whoever names clients, be it all, has thought of it
  if (policy.clients !== null || !admitsEverybody(policy)) return;
  const open = behindProxy ? listen : listen.filter(isPublic);
  if (open.length === 0) return;
  const where = open.map(formatAddress).join(", ");
  const reached = behindProxy
    ? `a trusted proxy may let anybody in at ${where}`
    : `${where} may be reached from anywhere`;
  const why = policy.mode === "report"
    ? "in report mode nobody is refused"
    : "the policy names neither clients nor users";
  const end = line.args.includes("--") ? line.args.indexOf("--") : line.args.length;
  const fix = (clients: string) =>
    permittedLine(line, { read: files }, line.args.toSpliced(end, 0, "--clients", clients));
  throw new ConfigError([
    `${reached}, and ${why}: whoever finds it could browse from this machine\n` +
    `  say who may:  ${fix("loopback,192.168.0.0/16")}\n` +
    `  or that all may:  ${fix("all")}`,
  ]);
}

/** Whether whoever reaches weir is served, as far as the policy goes. */
export function admitsEverybody(policy: PolicySpec): boolean {
  if (policy.mode === "report") return true;
  if (policy.clients !== null && !policy.clients.some(({ bits }) => bits === 0)) return false;
  if (policy.authentication === "always") return false;
  return policy.defaultAction === "allow" || policy.rules.some(letsStrangersIn);
}

function letsStrangersIn({ action, mode, clients, users }: RuleSpec): boolean {
  if (action === "deny" || mode === "report" || users !== null) return false;
  return clients === null || clients.some(({ bits }) => bits === 0);
}

/** Whether an address to listen on may be reached from other networks; of a name other than localhost none can tell. */
export function isPublic({ hostname }: ListenAddress): boolean {
  const ip = parseIp(hostname);
  if (ip === null) return !/^(?:.*\.)?localhost\.?$/.test(hostname);
  return isUnspecified(plainAddress(ip)) || clientScopeOf(ip) === "public";
}

/** What a person sees when weir has started. */

import { printable } from "../config/printable.ts";
import { formatSize } from "../config/quantity.ts";
import { formatAddress } from "../config/value.ts";
import { BOLD, DIM, paint, YELLOW } from "../observe/colors.ts";
import type { PolicySpec } from "../policy/spec.ts";
import type { ParentSpec } from "../proxy/parents/parent.ts";
import { admitsEverybody } from "./public_listener.ts";
import { VERSION } from "./version.ts";

const MOST_PARENTS = 4;

/** What is kept of responses, bytes, and in which folder besides memory. */
export interface CacheInWords {
  readonly memory: number;
  readonly folder: string | null;
  readonly disk: number;
}

/**
 * @param addresses what the listeners are bound to, at least one
 * @param overTls the same of those over TLS
 * @param gateways the same of those that are gateways
 * @param users those of `--users`, if there are any
 * @param cache what is kept of responses, if anything is
 */
export function banner(
  addresses: readonly Deno.NetAddr[],
  policy: PolicySpec,
  color: boolean,
  overTls: readonly Deno.NetAddr[] = [],
  parents: readonly ParentSpec[] = [],
  gateways: readonly Deno.NetAddr[] = [],
  users: { readonly path: string; readonly size: number } | null = null,
  cache: CacheInWords | null = null,
): string {
  const tried = reachable(addresses.find(isLoopback) ?? addresses[0]);
  const url = `http://${formatAddress(tried)}`;
  const row = (name: string, text: string) => `  ${paint(color, DIM, name.padEnd(10))}${text}\n`;
  let text = `${paint(color, BOLD, `weir ${VERSION}`)} listens on ${addresses.map(formatAddress).join(", ")}${
    overTls.length === 0 ? "" : `, over TLS on ${overTls.map(formatAddress).join(", ")}`
  }\n`;
  const open = [...addresses, ...overTls, ...gateways].filter((address) => !isLoopback(address));
  if (open.length > 0 && admitsEverybody(policy)) {
    const where = open.map(formatAddress).join(", ");
    text += `  ${paint(color, YELLOW, "careful")}   whoever reaches ${where} can browse from this machine\n`;
  }
  text += row("policy", policyInWords(policy));
  if (users !== null) text += row("users", usersInWords(users, policy));
  if (parents.length > 0) text += row("parents", parentsInWords(parents));
  if (cache !== null) text += row("cache", cacheInWords(cache));
  for (const gateway of gateways) {
    text += row("gateway", `http://${formatAddress(reachable(gateway))}/example.com/`);
  }
  const asksAll = users !== null && policy.authentication === "always";
  const urlOfUser = asksAll ? url.replace("//", "//USER:PASSWORD@") : url;
  text += row("try it", `curl -x ${url} ${asksAll ? "-U USER " : ""}http://example.com/`);
  text += row("programs", `export http_proxy=${urlOfUser} https_proxy=${urlOfUser}`);
  text += row(
    "browsers",
    `HTTP proxy ${tried.hostname}, port ${tried.port}, for HTTPS too; ${url}/ says more`,
  );
  text += row("stop", "Ctrl-C");
  return text;
}

/** `12 rules, default deny, report mode`. */
function policyInWords({ rules, defaultAction, mode }: PolicySpec): string {
  const count = rules.length === 0 ? "no rules" : rules.length === 1 ? "1 rule" : `${rules.length} rules`;
  return `${count}, default ${defaultAction}${mode === "report" ? ", report mode" : ""}`;
}

/** `2 in users.txt, nobody else is served`. */
function usersInWords(
  { path, size }: { readonly path: string; readonly size: number },
  { authentication, mode }: PolicySpec,
): string {
  const asked = mode === "report"
    ? "and nobody has to be one in report mode"
    : authentication === "always"
    ? "nobody else is served"
    : "asked for where a rule wants one";
  return `${size} in ${printable(path)}, ${asked}`;
}

/** `corp, socks5://127.0.0.1:1080; names are looked up there, and their addresses not judged here`. */
function parentsInWords(parents: readonly ParentSpec[]): string {
  const names = parents.slice(0, MOST_PARENTS).map(({ name }) => name).join(", ");
  const more = parents.length > MOST_PARENTS ? ` and ${parents.length - MOST_PARENTS} more` : "";
  return `${names}${more}; names are looked up there, and their addresses not judged here`;
}

/** `64 MiB in memory, shared responses only; --no-cache turns it off`. */
function cacheInWords({ memory, folder, disk }: CacheInWords): string {
  const onDisk = folder === null ? "" : ` and ${sizeInWords(disk)} in ${printable(folder)}`;
  return `${sizeInWords(memory)} in memory${onDisk}, shared responses only; --no-cache turns it off`;
}

/** `64 MiB`. */
function sizeInWords(bytes: number): string {
  const [, number, unit] = /^([0-9]+)([kmgt]?)$/.exec(formatSize(bytes))!;
  return `${number} ${unit === "" ? "B" : `${unit.toUpperCase()}iB`}`;
}

/** Whether only this machine reaches an address. */
export function isLoopback({ hostname }: { hostname: string }): boolean {
  return hostname === "::1" || hostname.startsWith("127.") || hostname.startsWith("::ffff:127.");
}

/** Where a program on this machine finds a listener: one on all addresses is on this machine's own too. */
function reachable({ hostname, port }: Deno.NetAddr): { hostname: string; port: number } {
  return { hostname: hostname === "::" || hostname === "0.0.0.0" ? "127.0.0.1" : hostname, port };
}

/** What to write so that a denied exchange is allowed. */

import type { Authority } from "../http/authority.ts";
import { scopeOf } from "../policy/address_scope.ts";

export interface Advice {
  /** A flag for the command line; `""` where none will do. */
  readonly flag: string;
  /** A rule for the file, without its name; `null` where no rule will do. */
  readonly rule: { readonly host: string; readonly port: number; readonly tls: boolean } | null;
  /** What else there is to know, a sentence without its full stop; `""` when that is all. */
  readonly remark: string;
}

/** Rules have names of their own; these stand for what else may deny. */
const BUILT_IN: Readonly<Record<string, (authority: Authority, client: string) => Advice>> = {
  default: byRule,
  "": byRule,
  "connect ports": byRule,
  "port 25": byRule,
  tls: (authority) => ({
    flag: "",
    rule: { host: authority.host, port: authority.port, tls: true },
    remark: "the tunnel asked for another name than its own, or spoke no TLS: be sure that it is meant to",
  }),
  clients: (_, client) => ({
    flag: client === "" ? "" : `--clients ${client}`,
    rule: null,
    remark: "the client is none of those who may use the proxy",
  }),
  users: () => ({ flag: "", rule: null, remark: "the client has to say who it is, and be one who may" }),
  "private networks": (authority) => ({
    flag: authority.ip === null ? "" : `--private-networks own,${authority.host}`,
    rule: null,
    remark: "no rule allows an address that is more private than its client: private-networks does",
  }),
  "own listeners": () => ({ flag: "", rule: null, remark: "the proxy is never asked for by itself" }),
  "metadata addresses": byAddress,
  "reserved addresses": byAddress,
  "unspecified addresses": unspecified,
};

/** For denials under a policy that may allow all the rest, which it would not any more. */
const FIRST_RULE =
  'if it is the first rule that allows something, default = "allow" keeps all else from being denied';

/**
 * The smallest change for a denial of `rule`, a rule's name or one of the words that stand for what else may deny.
 *
 * @param authority `null` when the target is not known
 * @param client its address, `""` when it is not known
 * @param defaultDenies whether the policy is known to deny by default
 */
export function adviceFor(
  authority: Authority | null,
  rule: string,
  client: string,
  defaultDenies: boolean,
): Advice {
  if (authority === null) return { flag: "", rule: null, remark: "the log does not say what was asked for" };
  const advice = Object.hasOwn(BUILT_IN, rule) ? BUILT_IN[rule](authority, client) : byRuleBefore(authority);
  const turnsDefault = advice.flag.startsWith("--allow") && rule !== "default" && !defaultDenies;
  if (!turnsDefault) return advice;
  return { ...advice, remark: [advice.remark, FIRST_RULE].filter(Boolean).join("; ") };
}

function byRuleBefore(authority: Authority): Advice {
  return { ...byRule(authority), remark: "in a file the new rule has to stand before the one that denies" };
}

function byRule(authority: Authority): Advice {
  if (authority.ip !== null && scopeOf(authority.ip) === "unspecified") return unspecified();
  if (authority.ip !== null && isGuarded(authority)) return byAddress(authority);
  const { host, port } = authority;
  return { flag: `--allow ${authority.text}`, rule: { host, port, tls: false }, remark: "" };
}

function isGuarded({ ip }: Authority): boolean {
  const scope = scopeOf(ip!);
  return scope === "metadata" || scope === "reserved";
}

function unspecified(): Advice {
  return {
    flag: "",
    rule: null,
    remark: "that is the address of no host: 127.0.0.1 and ::1 are the machine itself",
  };
}

/** Of such addresses each has to be named, with its port. */
function byAddress(authority: Authority): Advice {
  const { host, port, ip } = authority;
  if (ip === null) {
    return { flag: "", rule: null, remark: "only a rule that names the very address and port allows that" };
  }
  const flag = `--allow ${authority.text}`;
  if (scopeOf(ip) !== "metadata") return { flag, rule: { host, port, tls: false }, remark: "" };
  // no rule to be taken over among others without a thought
  const remark = "clouds tell machines their secrets there: be sure that this client may know them";
  return { flag, rule: null, remark };
}

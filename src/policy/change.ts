/** What to write into a policy so that it decides otherwise. */

import { formatIp, type IpAddress } from "../http/ip_address.ts";
import { listedNetworks, listsOwn } from "./address_guard.ts";
import { meaningsOf, plainAddress, plainScope, PRIVACY, scopeOf } from "./address_scope.ts";
import { evaluate, type Evaluation } from "./evaluation.ts";
import type { Facts } from "./facts.ts";
import type { HostList } from "./host_list.ts";
import { type HostPattern, parseHostPattern } from "./host_pattern.ts";
import { type Network, networkContains, parseNetworks } from "./network.ts";
import { pathReadings, pathsAllow, pathsDeny } from "./path_pattern.ts";
import { formatPorts } from "./port_range.ts";
import type { Trial } from "./rule_trial.ts";
import type { Action, PolicySpec, RuleSpec } from "./spec.ts";
import { tomlString } from "./toml_string.ts";

/** Something to write, or to do where nothing that is written helps. */
export interface Change {
  /** An option of the command line, or lines of TOML with a comment that says where they go. */
  readonly text: string;
  /** The policy with the change made; `null` when it is not the policy that has to change. */
  readonly spec: PolicySpec | null;
}

/** Beyond this the policy is another one, not a changed one. */
const MOST = 6;

/**
 * The smallest changes that together turn a denial into an allow, or one that turns an allow into a denial; none
 * for what depends on an address that is not known. What is allowed is no more than the host and the port.
 */
export function changesThatTurn(
  spec: PolicySpec,
  lists: ReadonlyMap<string, HostList>,
  facts: Facts,
  address: IpAddress | null,
  elsewhere = false,
): Change[] {
  const ip = address ?? facts.authority.ip;
  const changes: Change[] = [];
  let current: PolicySpec | null = spec;
  while (current !== null && changes.length < MOST) {
    const evaluation = evaluate({ ...current, mode: "enforce" }, lists, facts, address, elsewhere);
    const { decision } = evaluation.verdict;
    if (decision === "unresolved") break;
    if (decision === "allow") {
      return changes.length > 0 ? changes : [insertion(current, "deny", facts, hostOf(facts), 0)];
    }
    const change = nextChange(current, facts, ip, evaluation);
    changes.push(change);
    current = change.spec;
  }
  return changes;
}

/** The change that takes away what stands first in the way. */
function nextChange(spec: PolicySpec, facts: Facts, ip: IpAddress | null, evaluation: Evaluation): Change {
  const { verdict, decisive, unseen, trials, steps } = evaluation;
  if (verdict.decision === "authenticate") {
    return { text: "the name and the password of a user, which the client has to send", spec: null };
  }
  // What is only reported stands in the way too, before what has the last word.
  const decider = verdict.enforced ? decisive : spec.rules.find(({ name }) => name === verdict.rule)!;
  const place = decider === null ? spec.rules.length : spec.rules.indexOf(decider);
  const last = steps.at(-1)!;
  if (last.result === "decides") {
    switch (last.station) {
      case "clients":
        return admission(spec, facts);
      case "ports": {
        // a rule that cannot see into a tunnel has its say before what allows it
        const hiding = unseen === null ? place : spec.rules.indexOf(unseen);
        return insertion(spec, "allow", facts, hostOf(facts), Math.min(place, hiding));
      }
      case "address":
        if (scopeOf(ip!) === "unspecified") {
          return { text: "another address: 127.0.0.1 and ::1 are the machine itself", spec: null };
        }
        return PRIVACY[scopeOf(ip!)] <= PRIVACY.loopback
          ? privateNetwork(spec, ip!)
          : insertion(spec, "allow", facts, parseHostPattern(formatIp(plainAddress(ip!))), place);
    }
  }
  // a path that is ambiguous by its encoded slashes alone
  if (decider?.action === "deny" && !pathsDenyWithSlashes(decider, facts)) {
    return readingSlashes(spec, decider);
  }
  for (const trial of trials.slice(0, place)) {
    const widened = widening(spec, facts, trial);
    if (widened !== null) return widened;
  }
  return insertion(spec, "allow", facts, hostOf(facts), place);
}

function hostOf({ authority }: Facts): HostPattern {
  return parseHostPattern(authority.host);
}

/**
 * A new rule for the host and the port, before the rule that is now at `place`. It changes nothing else: where it is
 * the first that allows something, what is written keeps the default at allow.
 */
function insertion(
  spec: PolicySpec,
  action: Action,
  facts: Facts,
  host: HostPattern,
  place: number,
): Change {
  const { port } = facts.authority;
  const option = `--${action} ${host.text.includes(":") ? `[${host.text}]` : host.text}:${port}`;
  const rule: RuleSpec = {
    name: option,
    action,
    mode: "enforce",
    note: "",
    clients: null,
    users: null,
    hosts: [host],
    ports: [{ first: port, last: port }],
    methods: null,
    paths: null,
    encodedSlashes: false,
    tls: null,
    rates: null,
    source: { file: "command line", lines: {}, line: 0 },
  };
  const rules = spec.rules.toSpliced(place, 0, rule);
  const turnsDefault = action === "allow" && spec.defaultAction === "allow" && !spec.rules.some(allowsSome);
  const options = turnsDefault ? `--default-action allow ${option}` : option;
  const next = spec.rules.at(place);
  let text = options;
  if (next !== undefined) {
    const first = turnsDefault
      ? '# in [policy], since by a first rule that allows something "auto" becomes deny\ndefault = "allow"\n\n'
      : "";
    text = next.source.file === "command line"
      ? `${options}, before ${next.name}`
      : `${first}# before the rule ${tomlString(next.name)}, ${
        placeOf(next)
      }\n[[rule]]\naction = "${action}"\n` +
        `hosts = [${tomlString(host.text)}]\nports = [${port}]`;
  }
  return { text, spec: { ...spec, rules } };
}

/** Whether a rule makes the default action `auto` a deny. */
function allowsSome({ action, mode }: RuleSpec): boolean {
  return action === "allow" && mode === "enforce";
}

/** One more entry for the only condition for which an allow rule does not hold; `null` when there is no such one. */
function widening(spec: PolicySpec, facts: Facts, { rule, conditions }: Trial): Change | null {
  if (rule.action !== "allow" || rule.mode !== "enforce") return null;
  const unmet = conditions.filter(({ state }) => state !== "holds");
  if (unmet.length !== 1 || unmet[0].state !== "fails") return null;
  const { port } = facts.authority;
  let widened: RuleSpec;
  let line: string;
  switch (unmet[0].key) {
    case "ports": {
      const ports = [...rule.ports!, { first: port, last: port }];
      widened = { ...rule, ports };
      line = `ports = [${ports.map(({ first, last }) => tomlPort(first, last)).join(", ")}]`;
      break;
    }
    case "methods":
      widened = { ...rule, methods: [...rule.methods!, facts.method] };
      line = `methods = [${widened.methods!.map(tomlString).join(", ")}]`;
      break;
    case "users":
      if (facts.user === null) return null;
      widened = { ...rule, users: [...rule.users!, facts.user] };
      line = `users = [${widened.users!.map(tomlString).join(", ")}]`;
      break;
    case "clients":
      widened = { ...rule, clients: [...rule.clients!, ...parseNetworks(facts.client)] };
      line = `clients = ${tomlNetworks(widened.clients!)}`;
      break;
    case "paths": {
      const { path } = facts;
      if (rule.encodedSlashes || path === null) return null;
      return pathsAllow(rule.paths!, pathReadings(path, true)) ? readingSlashes(spec, rule) : null;
    }
    default:
      return null;
  }
  const rules = spec.rules.map((each) => each === rule ? widened : each);
  const text = rule.source.file === "command line" && rule.hosts?.length === 1 && unmet[0].key === "ports"
    ? `--allow ${rule.hosts[0].text}:${formatPorts(widened.ports!)}, instead of ${rule.name}`
    : `# in the rule ${tomlString(rule.name)}, ${placeOf(rule)}\n${line}`;
  return { text, spec: { ...spec, rules } };
}

/** Whether a rule that denies the path does so too where it takes an encoded slash for a slash. */
function pathsDenyWithSlashes({ paths, encodedSlashes }: RuleSpec, { path }: Facts): boolean {
  return paths === null || encodedSlashes || path === null || pathsDeny(paths, pathReadings(path, true));
}

/** The rule takes encoded slashes for slashes. */
function readingSlashes(spec: PolicySpec, rule: RuleSpec): Change {
  const rules = spec.rules.map((each) => each === rule ? { ...rule, encodedSlashes: true } : each);
  const text = `# in the rule ${tomlString(rule.name)}, ${placeOf(rule)}\nencoded-slashes = true`;
  return { text, spec: { ...spec, rules } };
}

function admission(spec: PolicySpec, facts: Facts): Change {
  const clients = [...spec.clients!, ...parseNetworks(facts.client)];
  return { text: `[policy]\nclients = ${tomlNetworks(clients)}`, spec: { ...spec, clients } };
}

/** The setting that lets everybody reach the address; it is for all clients alike. */
function privateNetwork(spec: PolicySpec, ip: IpAddress): Change {
  const own = spec.privateNetworks === "own" || listsOwn(spec.privateNetworks);
  const listed = listedNetworks(spec.privateNetworks);
  const missing = meaningsOf(ip).filter((meaning) =>
    plainScope(meaning) !== "public" && !listed.some((network) => networkContains(network, meaning))
  );
  const networks = [...listed, ...missing.flatMap((meaning) => parseNetworks(formatIp(meaning)))];
  const privateNetworks = own ? ["own" as const, ...networks] : networks;
  return {
    text: `[policy]\nprivate-networks = ${
      tomlList([...own ? ["own"] : [], ...networks.map(({ text }) => text)])
    }`,
    spec: { ...spec, privateNetworks },
  };
}

function placeOf({ source: { file, line } }: RuleSpec): string {
  return line === 0 ? file : `${file}:${line}`;
}

function tomlPort(first: number, last: number): string {
  return first === last ? `${first}` : tomlString(formatPorts([{ first, last }]));
}

function tomlNetworks(networks: readonly Network[]): string {
  return tomlList(networks.map(({ text }) => text));
}

function tomlList(texts: readonly string[]): string {
  return `[${[...new Set(texts)].map(tomlString).join(", ")}]`;
}

/** Policies in few words, for tests that look at them from outside. */

import { type IpAddress, parseIp } from "../../src/http/ip_address.ts";
import type { Facts } from "../../src/policy/facts.ts";
import { parseHostPattern } from "../../src/policy/host_pattern.ts";
import { parseNetworks } from "../../src/policy/network.ts";
import { parsePathPattern } from "../../src/policy/path_pattern.ts";
import { Policy } from "../../src/policy/policy.ts";
import { parsePorts } from "../../src/policy/port_range.ts";
import type { PolicySpec, RuleSpec } from "../../src/policy/spec.ts";
import type { Decider, PasswordNeed, Verdict } from "../../src/policy/verdict.ts";

/** A rule with its lists as words: `{ action: "allow", hosts: "a.example b.example", ports: "80 443" }`. */
export type RuleWords =
  & Partial<Pick<RuleSpec, "name" | "action" | "mode" | "note" | "tls" | "rates">>
  & Partial<Record<"clients" | "users" | "hosts" | "ports" | "methods" | "paths", string>>;

export function rule(words: RuleWords, index = 0): RuleSpec {
  const list = (text: string | undefined) => text?.split(" ") ?? null;
  return {
    name: words.name ?? `rule ${index + 1}`,
    action: words.action ?? "allow",
    mode: words.mode ?? "enforce",
    note: words.note ?? "",
    clients: list(words.clients)?.flatMap(parseNetworks) ?? null,
    users: list(words.users),
    hosts: list(words.hosts)?.map(parseHostPattern) ?? null,
    ports: list(words.ports)?.map(parsePorts) ?? null,
    methods: list(words.methods),
    paths: list(words.paths)?.map(parsePathPattern) ?? null,
    encodedSlashes: false,
    tls: words.tls ?? null,
    rates: words.rates ?? null,
    source: { file: "weir.toml", line: 1 + index, lines: {} },
  };
}

/** What a policy says when nothing was configured, with changes. */
export function spec(
  changes: Partial<Omit<PolicySpec, "rules">> & { rules?: readonly RuleWords[] } = {},
): PolicySpec {
  const { rules = [], ...rest } = changes;
  return {
    mode: "enforce",
    defaultAction: rules.some((each) => (each.action ?? "allow") === "allow") ? "deny" : "allow",
    tls: "any",
    privateNetworks: "own",
    clients: null,
    connectPorts: null,
    authentication: "none",
    ...rest,
    rules: rules.map(rule),
  };
}

export function policy(changes: Parameters<typeof spec>[0] = {}): Policy {
  return new Policy(spec(changes), new Map());
}

/** The same policy to a client that seems to come from elsewhere, since all clients of a test are on loopback. */
export class SeenFrom implements Decider {
  readonly #client: IpAddress;

  constructor(readonly policy: Policy, readonly address: string) {
    this.#client = parseIp(address)!;
  }

  get looksAtPaths(): boolean {
    return this.policy.looksAtPaths;
  }

  get reportsOnly(): boolean {
    return this.policy.reportsOnly;
  }

  mayComplete(host: string): boolean {
    return this.policy.mayComplete(host);
  }

  receive(facts: Facts): Verdict | null {
    return this.policy.receive({ ...facts, client: this.address, clientIp: this.#client });
  }

  passwordNeed(facts: Facts): PasswordNeed {
    return this.policy.passwordNeed({ ...facts, client: this.address, clientIp: this.#client });
  }

  decide(facts: Facts, address: IpAddress | null): Verdict {
    return this.policy.decide({ ...facts, client: this.address, clientIp: this.#client }, address);
  }
}

/** Answers about names from a list that a test may change while it runs. */
export class Names {
  readonly asked: string[] = [];
  constructor(readonly addresses: Record<string, string[]>) {}

  /** For the proxy: nothing is remembered, so that every look-up is asked for anew. */
  get resolver() {
    return {
      lifetime: 0,
      failureLifetime: 0,
      lookup: (host: string) => {
        this.asked.push(host);
        const addresses = this.addresses[host];
        if (addresses !== undefined) return Promise.resolve(addresses);
        return Promise.reject(Object.assign(new Error(`no ${host}`), { code: "ENOTFOUND" }));
      },
      dns: (host: string) => Promise.resolve(this.addresses[host.replace(/\.$/, "")] ?? []),
    };
  }
}

import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseAuthority } from "../../src/http/authority.ts";
import { HttpError } from "../../src/http/error.ts";
import { formatIp, parseIp } from "../../src/http/ip_address.ts";
import { type Scope, scopeOf } from "../../src/policy/address_scope.ts";
import { evaluate } from "../../src/policy/evaluation.ts";
import type { Facts } from "../../src/policy/facts.ts";
import { parseNetworks } from "../../src/policy/network.ts";
import { Policy } from "../../src/policy/policy.ts";
import { adviceFor } from "../../src/review/advice.ts";
import { type Address, DISGUISES, type Name } from "./disguises.ts";
import { policyOfRules, rule } from "./policy_samples.ts";

function factsOf(target: string, client: string): Facts {
  return {
    client,
    clientIp: parseIp(client)!,
    user: null,
    method: "GET",
    authority: parseAuthority(target, null),
    path: "/",
  };
}

const refused = DISGUISES.filter(({ becomes }) => becomes === "refused");
const addresses = DISGUISES.flatMap(({ target, becomes }): (Address & { target: string })[] =>
  typeof becomes === "object" && "address" in becomes ? [{ target, ...becomes }] : []
);
const names = DISGUISES.flatMap(({ target, becomes }): (Name & { target: string })[] =>
  typeof becomes === "object" && "name" in becomes ? [{ target, ...becomes }] : []
);

/** Scopes to which a rule for all hosts does not lead. */
const NEVER: ReadonlySet<Scope> = new Set(["metadata", "reserved", "unspecified"]);

Deno.test("no disguise stands in the corpus twice", () => {
  assertEquals(new Set(DISGUISES.map(({ target }) => target)).size, DISGUISES.length);
  assert(refused.length > 100 && addresses.length > 50 && names.length > 20);
});

Deno.test("what programs read differently is refused with 400", () => {
  for (const { target } of refused) {
    const error = assertThrows(
      () => parseAuthority(target, null),
      HttpError,
      undefined,
      JSON.stringify(target),
    );
    assertEquals(error.status, 400, target);
  }
});

Deno.test("an address in disguise is the address that it is, and is judged by where it may lead", () => {
  for (const { target, address, scope } of addresses) {
    const ip = parseAuthority(target, null).ip!;
    assertEquals(formatIp(ip), address, target);
    assertEquals(scopeOf(ip), scope, target);
  }
});

Deno.test("no client from outside gets to an address in disguise, before and after it is taken as resolved", () => {
  const policy = new Policy(policyOfRules([], { defaultAction: "allow" }), new Map());
  for (const { target, scope } of addresses) {
    const facts = factsOf(target, "8.8.4.4");
    for (const address of [null, facts.authority.ip]) {
      const { decision, rule } = policy.decide(facts, address);
      assertEquals(decision, scope === "public" ? "allow" : "deny", target);
      const station = NEVER.has(scope) ? `${scope} addresses` : "private networks";
      if (scope !== "public") assertEquals(rule, station, target);
    }
  }
});

Deno.test("not even a loopback client gets to a metadata, reserved or unspecified address in disguise", () => {
  const spec = policyOfRules([rule({ hosts: ["*"] })], { defaultAction: "allow", privateNetworks: "allow" });
  const policy = new Policy(spec, new Map());
  for (const { target, scope } of addresses) {
    const expected = NEVER.has(scope) ? "deny" : "allow";
    assertEquals(policy.decide(factsOf(target, "127.0.0.1"), null).decision, expected, target);
  }
});

Deno.test("no rule and no setting leads to an address of no host", () => {
  for (const { target, scope } of addresses) {
    if (scope !== "unspecified") continue;
    const host = target.slice(0, target.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
    for (const privateNetworks of ["allow", parseNetworks("all")] as const) {
      const spec = policyOfRules([rule({ hosts: [host], ports: ["80"] })], { privateNetworks });
      const verdict = new Policy(spec, new Map()).decide(factsOf(target, "127.0.0.1"), null);
      assertEquals([verdict.decision, verdict.rule], ["deny", "unspecified addresses"], target);
      assertEquals(evaluate(spec, new Map(), factsOf(target, "127.0.0.1"), null).verdict, verdict, target);
      assertEquals(
        adviceFor(parseAuthority(target, null), verdict.rule, "127.0.0.1", true).rule,
        null,
        target,
      );
    }
  }
});

Deno.test("a rule that denies an IPv4 network denies every address that may lead there", () => {
  const spec = policyOfRules([rule({ action: "deny", hosts: ["8.8.8.0/24"] })], { defaultAction: "allow" });
  const policy = new Policy(spec, new Map());
  for (
    const host of [
      "8.8.8.8",
      "[::ffff:8.8.8.8]",
      "[::8.8.8.8]",
      "[::ffff:0:8.8.8.8]",
      "[64:ff9b::8.8.8.8]",
      "[64:ff9b:1::8.8.8.8]",
      "[64:ff9b:1:808:8:800::]",
      "[2002:808:808::1]",
      "[2001:0:808:808::1]",
      "[2001:0:909:909::f7f7:f7f7]",
      "[2606:4700::5efe:808:808]",
      "[fe80::200:5efe:808:808]",
    ]
  ) assertEquals(policy.decide(factsOf(`${host}:80`, "127.0.0.1"), null).rule, "rule 1", host);
  assertEquals(policy.decide(factsOf("[2606:4700::808:808]:80", "127.0.0.1"), null).decision, "allow");
});

Deno.test("a rule that allows an IPv4 network allows no address that anybody could make to hold it", () => {
  const policy = new Policy(policyOfRules([rule({ hosts: ["8.8.8.0/24"] })]), new Map());
  const decision = (host: string) => policy.decide(factsOf(`${host}:80`, "127.0.0.1"), null).decision;
  for (const host of ["8.8.8.8", "[::ffff:8.8.8.8]", "[64:ff9b::8.8.8.8]"]) {
    assertEquals(decision(host), "allow", host);
  }
  for (
    const host of [
      "[2002:808:808::1]",
      "[2001:0:808:808::1]",
      "[2606:4700::5efe:808:808]",
      "[64:ff9b:1::8.8.8.8]",
      "[::8.8.8.8]",
    ]
  ) assertEquals(decision(host), "deny", host);
});

Deno.test("a rule that names a host sees it in every disguise, and no other host", () => {
  for (const { target, name } of names) {
    assertEquals(parseAuthority(target, null).host, name, target);
    const policy = new Policy(
      policyOfRules([rule({ action: "deny", hosts: [name], name: "named" })], {
        defaultAction: "allow",
      }),
      new Map(),
    );
    for (const other of names) {
      const { decision } = policy.decide(factsOf(other.target, "127.0.0.1"), null);
      assertEquals(decision, other.name === name ? "deny" : "allow", other.target);
    }
  }
});

Deno.test("a name is judged by its address, whatever it looks like", () => {
  const policy = new Policy(policyOfRules([rule({ hosts: ["*"] })]), new Map());
  for (const { target } of names) {
    const facts = factsOf(target, "10.0.0.9");
    assertEquals(policy.decide(facts, parseIp("93.184.216.34")).decision, "allow", target);
    for (const inside of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]) {
      assertEquals(policy.decide(facts, parseIp(inside)).rule, "private networks", target);
    }
    assertEquals(policy.decide(facts, parseIp("169.254.169.254")).rule, "metadata addresses", target);
  }
});

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/config/errors.ts";
import { readFlags } from "../../src/config/flags.ts";
import { policyOf } from "../../src/config/policy.ts";
import { readToml } from "../../src/config/toml.ts";
import { parseListenAddress } from "../../src/net/listen.ts";
import type { PolicySpec } from "../../src/policy/spec.ts";

function policyBy(...args: string[]): PolicySpec {
  const { values, rules } = readFlags(args, parseListenAddress);
  return policyOf(values, rules);
}

Deno.test("without a word from anybody everything is allowed but what is more private than the client", () => {
  assertEquals(policyBy(), {
    mode: "enforce",
    defaultAction: "allow",
    tls: "any",
    privateNetworks: "own",
    clients: null,
    connectPorts: null,
    authentication: "none",
    rules: [],
  });
});

Deno.test("the default action is deny as soon as a rule allows something", () => {
  assertEquals(policyBy("--deny", "a.example").defaultAction, "allow");
  assertEquals(policyBy("--deny", "a.example", "--allow", "b.example").defaultAction, "deny");
  assertEquals(policyBy("--allow", "b.example", "--default-action", "allow").defaultAction, "allow");
  assertEquals(policyBy("--default-action=deny").defaultAction, "deny");
});

Deno.test("a rule that is only tried out does not turn the default around", async () => {
  const text = '[[rule]]\naction = "allow"\nhosts = "a.example"\nmode = "report"\n';
  const { values, rules } = await readToml(text, "weir.toml", parseListenAddress);
  assertEquals(policyOf(values, rules).defaultAction, "allow");
});

Deno.test("tunnels are looked into where the default is to deny", () => {
  assertEquals(policyBy("--deny", "a.example").tls, "any");
  assertEquals(policyBy("--allow", "a.example").tls, "auto");
  assertEquals(policyBy("--allow", "a.example", "--tls-check", "match").tls, "match");
  assertEquals(policyBy("--allow", "a.example", "--tls-check", "any").tls, "any");
  assertEquals(policyBy("--tls-check", "require").tls, "require");
});

Deno.test("somebody is asked who they are once there are users, everybody unless it is said otherwise", () => {
  assertEquals(policyBy("--authentication", "by-rule").authentication, "none");
  assertEquals(policyBy("--users", "users").authentication, "always");
  assertEquals(policyBy("--users", "users", "--authentication", "by-rule").authentication, "by-rule");
});

Deno.test("networks and ports are lists, by commas and by repeating", () => {
  const policy = policyBy(
    ...["--clients", "192.168.0.0/16, loopback", "--clients", "2001:db8::/32"],
    ...["--connect-ports=443,8000-8999", "--private-networks", "10.1.0.0/16"],
  );
  assertEquals(policy.clients?.map(({ text }) => text), [
    ...["192.168.0.0/16", "loopback", "loopback", "2001:db8::/32"],
  ]);
  assertEquals(policy.connectPorts, [{ first: 443, last: 443 }, { first: 8000, last: 8999 }]);
  assertEquals((policy.privateNetworks as readonly { text: string }[]).map(({ text }) => text), [
    "10.1.0.0/16",
  ]);
});

Deno.test("deny and allow say all of private networks, alone; own may stand beside networks", () => {
  for (const word of ["own", "deny", "allow"]) {
    assertEquals(policyBy("--private-networks", word).privateNetworks as string, word);
  }
  const besides = policyBy("--private-networks", "own,10.0.0.0/8").privateNetworks;
  assertEquals((besides as ("own" | { text: string })[]).map((each) => each === "own" ? each : each.text), [
    "own",
    "10.0.0.0/8",
  ]);
  for (const word of ["deny", "allow"]) {
    assertThrows(
      () => policyBy("--private-networks", `${word},10.0.0.0/8`),
      Error,
      `${word} stands alone`,
    );
  }
  assertThrows(() => policyBy("--private-networks", "onw"), Error, "or one of own, deny, allow");
  assertThrows(() => policyBy("--clients", ""), Error, "--clients:");
});

Deno.test("a rule without a name is called by its place among all, the command line's first", async () => {
  const text =
    '[[rule]]\naction = "deny"\n[[rule]]\nname = "x"\naction = "deny"\n[[rule]]\naction = "deny"\n';
  const { values, rules } = await readToml(text, "weir.toml", parseListenAddress);
  const flags = readFlags(["--deny", "a.example"], parseListenAddress).rules;
  assertEquals(policyOf(values, [...flags, ...rules]).rules.map(({ name }) => name), [
    "--deny a.example",
    "rule 2",
    "x",
    "rule 4",
  ]);
});

Deno.test("a rule of the file that is called like one of the command line is refused", async () => {
  const text = '[[rule]]\nname = "--deny a.example"\naction = "deny"\n';
  const { values, rules } = await readToml(text, "weir.toml", parseListenAddress);
  const flags = readFlags(["--deny", "a.example"], parseListenAddress).rules;
  const error = await assertRejects(
    () => Promise.resolve().then(() => policyOf(values, [...flags, ...rules])),
    ConfigError,
  );
  assertEquals((error as ConfigError).problems, [
    'weir.toml:1: "--deny a.example" is the name of another rule, command line',
  ]);
});

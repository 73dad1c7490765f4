import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Io } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";

async function why(args: string[], input?: string) {
  let [out, err] = ["", ""];
  const io: Io = {
    bytes: () => true,
    out: (text) => out += text,
    err: (text) => err += text,
    input: new Response(input ?? "").body!,
    isTerminal: () => false,
    noColor: false,
  };
  const code = await run(["why", ...args, ...(input === undefined ? [] : ["-c", "-"])], io);
  return { code, out, err };
}

const POLICY = `
[policy]
default = "deny"

[client-rates]
requests = 50

[[rule]]
name = "no trackers"
action = "deny"
hosts = ["*.ads.test"]
note = "ask ops"

[[rule]]
name = "npm"
action = "allow"
hosts = ["npm.test"]
ports = [443]
rates = { requests = 5, down = "1m" }

[[rule]]
name = "lab"
action = "allow"
hosts = ["10.20.0.0/16"]
`;

Deno.test("the whole way of a request is shown, from how it was written to what would turn it", async () => {
  const { code, out, err } = await why([
    ...["HTTPS://NPM.test./left-pad", "--client", "10.0.0.5"],
    ...["--address", "104.16.2.34,127.0.0.1"],
  ], POLICY);
  assertEquals([code, err], [0, ""]);
  assertEquals(
    out,
    `✓ allowed by "npm": the rule matches

  asked     HTTPS://NPM.test./left-pad
  judged    CONNECT npm.test:443
            NPM.test. is npm.test
            as a tunnel, which programs open for https: its path cannot be seen
  client    10.0.0.5
  address   104.16.2.34 public, 127.0.0.1 loopback, as given

  ✓ clients                         everybody may use the proxy
  ✓ users                           nobody has to say who they are here
  · no trackers  standard input:8   hosts: npm.test at 104.16.2.34 is not among *.ads.test
  → npm          standard input:14  allow: hosts: npm.test is matched by npm.test
                                    ports: 443 is among 443
  ✓ ports                           the port may be reached
  ✓ address                         it is public

  and to 127.0.0.1, from there on:
  → address  127.0.0.1 is more private than the client (loopback, 10.0.0.5 is private)

  tls       require: it has to be TLS, and to ask for npm.test
  rates     "npm": requests 5, down 1m
            each client: requests 50

  to deny it:
            # before the rule "no trackers", standard input:8
            [[rule]]
            action = "deny"
            hosts = ["npm.test"]
            ports = [443]
`,
  );
});

Deno.test("a denial shows what the client is told, and ends with 1 without a look-up", async () => {
  const { code, out } = await why(["http://x.ads.test/?secret"], POLICY);
  assertEquals(code, 1);
  assert(out.startsWith('✗ denied by "no trackers": the rule matches\n'), out);
  assertStringIncludes(out, "  address   not looked up: the name is enough\n");
  assertStringIncludes(out, "  answer    403 denied by no trackers: ask ops\n");
  assertStringIncludes(out, '            action = "allow"\n');
});

Deno.test("what would turn a denial does turn it", async () => {
  const { out } = await why(["other.test:8443", "--address", "1.1.1.1"], POLICY);
  const [, rest] = out.split("  to allow it:\n");
  const change = rest.trim().replaceAll(/^ +/gm, "");
  const turned = change.startsWith("--")
    ? await why(["other.test:8443", ...change.split(" "), "--address", "1.1.1.1"], POLICY)
    : await why(["other.test:8443", "--address", "1.1.1.1"], `${POLICY}\n${change}\n`);
  assertEquals(turned.code, 0, turned.out);
});

Deno.test("what would turn a denial by the name goes as far as the address, where that is known", async () => {
  const { out } = await why(["localhost:1", "--client", "10.0.0.1"]);
  assertStringIncludes(out, "--allow localhost:1\n");
  assertStringIncludes(out, "private-networks = [");
});

Deno.test("what depends on an address that nobody knows is undecided, and no success", async () => {
  const { code, out } = await why(["http://db.invalid/"], POLICY);
  assertEquals(code, 1);
  assert(out.startsWith("? undecided: it depends on the address, which is not known\n"), out);
  assertStringIncludes(out, "  address   unknown: ");
  assertEquals((await why(["http://db.invalid/", "--address", "10.20.0.1"], POLICY)).code, 0);
});

Deno.test("a target that is none gets the proxy's own words, without a password", async () => {
  const { code, out } = await why(["http://me:secret@npm.test/"], POLICY);
  assertEquals(code, 1);
  assertStringIncludes(out, "  answer    400 Bad Request: ");
  assertEquals(out.includes("secret"), false);
});

Deno.test("a policy that only reports lets through, and says so", async () => {
  const { code, out } = await why(["http://x.ads.test/", "--mode", "report", "--address", "1.1.1.1"], POLICY);
  assertEquals(code, 0);
  assert(out.startsWith('✓ let through, and only reported as denied by "no trackers"'), out);
});

Deno.test("weir's own listener is refused whatever the policy says", async () => {
  const { code, out } = await why(["127.0.0.1:8888", "--default-action", "allow"]);
  assertEquals(code, 1);
  assert(!out.includes("to deny it"), "it is denied already");
  assert(out.startsWith("✗ refused, for it is weir itself that listens there"), out);
});

Deno.test("nothing that was asked reaches a terminal as it is", async () => {
  for (const target of ["http://a.test/\x1b[31m", "\x1b[31m:443", "http://b\u202e.test/"]) {
    const { out } = await why([target, "--address", "1.1.1.1"], POLICY);
    // deno-lint-ignore no-control-regex
    assertEquals(/[\x00-\x09\x0b-\x1f\u202e]/.test(out), false, JSON.stringify(out));
  }
});

Deno.test("a policy of many rules is shown by its ends", async () => {
  const rules = Array.from(
    { length: 500 },
    (_, index) => `[[rule]]\naction = "allow"\nhosts = ["h${index}.test"]\n`,
  );
  const { out } = await why(["http://other.test/"], rules.join("\n"));
  assertStringIncludes(out, "460 more rules that do not match");
  assert(out.split("\n").length < 70);
});

Deno.test("flags that hold what they cannot are wrong usage", async () => {
  for (
    const args of [["--client", "x"], ["--address", "1.2.3.4,"], ["--method", "A B"], ["--user", ""]]
  ) assertEquals((await why(["http://a.test/", ...args], POLICY)).code, 2, args.join(" "));
  assertEquals((await why([], POLICY)).code, 2);
});

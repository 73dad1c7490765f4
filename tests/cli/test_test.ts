import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Io } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";

async function weir(args: string[], input = "") {
  let [out, err] = ["", ""];
  const io: Io = {
    bytes: () => true,
    out: (text) => out += text,
    err: (text) => err += text,
    input: new Response(input).body!,
    isTerminal: () => false,
    noColor: false,
  };
  return { code: await run(args, io), out, err };
}

const POLICY = `
[[rule]]
name = "npm"
action = "allow"
hosts = ["registry.corp.test"]
ports = [443]

[[test]]
url = "https://registry.corp.test/left-pad"
expect = "allow"
rule = "npm"

[[test]]
url = "http://evil.test/"
client = "10.0.0.5"
user = "ann"
addresses = ["192.0.2.1", "192.0.2.2"]
method = "POST"
expect = "deny"
`;

Deno.test("a policy whose tests pass ends with 0 and says how many there were", async () => {
  const policy = POLICY;
  assertEquals(await weir(["test", "-"], policy), {
    code: 0,
    out: "✓ standard input: 2 tests passed\n",
    err: "",
  });
  assertEquals((await weir(["test", "-c", "-"], policy)).out, "✓ standard input: 2 tests passed\n");
});

Deno.test("a test that fails is shown with its line, what was expected, what came and why, and ends with 1", async () => {
  const policy = POLICY.replace('expect = "deny"', 'expect = "allow"\nrule = "npm"').replace(
    "\\u001b[31m",
    "",
  );
  const { code, out } = await weir(["test", "-"], policy);
  assertEquals(code, 1);
  assertEquals(
    out,
    `✗ http://evil.test/  standard input:13
  asked by  10.0.0.5, user ann, POST, at 192.0.2.1, 192.0.2.2
  expected  allow by "npm"
  got       deny by "default"
  because   no rule matches: deny

✗ standard input: 1 of 2 tests failed
`,
  );
});

Deno.test("flags take part, since they come before the rules of the file", async () => {
  const { code, out } = await weir(["test", "-", "--deny", "registry.corp.test"], POLICY);
  assertEquals(code, 1);
  assertStringIncludes(out, 'got       deny by "--deny registry.corp.test"');
});

Deno.test("nothing that a test holds reaches a terminal as it is", async () => {
  for (const escape of ["\\u001b[31m", "\\u202e", "\\n"]) {
    const { code, out, err } = await weir(["test", "-"], POLICY.replace("evil.test/", `evil.test/${escape}`));
    assertEquals(code !== 0, true);
    // deno-lint-ignore no-control-regex
    assertEquals(/[\x00-\x09\x0b-\x1f\u202e]/.test(out + err), false);
  }
});

Deno.test("a policy without tests is no failure, and is told how one is written", async () => {
  const { code, out } = await weir(["test", "-"], 'listen = "8888"\n');
  assertEquals(code, 0);
  assertMatch(out, /^standard input has no tests\. [^]*\[\[test\]\]\nurl = /);
});

Deno.test("a file that is wrong is 3, and no file at all is wrong usage", async () => {
  assertEquals((await weir(["test", "-"], "[[rule]]\nhots = 1\n")).code, 3);
  assertEquals((await weir(["test", "/no/such.toml"])).code, 3);
  assertEquals((await weir(["test"])).code, 2);
});

Deno.test("what the linter finds is told beside", async () => {
  const { code, err } = await weir(["test", "-"], '[[rule]]\naction = "allow"\nhosts = ["*.com"]\n');
  assertEquals(code, 0);
  assertMatch(err, /^weir: standard input:\d: "rule 1": hosts: \*\.com allows names that anybody may take/);
});

const WAYS = `
[upstream]
via = "http://user:secret@gate.example:3128"

[[parent]]
name = "corp"
url = "http://proxy.corp.example:3128"

[[route]]
hosts = [".corp.example"]
via = ["corp", "direct"]

[[test]]
url = "http://a.corp.example/"
expect = "allow"
via = ["corp", "direct"]

[[test]]
url = "https://example.com/"
expect = "allow"
via = "http://gate.example:3128"
`;

Deno.test("a test may say by which ways a request goes", async () => {
  assertEquals((await weir(["test", "-"], WAYS)).out, "✓ standard input: 2 tests passed\n");
  const { code, out } = await weir(["test", "-"], WAYS.replace('"http://gate.example:3128"', '"direct"'));
  assertEquals(code, 1);
  assertStringIncludes(out, "  expected  allow, via direct\n");
  assertStringIncludes(out, '  got       allow by "default", via http://gate.example:3128\n');
  assertStringIncludes(out, "  because   the route for * decides the way\n");
  const written = await weir(["--check", "-c", "-"], WAYS);
  assertStringIncludes(written.out, 'expect = "allow"\nvia = ["corp", "direct"]\n');
});

Deno.test("a way that no parent is called is told with its line", async () => {
  for (const args of [["test", "-"], ["--check", "-c", "-"]]) {
    const { code, err } = await weir(
      args,
      WAYS.replace(
        'via = ["corp", "direct"]\n\n[[test]]\nurl = "https',
        'via = ["crop"]\n\n[[test]]\nurl = "https',
      ),
    );
    assertEquals([code, err], [
      3,
      'weir: standard input:13: there is no [[parent]] with the name "crop"; did you mean corp?\n',
    ]);
  }
});

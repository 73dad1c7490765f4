import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Option } from "../../src/config/option.ts";
import { OPTIONS_IN_FILE, type Values } from "../../src/config/options.ts";
import { readFlags } from "../../src/config/flags.ts";
import { readToml, type TomlContents } from "../../src/config/toml.ts";
import { tomlText } from "../../src/config/toml_text.ts";
import { parseListenAddress } from "../../src/net/listen.ts";

const readAll = (text: string) => readToml(text, "weir.toml", parseListenAddress);
const read = async (text: string): Promise<Values> => (await readAll(text)).values;

Deno.test("what is written says what was given, and the rest in comments", () => {
  const lines = tomlText({ grace: 90_000, "origin-ca": ["a.pem"] }).split("\n");
  assertEquals(lines.filter((line) => line !== "" && !line.startsWith("#")), [
    "[policy]",
    "[client-rates]",
    "[user-rates]",
    "[upstream]",
    "[cache]",
    "[log]",
    "[limits]",
    "[timeouts]",
    'grace = "90s"',
    "[pool]",
    "[forwarding]",
    'origin-ca = ["a.pem"]',
    "[front-page]",
  ]);
  assertEquals(lines.includes("# connections = 10000"), true);
  assertEquals(lines.includes('# head = "30s"'), true);
});

Deno.test("the defaults in comments are right, and can be used by taking the # away", async () => {
  const text = tomlText({}).split("\n").map((line) => line.replace(/^# ([a-z-]+ = )/, "$1")).join("\n");
  const values = await read(text) as Record<string, unknown>;
  for (const option of OPTIONS_IN_FILE) {
    if ("default" in option) assertEquals(values[option.flag], option.default, option.flag);
  }
});

Deno.test("whatever can be given, written and read back is the same", async () => {
  await fc.assert(fc.asyncProperty(anyValues(), async (values) => {
    assertEquals(await read(tomlText(values)), values);
  }));
});

Deno.test("rules and tests, written and read back, are the same but for their lines", async () => {
  const text = `
[[rule]]
name = "all"
action = "allow"
mode = "report"
note = "Say \\"please\\" \u{1f600}"
clients = ["private", "10.0.0.0/8", "all"]
users = ["*", "al\\\\ice"]
hosts = ["EXAMPLE.com", "*.example.com", ".example.com", "*", "[2001:db8::]/32", "@a b.txt"]
ports = [443, "8000-8999", "*"]
methods = ["GET"]
paths = ["/a/*", "*"]
tls = "any"
rates = { requests = 5, down = "1m" }
[[rule]]
action = "deny"
rates = {}
[[test]]
url = "https://example.com/"
expect = "allow"
[[test]]
url = "example.com:443"
client = "10.0.0.1"
user = "alice"
method = "OPTIONS"
addresses = ["192.0.2.1", "2001:db8::1"]
expect = "authenticate"
rule = "all"
`;
  const first = await readAll(text);
  const second = await readAll(tomlText(first.values, first.rules, first.tests));
  const bare = ({ rules, tests }: TomlContents) => [
    rules.map((rule) => ({ ...rule, source: null })),
    tests.map((test) => ({ ...test, line: 0 })),
  ];
  assertEquals(bare(second), bare(first));
  assertEquals(first.rules.length + first.tests.length, 4);
});

Deno.test("rules of the command line are written as rules of a file", async () => {
  const { rules } = readFlags(["--allow", "a.example:443,@list", "--deny", "*"], parseListenAddress);
  const read = (await readAll(tomlText({}, rules))).rules;
  assertEquals(
    read.map(({ source: _, ...rule }) => rule),
    rules.map(({ source: _, ...rule }) => rule),
  );
});

/** Any set of options with any values that they take. */
function anyValues(): fc.Arbitrary<Values> {
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const option of OPTIONS_IN_FILE) model[option.flag] = anyValue(option);
  return fc.record(model, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Values>;
}

function anyValue(option: Option): fc.Arbitrary<unknown> {
  switch (option.type) {
    case "size":
    case "duration":
    case "integer":
      return fc.oneof(
        fc.integer({ min: option.least, max: option.most }),
        fc.constantFrom(option.least, option.most, option.default),
      );
    case "choice":
      return fc.constantFrom(...option.choices);
    case "boolean":
      return fc.boolean();
    case "text":
      return option.pattern === undefined ? fc.string() : fc.stringMatching(option.pattern);
    case "file": {
      const name = fc.string({ minLength: 1, unit: "grapheme" }).filter((text) => !text.includes("\0"));
      return option.repeatable ? fc.array(name) : name;
    }
    case "networks":
      return fc.oneof(
        fc.constantFrom(...(option.alone ?? ["all"]).map((word) => [word])),
        fc.array(fc.constantFrom("10.0.0.0/8", "private", "2001:db8::/32", "192.0.2.1"), { minLength: 1 }),
      );
    case "ports":
      return fc.array(fc.constantFrom("443", "8000-8999", "*"), { minLength: 1 });
    case "hosts":
      return fc.array(fc.constantFrom("proxy.example.com", "192.0.2.1", "2001:db8::1"));
    case "texts":
      return fc.array(fc.string());
    case "places":
      return fc.array(fc.constantFrom("127.0.0.1:6379", "[::1]:443"));
    case "destinations":
      return fc.oneof(
        fc.constant(["none"]),
        fc.array(fc.constantFrom(".localhost", "10.0.0.0/8", "::1", "a.example"), { minLength: 1 }),
      );
    case "ways":
      return fc.array(fc.constantFrom("direct", "socks5://u:p@a.example:1", "http://[::1]:3128", "name"));
    case "rule":
      throw new TypeError("rules stand in no option");
    case "addresses": {
      const hostname = fc.oneof(fc.ipV4(), fc.constantFrom("::", "::1", "fe80::1", "localhost"));
      const port = fc.integer({ min: 0, max: 65_535 });
      return fc.array(fc.record({ hostname, port }, { noNullPrototype: true }), { minLength: 1 });
    }
  }
}

/** Parents and routes, from flags and files. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/config/errors.ts";
import { readFlags } from "../../src/config/flags.ts";
import type { Values } from "../../src/config/options.ts";
import { parentsOf, routesOf } from "../../src/config/routes.ts";
import { readToml } from "../../src/config/toml.ts";
import { tomlText } from "../../src/config/toml_text.ts";
import { parseAuthority } from "../../src/http/authority.ts";
import { parseListenAddress } from "../../src/net/listen.ts";
import { Routes } from "../../src/policy/routes.ts";
import type { WaySpec } from "../../src/proxy/parents/parent.ts";

const read = (text: string) => readToml(text, "weir.toml", parseListenAddress);

const FILE = `
[upstream]
via = ["corp", "socks5://127.0.0.1:1080", "direct"]
except = [".intern.example", "10.0.0.0/8"]

[[parent]]
name = "corp"
url = "http://ci:s3cret@proxy.example:3128"

[[route]]
hosts = [".partner.example", "@list.txt"]
via = "https://gate.example:443"

[[route]]
hosts = ["plain.example"]
via = ["direct"]
`;

function ways(routes: Routes<WaySpec>, host: string): string | undefined {
  return routes.find(parseAuthority(host, 80))?.map((way) => way?.name ?? "direct").join(" ");
}

Deno.test("exceptions come first, then the routes in order, then what is for all others", async () => {
  const { values, ways: written } = await read(FILE);
  const routes = new Routes(routesOf(values, written), new Map());
  assertEquals(ways(routes, "a.partner.example"), "https://gate.example:443");
  assertEquals(ways(routes, "plain.example"), "direct");
  assertEquals(ways(routes, "www.intern.example"), "direct");
  assertEquals(ways(routes, "10.1.1.1"), "direct");
  assertEquals(ways(routes, "example.com"), "corp socks5://127.0.0.1:1080 direct");
  // what is said replaces the default
  assertEquals(ways(routes, "localhost"), "corp socks5://127.0.0.1:1080 direct");
});

Deno.test("loopback goes direct unless that is taken back", () => {
  const upstream = ["http://p.example:1"];
  const usual = new Routes(routesOf({ upstream }, { parents: [], routes: [] }), new Map());
  const none = new Routes(
    routesOf({ upstream, "no-upstream": ["none"] }, { parents: [], routes: [] }),
    new Map(),
  );
  for (const host of ["localhost", "a.localhost", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]"]) {
    assertEquals(ways(usual, host), "direct", host);
    assertEquals(ways(none, host), "http://p.example:1", host);
  }
});

Deno.test("without parents and routes there is nothing to look at", () => {
  assertEquals(routesOf({}, { parents: [], routes: [] }), []);
  assertEquals(routesOf({ "no-upstream": ["a.example"] }, { parents: [], routes: [] }), []);
});

Deno.test("the same URL is the same parent, under its name", async () => {
  const { values, ways: written } = await read(`
[upstream]
via = "http://proxy.example:3128"
[[parent]]
name = "corp"
url = "http://proxy.example:3128"
[[route]]
hosts = "a.example"
via = "corp"
`);
  assertEquals(parentsOf(routesOf(values, written)).map(({ name }) => name), ["corp"]);
});

Deno.test("flags may be given several times, and a password may have a comma", () => {
  const line = readFlags(
    ["--upstream", "http://ci:a,b@p.example:1", "--upstream=direct", "--no-upstream", "a.example,.b.example"],
    parseListenAddress,
  );
  assertEquals(line.values as Values, {
    upstream: ["http://ci:a,b@p.example:1", "direct"],
    "no-upstream": ["a.example", ".b.example"],
  });
});

Deno.test("what is written back reads the same", async () => {
  const first = await read(FILE);
  const second = await read(tomlText(first.values, first.rules, first.tests, first.ways));
  const plain = (contents: typeof first) => [
    contents.values,
    contents.ways.parents,
    contents.ways.routes.map(({ hosts, via }) => ({ hosts, via })),
  ];
  assertEquals(plain(second), plain(first));
});

Deno.test("a name that no parent has is found out, with the nearest", async () => {
  const { values, ways: written } = await read(FILE.replace('via = ["direct"]', 'via = ["crop"]'));
  const { problems } = assertThrows(() => routesOf(values, written), ConfigError);
  assertEquals(problems.length, 1);
  assert(
    /^weir\.toml:16: there is no \[\[parent\]\] with the name "crop"; did you mean corp\?$/.test(problems[0]),
  );
});

const WRONG: Record<string, string> = {
  '[[parent]]\nname = "a"': "weir.toml:1: a parent needs a url",
  '[[parent]]\nurl = "http://p:1"': "weir.toml:1: a parent needs a name",
  '[[parent]]\nname = "direct"\nurl = "http://p:1"': "weir.toml:2: name: direct is the way without",
  '[[parent]]\nname = "a"\nurl = "http://ci:s3cret@p"': "weir.toml:3: url: ",
  '[[parent]]\nname = "a"\nurl = "http://p:1"\n[[parent]]\nname = "a"\nurl = "http://p:2"':
    'weir.toml:5: name: "a" is the name of the parent on line 2 too',
  '[[parent]]\nname = "a"\nurl = "http://p:1"\nuser = "b"': "weir.toml:4: a parent has no key user",
  "[[route]]\nhosts = ['a']": "weir.toml:1: a route needs ways",
  "[[route]]\nvia = ['direct']": "weir.toml:1: a route needs hosts",
  "[[route]]\nhosts = ['a']\nvia = []": "weir.toml:3: via: is empty",
  "[[route]]\nhosts = ['a']\nvia = ['ci:s3cret@p:1']": "weir.toml:3: via: must be a URL",
  "[upstream]\nvia = ['p.example:3128']": "weir.toml:2: upstream.via: must be a URL",
  "[upstream]\nexcept = ['@list']": "weir.toml:2: upstream.except: a list in a file",
};

Deno.test("what is wrong in a file is said with its line, and without passwords", async () => {
  for (const [text, message] of Object.entries(WRONG)) {
    const { problems } = await assertRejects(() => read(text), ConfigError);
    assert(problems.some((problem: string) => problem.startsWith(message)), `${text}: ${problems}`);
    assert(!problems.join().includes("s3cret"));
  }
});

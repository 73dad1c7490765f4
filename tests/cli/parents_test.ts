/** What is said of parents at the command line, and what is not. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { banner } from "../../src/cli/banner.ts";
import { check } from "../../src/cli/check.ts";
import type { Io } from "../../src/cli/io.ts";
import { load } from "../../src/cli/load.ts";
import { why } from "../../src/cli/why.ts";
import { ConfigError } from "../../src/config/errors.ts";
import { readFlags } from "../../src/config/flags.ts";
import { readToml } from "../../src/config/toml.ts";
import { parseListenAddress } from "../../src/net/listen.ts";
import { runWeir } from "./weir.ts";

const INSTANCE = { pseudonym: "weir-1f3a", version: "1.2.3" };

/** A terminal, or not, that keeps what it is told; standard input holds a file. */
class Told implements Io {
  output = "";
  errors = "";
  readonly noColor = true;

  constructor(readonly terminal: boolean, readonly file = "") {}

  get input(): ReadableStream<Uint8Array> {
    return ReadableStream.from([new TextEncoder().encode(this.file)]);
  }

  out(text: string): void {
    this.output += text;
  }

  err(text: string): void {
    this.errors += text;
  }

  bytes(): boolean {
    return true;
  }

  isTerminal(stream: "input" | "out" | "err"): boolean {
    return this.terminal && stream !== "input";
  }
}

const FILE = `
[upstream]
via = ["corp", "http://ci:s3cret@other.example:3128"]
[[parent]]
name = "corp"
url = "http://ci:s3cret@proxy.example:3128"
[[route]]
hosts = "a.example"
via = "socks5://ci:s3cret@gate.example:1080"
`;

const line = (...args: string[]) => readFlags(args, parseListenAddress);

Deno.test("--check prints a file that works, and no password to a terminal", async () => {
  const piped = new Told(false, FILE);
  assertEquals(await check(line("--check", "-c", "-"), INSTANCE, piped), 0);
  assertEquals(piped.output.split("s3cret").length, 4);
  const { ways, values } = await readToml(piped.output, "again", parseListenAddress);
  assertEquals([ways.parents.length, ways.routes.length, values.upstream?.length], [1, 1, 2]);

  const shown = new Told(true, FILE);
  await check(line("--check", "-c", "-"), INSTANCE, shown);
  assert(!shown.output.includes("s3cret"));
  assertStringIncludes(shown.output, 'url = "http://***@proxy.example:3128"');
  assertStringIncludes(shown.errors, "stand as *** on a terminal");
});

Deno.test("a line to start weir with, and messages, repeat no password", async () => {
  const parent = "http://ci:s3cret@proxy.example:3128";
  for (
    const args of [
      ["--upstream", parent, "-c", "no-such-file"],
      [`--upstream=${parent}`, "-c", "no-such-file"],
      ["--upstream", "http://ci:s3cret@proxy.example"],
      ["--upstream", "ci:s3cret@proxy.example:3128"],
      ["--upstream", "ftp://ci:s3cret@proxy.example:3128"],
    ]
  ) {
    const { code, out, err } = await runWeir(args);
    assert(code >= 2, err);
    assert(!(out + err).includes("s3cret"), err);
  }
});

Deno.test("the banner names parents, and what becomes of names", async () => {
  const { parents, spec } = await load(line("-c", "-"), INSTANCE, new Told(false, FILE));
  const addresses = [{ transport: "tcp", hostname: "127.0.0.1", port: 8888 }] as const;
  const text = banner(addresses, spec, false, [], parents);
  assertStringIncludes(
    text,
    "parents   socks5://gate.example:1080, corp, http://other.example:3128; names are looked up there",
  );
  assert(!banner(addresses, spec, false).includes("parents"));
});

Deno.test("what a policy says of addresses is warned about where names go to a parent", async () => {
  const parent = ["--upstream", "http://proxy.example:3128"];
  const warnings = async (...args: string[]) =>
    (await load(line(...args), INSTANCE, new Told(false))).warnings;
  assertEquals(await warnings(...parent), []);
  assertEquals(await warnings("--deny", "203.0.113.0/24"), []);
  assertEquals(await warnings(...parent, "--deny", "8.8.8.0/24", "--private-networks", "deny"), [
    "names that go through a parent are looked up there: what --private-networks, " +
    '"--deny 8.8.8.0/24" say of addresses holds for addresses that are asked for, not for names',
  ]);
  assertEquals(await warnings("--upstream", "direct", "--deny", "8.8.8.0/24"), []);
});

Deno.test("weir why says where a name is looked up, and judges it without", async () => {
  const parent = ["--upstream", "http://ci:s3cret@proxy.example:3128"];
  const ask = async (...args: string[]) => {
    const io = new Told(false);
    const code = await why(line("why", ...args, ...parent), INSTANCE, io);
    assert(!io.output.includes("s3cret"));
    return [code, io.output] as const;
  };
  const [allowed, text] = await ask("https://no-such-host.invalid/");
  assertEquals(allowed, 0);
  assertStringIncludes(text, "parent    http://proxy.example:3128");
  assertStringIncludes(text, "looked up by the parent");
  // nothing allows it but what waits for an address
  assertEquals((await ask("https://no-such-host.invalid/", "--allow", "8.8.8.0/24"))[0], 1);
  const [refused, address] = await ask("http://169.254.169.254/");
  assertEquals(refused, 1);
  assertStringIncludes(address, "parent    http://proxy.example:3128\n  address   the host itself");
  assertStringIncludes((await ask("http://localhost/"))[1], "127.0.0.1");
});

Deno.test("a route may name a list beside the file", async () => {
  const folder = await Deno.makeTempDir({ dir: "/tmp" });
  try {
    await Deno.writeTextFile(`${folder}/list.txt`, "listed.example\n");
    const text = `[[route]]\nhosts = ["@list.txt"]\nvia = ["http://proxy.example:3128"]\n`;
    await Deno.writeTextFile(`${folder}/weir.toml`, text);
    const { routes, files } = await load(line("-c", `${folder}/weir.toml`), INSTANCE, new Told(false));
    assertEquals(files, [`${folder}/weir.toml`, `${folder}/list.txt`]);
    const { parseAuthority } = await import("../../src/http/authority.ts");
    assertEquals(routes.find(parseAuthority("listed.example", 80))?.length, 1);
    assertEquals(routes.find(parseAuthority("other.example", 80)), null);
    await Deno.remove(`${folder}/list.txt`);
    await assertRejects(
      () => load(line("-c", `${folder}/weir.toml`), INSTANCE, new Told(false)),
      ConfigError,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

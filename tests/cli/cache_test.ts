import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { globMatches, patternOf } from "../../src/cli/cache_pattern.ts";
import type { FieldLine } from "../../src/cache/stored_response.ts";
import type { DiskStore } from "../../src/cache/disk_store.ts";
import { DiskFolder } from "../cache/disk_folder.ts";
import { weir } from "./logs_of_commands.ts";
import { runWeir } from "./weir.ts";

interface Stored {
  url: string;
  fields?: FieldLine[];
  body?: string;
  user?: string;
  vary?: FieldLine[];
  /** Seconds since it came. */
  ago?: number;
}

function store(
  disk: DiskStore,
  { url, fields = [], body = "body", user = "", vary = [], ago = 10 }: Stored,
): void {
  const time = Date.now() - ago * 1000;
  const head = {
    status: 200,
    reason: "OK",
    address: "192.0.2.1",
    requestTime: time,
    responseTime: time,
    vary,
  };
  const meta = JSON.stringify({ ...head, fields, length: body.length, range: null });
  disk.write(`${user} ${url}`, JSON.stringify(vary), meta, [new TextEncoder().encode(body)]);
}

const RESPONSES: Stored[] = [
  { url: "http://example.com/a", fields: [["Cache-Control", "max-age=3700"]], body: "longer than others" },
  { url: "http://example.com/b?x=1", fields: [["Cache-Control", "max-age=5"], ["ETag", '"1"']] },
  { url: "http://sub.example.com:8080/c.deb", fields: [["Cache-Control", "no-cache"]], user: "alice" },
  { url: "http://example.net/v", fields: [["Cache-Control", "max-age=5"]], vary: [["accept", "text/html"]] },
  { url: "http://example.net/v", fields: [["Cache-Control", "max-age=3700"]], vary: [["accept", ""]] },
];

async function filled(): Promise<DiskFolder> {
  const folder = new DiskFolder();
  const disk = await folder.open();
  for (const each of RESPONSES) store(disk, each);
  await disk.settled();
  disk.used(" http://example.com/a", "[]");
  await disk.close();
  return folder;
}

const cache = (folder: DiskFolder, ...words: string[]) =>
  weir(["cache", ...words, "--cache-dir", folder.path]);

/** The URLs of a list, in its order. */
async function urls(folder: DiskFolder, ...words: string[]): Promise<string[]> {
  const { out } = await cache(folder, "list", "--json", ...words);
  return out.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line).url.replace("http://", ""));
}

Deno.test("a list tells of each response its size, status, age, freshness, hits and last use", async () => {
  await using folder = await filled();
  const { code, out, err } = await cache(folder, "list");
  assertEquals([code, err], [0, ""]);
  const rows = out.split("\n").map((row) => row.trim().split(/ {2,}/));
  assertEquals(rows[0].slice(-1), ["url"]);
  assertEquals(rows.length, 7);
  assertMatch(out, / 18 B +200 +1[0-9] s +fresh 1h 01m +1 +[0-9.]+ m?s +http:\/\/example\.com\/a\n/);
  assertMatch(
    out,
    / 4 B +200 +1[0-9] s +stale [5-9]\.[0-9] s +0 +[0-9.]+ m?s +http:\/\/example\.com\/b\?x=1\n/,
  );
  assertStringIncludes(out, "http://example.net/v  accept: text/html\n");
  assertStringIncludes(out, "http://example.net/v  no accept\n");
  assertStringIncludes(out, "http://sub.example.com:8080/c.deb  of alice\n");
});

Deno.test("a list for programs has an object a line, and any order that is asked for", async () => {
  await using folder = await filled();
  const { out } = await cache(folder, "list", "--json");
  const [a] = out.split("\n").map((line) => line === "" ? null : JSON.parse(line));
  assertEquals([a.url, a.status, a.bodyBytes, a.hits, a.vary], ["http://example.com/a", 200, 18, 1, {}]);
  assert(
    a.age >= 10 && a.freshFor > 3500 && a.bytes > a.bodyBytes && Date.parse(a.used) >= Date.parse(a.stored),
  );
  const inOrder = ["example.com/a", "example.com/b?x=1", "example.net/v", "example.net/v"];
  assertEquals(await urls(folder), [...inOrder, "sub.example.com:8080/c.deb"]);
  assertEquals((await urls(folder, "--sort", "hits"))[0], "example.com/a");
  assertEquals((await urls(folder, "--sort", "size")).length, 5);
  assertEquals((await urls(folder, "--sort", "left"))[0], "sub.example.com:8080/c.deb");
});

Deno.test("a URL is shown with its variants, and why each would be fetched again", async () => {
  await using folder = await filled();
  const hit = await cache(folder, "show", "HTTP://Example.com:80/a");
  assertEquals(hit.code, 0);
  assertStringIncludes(hit.out, "    200 OK\n    Cache-Control: max-age=3700\n");
  assertStringIncludes(hit.out, "used once");
  assertStringIncludes(hit.out, "a request now: hit, answered with it\n");
  const stale = await cache(folder, "show", "http://example.com/b?x=1");
  assertMatch(
    stale.out,
    /a request now: the origin is asked whether it still holds, by If-None-Match: .* stale for/,
  );
  const noCache = await cache(folder, "show", "http://sub.example.com:8080/c.deb");
  assertMatch(
    noCache.out,
    /a request now: fetched again as a whole, for it has neither .*: it says no-cache\n/,
  );
  assertStringIncludes(noCache.out, "of alice");
  const variants = await cache(folder, "show", "http://example.net/v");
  assertEquals(variants.out.match(/^http/gm)?.length, 2);
  assertStringIncludes(variants.out, "for requests with no accept\n");
  const none = await cache(folder, "show", "http://example.net/none");
  assertEquals([none.code, none.out], [1, 'nothing is stored for "http://example.net/none"\n']);
  const json = await cache(folder, "show", "http://example.com/a", "--json");
  assertEquals(JSON.parse(json.out).fields, [["Cache-Control", "max-age=3700"]]);
});

Deno.test("what a purge names is printed and gone, and nothing else is", async () => {
  for (
    const [pattern, removed] of [
      ["http://EXAMPLE.com:80/a", ["example.com/a"]],
      ["http://example.com/*", ["example.com/a", "example.com/b?x=1"]],
      ["http://*.deb", ["sub.example.com:8080/c.deb"]],
      ["example.com", ["example.com/a", "example.com/b?x=1"]],
      ["*.example.com", ["sub.example.com:8080/c.deb"]],
      ["http://example.net/v", ["example.net/v", "example.net/v"]],
      ["http://example.org/*", []],
    ] as const
  ) {
    await using folder = await filled();
    const before = await urls(folder);
    const { code, out, err } = await cache(folder, "purge", pattern);
    assertEquals(code, 0, err);
    assertEquals(
      out,
      removed.map((url) => `http://${url}${url.includes("sub") ? " (of alice)" : ""}\n`).join(""),
    );
    assertEquals(await urls(folder), before.filter((url) => !(removed as readonly string[]).includes(url)));
    assertMatch(err, removed.length === 0 ? /nothing was removed/ : /response(s were| was) removed, /);
    const again = await folder.open();
    assertEquals((await again.stats())!.objects, before.length - removed.length);
  }
});

Deno.test("a cleared folder is empty, and small", async () => {
  await using folder = await filled();
  assertMatch((await cache(folder, "clear")).err, /^weir: 5 responses were removed, /);
  assertEquals(await urls(folder), []);
  const { out } = await cache(folder, "stats", "--json");
  assertEquals(JSON.parse(out).objects, 0);
});

Deno.test("sums tell how many responses there are, and who uses the folder", async () => {
  await using folder = await filled();
  assertMatch(
    (await cache(folder, "stats")).out,
    /^5 responses, of which 2 are fresh\n[^]*not in use by a weir\n$/,
  );
  await folder.open();
  assertStringIncludes(
    (await cache(folder, "stats")).out,
    `in use by the weir with process number ${Deno.pid}\n`,
  );
});

Deno.test("while a weir uses the folder it can be looked into, and is not changed", async () => {
  await using folder = await filled();
  const disk = await folder.open();
  store(disk, { url: "http://example.com/new" });
  await disk.settled();
  assertEquals((await urls(folder)).length, 6);
  assertEquals((await cache(folder, "show", "http://example.com/new")).code, 0);
  for (const words of [["purge", "example.com"], ["clear"]]) {
    const { code, err } = await cache(folder, ...words);
    assertEquals(code, 3);
    assertStringIncludes(err, `is in use by the weir with process number ${Deno.pid}: stop it first`);
  }
  assertEquals((await urls(folder)).length, 6);
});

Deno.test("what is wrong with the words is told, with exit code 2", async () => {
  await using folder = await filled();
  for (
    const [words, message] of [
      [["lst"], 'weir cache: "lst" is none of list, show, purge, clear, stats; did you mean list?'],
      [["toString"], "is none of list"],
      [["list", "http://example.com/"], "weir cache list: takes nothing else"],
      [["show"], "weir cache show: say which: weir cache show URL"],
      [["show", "http://a b/"], "weir cache show: "],
      [["purge", "10.0.0.0/8"], "weir cache purge: name a host"],
      [["purge", "@list"], "weir cache purge: "],
    ] as const
  ) {
    const { code, err } = await cache(folder, ...words);
    assertEquals(code, 2, err);
    assertStringIncludes(err, message);
  }
  const { code, err } = await weir(["cache", "list"]);
  assertEquals(code, 2);
  assertStringIncludes(err, "--cache-dir DIR");
});

Deno.test("a folder without a cache, or with one that cannot be read, is told with exit code 3", async () => {
  await using folder = new DiskFolder();
  const words = [["list"], ["show", "http://a/"], ["purge", "a"], ["clear"], ["stats"]];
  for (const each of words) {
    const { code, err } = await cache(folder, ...each);
    assertEquals(code, 3);
    assertStringIncludes(err, "holds no cache");
  }
  assertEquals([...Deno.readDirSync(folder.path)], []);
  Deno.writeTextFileSync(folder.file(), "no database".repeat(1000));
  for (const each of words) {
    const { code, err } = await cache(folder, ...each);
    assertEquals(code, 3, err);
    assertStringIncludes(err, "file is not a database");
  }
});

Deno.test("stars of a pattern stand for any characters, in linear time", () => {
  const matches = (pattern: string, text: string) => globMatches(pattern.split("*"), text);
  assert(matches("a*b", "ab") && matches("a*b", "axxb") && matches("*", "") && matches("a**b*", "aXbY"));
  assert(!matches("a*a", "a") && !matches("a*b", "abc") && !matches("ab*bc*c", "abc") && !matches("a", "aa"));
  assert(!patternOf(`http://${"*a".repeat(1000)}b`)(`http://${"a".repeat(100_000)}`));
});

Deno.test("a host pattern means the host and nothing that looks like it elsewhere", () => {
  const matches = patternOf("example.com");
  assert(matches("http://example.com/") && matches("https://example.com:8443/a?b"));
  assert(
    !matches("http://sub.example.com/") && !matches("http://a/example.com") &&
      !matches("http://example.com.a/"),
  );
  assert(
    patternOf("192.0.2.1")("http://192.0.2.1:80/") && patternOf("[2001:db8::1]")("http://[2001:db8::1]/"),
  );
});

Deno.test("weir why tells what the cache would do with a request, for who asks", async () => {
  await using folder = await filled();
  const said = async (url: string, ...more: string[]) => {
    const { out } = await weir(["why", url, "--address", "1.1.1.1", "--cache-dir", folder.path, ...more]);
    return /^ {2}cache {5}(.*)$/m.exec(out)?.[1];
  };
  assertMatch((await said("HTTP://Example.com./a"))!, /^hit, answered with it; fresh 1h 01m$/);
  assertMatch(
    (await said("http://example.com/b?x=1"))!,
    /^the origin is asked whether it still holds, by If-None-Match: it has been stale for .*; stale /,
  );
  assertMatch((await said("http://example.net/v", "--method", "HEAD"))!, /^hit, /);
  assertEquals(await said("http://example.com/none"), "nothing is stored for it: it would be fetched");
  assertEquals(
    await said("http://sub.example.com:8080/c.deb", "--user", "alice"),
    "nothing is stored for it: it would be fetched",
    "without users in the policy nobody has a cache of their own",
  );
  assertMatch(
    (await said("http://sub.example.com:8080/c.deb", "--user", "alice", "--users", "users.txt"))!,
    /^fetched again as a whole, for it has neither ETag nor Last-Modified: it says no-cache; /,
  );
  assertEquals(
    await said("http://example.com/a", "--method", "POST"),
    "nothing: POST is not answered from what is stored",
  );
  assertMatch((await said("https://example.com/a"))!, /^nothing: what goes through a tunnel/);
  assertEquals(await said("http://example.com/a", "--deny", "example.com"), undefined);
});

Deno.test("weir why says of a request for another variant which fields it would take", async () => {
  await using folder = new DiskFolder();
  const disk = await folder.open();
  store(disk, { url: "http://example.net/v", vary: [["accept", "text/html"], ["cookie", "a"]] });
  await disk.settled();
  await disk.close();
  const { out } = await weir([
    "why",
    "http://example.net/v",
    "--address",
    "1.1.1.1",
    "--cache-dir",
    folder.path,
  ]);
  assertStringIncludes(out, "is for requests with another accept or cookie: it would be fetched\n");
});

Deno.test("weir why says why it cannot tell, and nothing without a folder", async () => {
  const args = ["why", "http://example.net/", "--address", "1.1.1.1"];
  assertEquals((await weir(args)).out.includes("cache"), false);
  const { code, out } = await weir([...args, "--cache-dir", "/nonexistent/folder"]);
  assertEquals(code, 0);
  assertStringIncludes(out, "  cache     /nonexistent/folder holds no cache");
});

Deno.test("without the permissions for the folder nothing is asked, and the whole line to run is told", async () => {
  const needs = "weir: kept cannot be used: that needs the permission";
  const looks = await runWeir(["cache", "list", "--cache-dir", "kept"]);
  assertEquals(looks.code, 3);
  assertMatch(looks.err, new RegExp(`^${needs} --allow-read\n.*--allow-read=kept .* cache list `));
  const changes = await runWeir(["cache", "clear", "--cache-dir", "kept"], {
    permissions: ["--allow-read=kept"],
  });
  assertEquals(changes.code, 3);
  assertMatch(
    changes.err,
    new RegExp(`^${needs}s --.*\n.*--allow-read=kept --allow-write=kept .* cache clear `),
  );
  // under `deno run` the modules of the disk's worker are read as files are
  const serves = ["--deny", "@README.md", "-l", "127.0.0.1:0", "--cache-dir", "kept"];
  const { code, err } = await runWeir(serves, {
    permissions: ["--allow-read=README.md,kept", "--allow-write=kept"],
  });
  assertEquals(code, 3);
  assertMatch(err, /--allow-read=README\.md,kept,\S+\/src\/cache\/disk --allow-write=kept /);
});

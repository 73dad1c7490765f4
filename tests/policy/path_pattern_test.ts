import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parsePathPattern, pathMatches, pathReadings } from "../../src/policy/path_pattern.ts";
import { PatternError } from "../../src/policy/pattern_error.ts";

/** As allow rules match, and as deny rules do. */
const allows = (pattern: string, path: string) =>
  pathReadings(path).every((reading) => pathMatches(parsePathPattern(pattern), reading));
const denies = (pattern: string, path: string) =>
  pathReadings(path).some((reading) => pathMatches(parsePathPattern(pattern), reading));

Deno.test("a pattern is a whole path, and its stars are any characters", () => {
  const matching: [pattern: string, ...paths: string[]][] = [
    ["*", "/", "/a/b", "", "*"],
    ["/", "/", ""],
    ["/a", "/a"],
    ["/a/*", "/a/", "/a/b", "/a/b/c"],
    ["/a*", "/a", "/ab", "/a/b"],
    ["/*.tgz", "/x.tgz", "/.tgz", "/a/b.tgz.tgz"],
    ["/a/*/b/*", "/a/x/b/", "/a/b/b/b/b", "/a/x/y/b/z"],
    ["/*a*a*", "/aa", "/xaxax"],
    ["/a/**", "/a/", "/a/b/c"],
    ["/.well-known/*", "/.well-known/acme"],
    ["/...", "/..."],
  ];
  for (const [pattern, ...paths] of matching) {
    for (const path of paths) {
      assert(allows(pattern, path), `${pattern} allows ${path}`);
      assert(denies(pattern, path), `${pattern} denies ${path}`);
    }
  }
  const others: [pattern: string, ...paths: string[]][] = [
    ["/", "/a", "*"],
    ["/a", "/A", "/ab", "/a/", "/b/a", "/"],
    ["/a/*", "/a", "/ab", "/b/a/"],
    ["/*.tgz", "/x.tgz/", "/tgz"],
    ["/ab*ba", "/aba", "/ab"],
    ["/*ab*ba", "/aba"],
    ["/*a*a*", "/a", "/b"],
  ];
  for (const [pattern, ...paths] of others) {
    for (const path of paths) assert(!denies(pattern, path), `${pattern} does not match ${path}`);
  }
});

Deno.test("characters may be written as they are or percent-encoded, on both sides", () => {
  const spellings = ["/ü b", "/%c3%bc%20b", "/%C3%BC b"];
  for (const pattern of spellings) {
    for (const path of ["/%c3%bc%20b", "/%C3%BC%20b", "/\xc3\xbc%20b", "/%c3%bc%20%62"]) {
      assert(allows(pattern, path), `${pattern} allows ${path}`);
    }
  }
  assert(allows("/~user/*", "/%7Euser/x"));
  assert(allows("/a|b", "/a%7cb"));
  assert(allows("/%2A", "/*"));
  assert(!denies("/%2A", "/x"));
  assert(allows("/100%25", "/100%25"));
  assert(allows("/100%", "/100%"));
});

Deno.test("a slash that is encoded is one to some servers and none to others", () => {
  assert(allows("/@scope%2F*", "/@scope%2fname"));
  assert(allows("/@scope%2F*", "/@scope/name"));
  assert(!allows("/@scope/*", "/@scope%2fname"));
  assert(denies("/@scope/*", "/@scope%2fname"));
});

Deno.test("a plain path has one reading, itself", () => {
  for (const path of ["/", "/a/b.c", "/a..b/..c/d../...", "/.hidden", "/a:b@c!$&'()*+,=", "/\xfc", "*"]) {
    assertEquals(pathReadings(path), [path]);
  }
  assertEquals(pathReadings(""), ["/"]);
});

/** Spellings that lead some server to `/admin/x`. */
const DISGUISES = [
  "/admin//x",
  "//admin/x",
  "/%61dmin/x",
  "/%2561dmin/x",
  "/admin%2fx",
  "/admin%252fx",
  "/admin\\x",
  "\\admin\\x",
  "/admin%5cx",
  "/./admin/x",
  "/admin/./x",
  "/a/../admin/x",
  "/../admin/x",
  "/a/b/../../admin/x",
  "/a//../admin/x",
  "/a/..//admin/x",
  "/a/%2e%2e/admin/x",
  "/a/.%2E/admin/x",
  "/a/..%2fadmin/x",
  "/a/..%252fadmin/x",
  "/a/%252e%252e/admin/x",
  "/a/%252e%252e%252fadmin%252fx",
  "/a/..\\admin/x",
  "/a\\..\\admin\\x",
  "/a/..%5cadmin/x",
  "/a/..;/admin/x",
  "/a/..;b=c/admin/x",
  "/a/..%3b/admin/x",
  "/admin;/x",
  "/admin;v=1/x",
  "/admin/x;y",
  "/admin/x%00.png",
  "/admin/x%3f.png",
  "/admin/x%23.png",
  "/admin/y/../x",
  "/admin/x/y/..",
];

Deno.test("a rule that denies a path denies what some server takes for it", () => {
  for (const path of DISGUISES) assert(denies("/admin/x*", path), `${path}: ${pathReadings(path)}`);
  for (const path of DISGUISES) assert(denies("/admin/*", path), path);
  // without merging, /a//../admin is /a/admin; with it, /admin
  assert(denies("/a/admin", "/a//../admin"));
  assert(denies("/admin", "/a//../admin"));
  assert(denies("/a/admin", "/a//..//admin"));
  assert(denies("/admin;x", "/a/..;/admin;x"));
});

Deno.test("a rule that allows a path allows nothing that leads out of it for some server", () => {
  for (
    const path of [
      "/public/../admin",
      "/public/%2e%2e/admin",
      "/public/..%2fadmin",
      "/public/..%252fadmin",
      "/public/%252e%252e/admin",
      "/public/..\\admin",
      "/public\\..\\admin",
      "/public/..%5cadmin",
      "/public/..;/admin",
      "/public/..;x/admin",
      "/public/..%3bx/admin",
      "/public/a//../../../admin",
      "/public//../admin",
      "/public/a\\../../../admin",
      "/public%2f..%2fadmin",
      "/public/..",
      "/public/%2e%2e",
    ]
  ) assert(!allows("/public/*", path), `${path}: ${pathReadings(path)}`);
  for (
    const path of ["/public/a%20b", "/public/a//b", "/public/a/../b", "/public/a;b", "/public/https://a"]
  ) {
    assert(allows("/public/*", path), path);
  }
});

Deno.test("what is no path, or never one that is seen, is refused with what to write", () => {
  const refused: [text: string, message: string][] = [
    ["", 'write "/", or * for every path'],
    ["api/*", 'write "/api/*"'],
    ["*.js", 'write "/*.js"'],
    ["https://example.com/x?y", 'write "/x", and the host into hosts'],
    ["https://example.com", 'write "/", and the host into hosts'],
    ["/a?b=*", 'write "/a" (%3F for the character itself)'],
    ["/a#b", 'write "/a" (%23 for the character itself)'],
    ["/a/../b", "write the path that is meant"],
    ["/a/%2e%2e/b", "write the path that is meant"],
    ["/a\\..\\b", "write the path that is meant"],
    ["/./a", "write the path that is meant"],
    ["/a\nb", "control character"],
    ["/" + "a".repeat(4096), "longer than 4096 characters"],
  ];
  for (const [text, message] of refused) {
    assertThrows(() => parsePathPattern(text), PatternError, message, text);
  }
});

const piece = fc.string({ unit: fc.constantFrom(..."ab*"), maxLength: 8 });

Deno.test("stars match as a naive matcher says", () => {
  const naive = (pattern: string, path: string): boolean => {
    if (pattern === "") return path === "";
    if (pattern[0] !== "*") return pattern[0] === path[0] && naive(pattern.slice(1), path.slice(1));
    for (let i = 0; i <= path.length; i++) if (naive(pattern.slice(1), path.slice(i))) return true;
    return false;
  };
  fc.assert(
    fc.property(piece, fc.string({ unit: fc.constantFrom(..."ab"), maxLength: 8 }), (written, path) => {
      const pattern = parsePathPattern(`/${written}`);
      const reading = `/${path}`;
      assertEquals(pathMatches(pattern, reading), naive(pattern.text, reading));
    }),
    { numRuns: 2000 },
  );
});

const odd = fc.array(
  fc.constantFrom(
    "/",
    ".",
    "..",
    "a",
    "b",
    ";",
    "\\",
    "%2f",
    "%2E",
    "%25",
    "2e",
    "%5c",
    "%3B",
    "%",
    "%00",
    "\xfc",
  ),
  { maxLength: 14 },
).map((parts) => `/${parts.join("")}`);

Deno.test("encoding characters that delimit nothing changes no reading", () => {
  fc.assert(fc.property(odd, fc.infiniteStream(fc.boolean()), (path, coins) => {
    const encoded = path.replace(/%[0-9a-f]{2}|[ab.\xfc]/gi, (part) => {
      if (part.length > 1 || coins.next().value) return part;
      return `%${part.charCodeAt(0).toString(16).padStart(2, "0")}`;
    });
    assert(pathReadings(path).every((reading) => pathReadings(encoded).includes(reading)), encoded);
  }));
});

Deno.test("the readings of any path are few, different, and hold what is left without dots", () => {
  fc.assert(
    fc.property(odd, (path) => {
      const readings = pathReadings(path);
      assert(readings.length >= 1 && readings.length <= 90, `${readings.length}`);
      assertEquals(new Set(readings).size, readings.length);
      assert(
        readings.some((reading) => !/(?:^|\/)\.{1,2}(?:\/|$)|\/\/|\\|;/.test(reading)),
        readings.join(" "),
      );
      // a path that matches itself as a pattern is allowed by it
      if (!readings.some((reading) => /[\0\\]|\/\.{1,2}(?:\/|$)/.test(reading))) {
        assert(allows(path.replaceAll("\xfc", "%FC"), path), path);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a path of many odd parts is read in linear time, and many stars do not multiply", () => {
  const path = "/%252e%252e%252f;\\..//..;a%2f%3b.".repeat(2000);
  assert(pathReadings(path).length <= 90);
  const pattern = parsePathPattern(`/${"a*".repeat(2000)}b`);
  assertEquals(pathMatches(pattern, `/${"a".repeat(60_000)}`), false);
});

Deno.test("what a path may mean is worked out once, however often a request is judged", () => {
  const path = "/a" + "/..%2f%5c;%25..".repeat(1000);
  const readings = pathReadings(path);
  assertStrictEquals(pathReadings(path), readings);
  assertEquals(pathReadings("/a/%2e%2e/b"), ["/a/../b", "/b"]);
  assertEquals(pathReadings(path), readings);
});

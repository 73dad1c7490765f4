import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  parsePathPattern,
  pathMatches,
  pathReadings,
  pathsAllow,
  pathsDeny,
} from "../../src/policy/path_pattern.ts";
import { pathOddity } from "../../src/policy/path_readings.ts";
import { PatternError } from "../../src/policy/pattern_error.ts";

/** As allow rules match, and as deny rules do. */
const allows = (pattern: string, path: string, encodedSlashes = false) => {
  const [patterns, readings] = [[parsePathPattern(pattern)], pathReadings(path, encodedSlashes)];
  assertEquals(
    pathsAllow(patterns, readings),
    readings.every((reading) => pathMatches(patterns[0], reading)),
  );
  return pathsAllow(patterns, readings);
};
const denies = (pattern: string, path: string, encodedSlashes = false) =>
  pathsDeny([parsePathPattern(pattern)], pathReadings(path, encodedSlashes));

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
  ];
  for (const [pattern, ...paths] of matching) {
    for (const path of paths) {
      assert(allows(pattern, path), `${pattern} allows ${path}`);
      assert(denies(pattern, path), `${pattern} denies ${path}`);
    }
  }
  const others: [pattern: string, ...paths: string[]][] = [
    ["/", "/a", "*"],
    ["/a", "/ab", "/a/", "/b/a", "/"],
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
    for (const path of ["/%c3%bc%20b", "/%C3%BC%20b", "/\xc3\xbc%20b", "/%c3%bC%20%62"]) {
      assert(allows(pattern, path), `${pattern} allows ${path}`);
    }
  }
  assert(allows("/~user/*", "/%7Euser/x"));
  assert(allows("/a|b", "/a%7cb"));
  assert(allows("/%2A", "/*"));
  assert(!denies("/%2A", "/x"));
});

Deno.test("a rule that denies takes letters of any case, and one that allows takes them as they are", () => {
  for (const path of ["/admin", "/Admin", "/ADMIN", "/%41dmin"]) assert(denies("/aDmin", path), path);
  assert(denies("/caf%C3%A9*", "/CAF%C3%A9/x"));
  assert(allows("/Admin", "/Admin") && !allows("/Admin", "/admin") && !allows("/admin", "/Admin"));
});

Deno.test("a slash that is encoded is one to some servers and none to others", () => {
  for (const pattern of ["/@scope%2F*", "/@scope/*"]) {
    assert(!allows(pattern, "/@scope%2fname"));
    assert(allows(pattern, "/@scope/name"));
    assert(denies(pattern, "/@scope%2fname"));
    // where the rule says so, it is one
    assert(allows(pattern, "/@scope%2fname", true) && allows(pattern, "/@scope%2Fname", true));
    assert(denies(pattern, "/@scope%2fname", true));
  }
  assert(denies("/admin", "/@scope%2fname") && !denies("/admin", "/@scope%2fname", true));
  for (
    const path of [
      "/@scope%2f..%2fadmin",
      "/@scope%2f%2fname",
      "/@scope%2f.",
      "/@scope%252fname",
      "/@scope%5cname",
      "/@scope;x%2fname",
    ]
  ) {
    assert(!allows("/@scope/*", path, true) && denies("/other", path, true), path);
  }
});

Deno.test("a plain path has one reading, itself", () => {
  for (const path of ["/", "/a/b.c", "/a..b/..c/d", "/.hidden", "/a:b@c!$&'()*+,=~::x", "*"]) {
    assertEquals(pathReadings(path), [path]);
  }
  assertEquals(pathReadings(""), ["/"]);
});

/** What servers may take for different paths, and what is said of each. */
const AMBIGUOUS: [oddity: string, ...paths: string[]][] = [
  ["an encoded slash", "/a%2fb", "/a%2Fb"],
  ["an encoded backslash", "/a%5cb", "/a%5C"],
  ["an encoded percent sign", "/100%25", "/a%252fb", "/%2561dmin", "/%25252e"],
  ["an encoded semicolon", "/a%3bb", "/..%3B/a"],
  ["an encoded dot", "/%2e%2e/a", "/a%2Ejs", "/.%2e/a"],
  ["an encoded control character", "/a%00", "/a%0d%0ab", "/a%09b", "/a%7f"],
  ["a percent sign that encodes nothing", "/100%", "/%u002f", "/%2", "/%%32%65", "/%zz"],
  ["a backslash", "/a\\b", "\\admin"],
  ["an empty segment", "/a//b", "//a", "/a//", "//"],
  [
    "a segment of dots",
    "/a/../b",
    "/a/./b",
    "/..",
    "/a/...",
    "/a/..;x",
    "/a/.;",
    "/a/..%20/b",
    "/a/%20/b",
    "/..%3fx",
  ],
  ["parameters (;) before the last segment", "/a;x/b", "/a;/b;"],
  ["a stream of a file", "/a.php::$DATA", "/a:$I30:$INDEX_ALLOCATION/b"],
  ["bytes that are not UTF-8", "/%c0%ae%c0%ae/a", "/%e0%80%af", "/%f0%80%80%af", "/%ff", "/\xfc", "/%c3"],
  ["a look-alike", "/a%ef%bc%8fb", "/%e2%80%a4%e2%80%a4/a", "/a%ef%bc%bcb", "/%e2%80%a5/a"],
];

Deno.test("a path that servers may take for different ones is allowed by no path and denied by every one", () => {
  for (const [oddity, ...paths] of AMBIGUOUS) {
    for (const path of paths) {
      assert(pathOddity(path).startsWith(oddity), `${path}: ${pathOddity(path)}`);
      for (const pattern of ["/a*", "/other", path.startsWith("/") ? "/*x*" : "/x"]) {
        assert(!allows(pattern, path), `${pattern} allows ${path}`);
        assert(denies(pattern, path), `${pattern} denies ${path}`);
      }
      // where every path is meant there is none besides
      for (const all of ["*", "/*", "/**"]) assert(allows(all, path) && denies(all, path), path);
    }
  }
  for (const path of ["/", "/a", "/a%20b", "/wiki/C%23", "/a;x", "/a%c3%bc"]) {
    assertEquals(pathOddity(path), "");
  }
});

Deno.test("what has two meanings that can be told has both", () => {
  assertEquals(pathReadings("/a;x=1"), ["/a;x=1", "/a"]);
  assertEquals(pathReadings("/wiki/C%23"), ["/wiki/C#", "/wiki/C"]);
  assertEquals(pathReadings("/wiki/Inc."), ["/wiki/Inc.", "/wiki/Inc"]);
  assertEquals(pathReadings("/a%20/b"), ["/a /b", "/a/b"]);
  assert(denies("/admin", "/admin;x") && denies("/admin", "/admin%3f.png") && denies("/admin", "/admin.%20"));
  assert(allows("/wiki/*", "/wiki/Who%3F") && allows("/wiki/C%23", "/wiki/C%23"));
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
    const path of ["/public/a%20b", "/public/a;b", "/public/%c3%bc", "/public/a%3fb", "/public/a."]
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
    const encoded = path.replace(/%[0-9a-f]{2}|[ab\xfc]/gi, (part) => {
      if (part.length > 1 || coins.next().value) return part;
      return `%${part.charCodeAt(0).toString(16).padStart(2, "0")}`;
    });
    assert(pathReadings(path).every((reading) => pathReadings(encoded).includes(reading)), encoded);
  }));
});

Deno.test("the readings of any path are few, different, and whole paths", () => {
  fc.assert(
    fc.property(odd, fc.boolean(), (path, encodedSlashes) => {
      const readings = pathReadings(path, encodedSlashes);
      assert(readings.length >= 1 && readings.length <= 8, `${readings.length}`);
      assertEquals(new Set(readings).size, readings.length);
      if (pathOddity(path, encodedSlashes) !== "") return;
      for (const reading of readings) {
        assert(reading.startsWith("/") && !/\/\.{1,2}(?:\/|$)|\/\/|\\|;[^/]*\/|\0/.test(reading), reading);
      }
      // a path that matches itself as a pattern is allowed by it
      if (!path.includes("#") && !path.includes("?")) assert(allows(path, path, encodedSlashes), path);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a path of many odd parts is read in linear time, and many stars do not multiply", () => {
  const path = "/%252e%252e%252f;\\..//..;a%2f%3b.".repeat(2000);
  assert(pathReadings(path).length <= 8);
  const dots = `/a${" .".repeat(30_000)}x/b${"%20".repeat(20_000)}`;
  assertEquals(pathReadings(dots).length, 2);
  const pattern = parsePathPattern(`/${"a*".repeat(2000)}b`);
  assertEquals(pathMatches(pattern, `/${"a".repeat(60_000)}`), false);
});

Deno.test("what a path may mean is worked out once, however often a request is judged", () => {
  const path = "/a" + "/b%20c".repeat(1000) + ";d";
  const readings = pathReadings(path);
  assertStrictEquals(pathReadings(path), readings);
  assertEquals(pathReadings("/a%20b"), ["/a b"]);
  assertEquals(pathReadings(path), readings);
  assertEquals(pathReadings("/a%2fb", true), ["/a/b"]);
  assertEquals(pathReadings("/a%2fb").length, 2);
});

/**
 * Models of how servers read a path, alone and two behind each other: none may come to a path that an allow rule does not
 * name by one that it lets through, or to a path that a deny rule names by one that it does not stop.
 */

import { assert, assertEquals } from "@std/assert";
import { parsePathPattern, pathReadings, pathsAllow, pathsDeny } from "../../src/policy/path_pattern.ts";
import { Random } from "../fuzz/random.ts";

/** What a server makes of a path; `null` where it refuses it. */
type Model = (path: string) => string | null;

const decoded = (path: string) =>
  path.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
const merged = (path: string) => path.replace(/\/{2,}/g, "/");
const bare = (path: string) => path.replace(/;[^/]*/g, "");
const escaped = (path: string) =>
  path.replace(/[\0-\x20#%?\x7f-\xff]/g, (each) => `%${each.charCodeAt(0).toString(16).padStart(2, "0")}`);

function resolved(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  segments.forEach((segment, index) => {
    if (segment === "..") kept.pop();
    if (segment !== "." && segment !== "..") kept.push(segment);
    else if (index === segments.length - 1) kept.push("");
  });
  return `/${kept.join("/")}`;
}

/** As the URLs of the web platform are read, by Node among others. */
function url(path: string): string | null {
  return URL.canParse(`http://h${path}`) ? new URL(`http://h${path}`).pathname : null;
}

/** As decoders have it that take overlong forms for what they would mean. */
const lenient = (path: string) =>
  decoded(path).replace(
    /[\xc0\xc1]([\x80-\xbf])/g,
    (all, low) => String.fromCharCode((all.charCodeAt(0) & 1) << 6 | low.charCodeAt(0) & 0x3f),
  );

const MODELS: Record<string, Model> = {
  none: (path) => path,
  nginx: (path) => decoded(path).includes("\0") ? null : resolved(merged(decoded(path))),
  "nginx that passes it on": (path) => escaped(resolved(merged(decoded(path)))),
  url,
  "url, decoded": (path) => decoded(url(path) ?? "") || null,
  "resolved, then decoded": (path) => decoded(resolved(path)),
  "decoded, then resolved": (path) => resolved(decoded(path)),
  "decoded twice": (path) => resolved(decoded(decoded(path))),
  tomcat: (path) => /%2f|%5c|\\|%00/i.test(path) ? null : resolved(merged(decoded(bare(path)))),
  jetty: (path) => resolved(decoded(bare(path))),
  "parameters behind decoding": (path) => resolved(bare(decoded(path))),
  "the last parameters": (path) => resolved(decoded(path).replace(/;[^/]*$/, "")),
  "cut at parameters": (path) => resolved(decoded(path)).replace(/;.*/s, "") || "/",
  backslashes: (path) => resolved(decoded(path).replaceAll("\\", "/")),
  windows: (path) =>
    resolved(decoded(path).replaceAll("\\", "/")).replace(/:+\$[^/]*/g, "").replace(/[. ]+(?=\/|$)/g, "")
      .toLowerCase() ||
    "/",
  "%u of IIS": (path) =>
    resolved(
      decoded(path.replace(/%u([0-9a-f]{4})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16) & 0xff))),
    ),
  "overlong forms": (path) => resolved(lenient(path)),
  "up to NUL": (path) => resolved(decoded(path).replace(/\0.*/s, "")) || "/",
  "up to ? and #": (path) => resolved(decoded(path).replace(/[?#].*/s, "")) || "/",
  "without control characters": (path) =>
    // deno-lint-ignore no-control-regex
    resolved(decoded(path).replace(/[\0-\x1f\x7f]/g, "")),
};

const PIECES = [
  ..."/ / / .. . a b secret admin ADMIN \\ ; ;x %2f %2F %2e %2e%2e %5c %3b %20 %252f %252e %252e%252e %255c %253b"
    .split(" "),
  ..."%25 %00 %09 %0a %23 %3f // /../ ..; ..;x %61dmin %2561dmin %2573ecret %25252e %c0%ae %c0%af %u002f %u002e"
    .split(" "),
  ...":: ::$DATA :$i30 . %ff ...".split(" "),
];

Deno.test("no server, and no two of them in a row, come to another path than the rules have judged", () => {
  const random = new Random(11);
  const allow = [parsePathPattern("/public/*")];
  const deny = [parsePathPattern("/admin*")];
  const models = Object.entries(MODELS);
  let allowed = 0;
  let passed = 0;
  const check = (path: string, wrong: (reached: string) => boolean) => {
    for (const [first, read] of models) {
      const once = read(path);
      if (once === null || !once.startsWith("/")) continue;
      for (const [second, again] of models) {
        const reached = again(once);
        if (reached === null || !reached.startsWith("/")) continue;
        assert(!wrong(reached), `${path} is ${reached} by ${first} and ${second}`);
      }
    }
  };
  for (let run = 0; run < 20_000; run++) {
    const tail = random.several(7, () => random.pick(PIECES)).join("");
    // whatever is allowed below /public/ stays there, if it is not the folder itself
    if (pathsAllow(allow, pathReadings(`/public/${tail}`))) {
      allowed++;
      check(`/public/${tail}`, (reached) => !reached.startsWith("/public"));
    }
    if (!pathsDeny(deny, pathReadings(`/${tail}`))) {
      passed++;
      check(`/${tail}`, (reached) => /^\/admin/i.test(reached));
    }
  }
  assert(allowed > 300 && passed > 300, `${allowed} allowed, ${passed} not denied`);
});

Deno.test("the models are led astray by what is refused: they are worth asking", () => {
  const astray = new Set<string>();
  for (
    const path of [
      "/public/..%2fadmin",
      "/public/..;/admin",
      "/public/%252e%252e/admin",
      "/public\\..\\admin",
      "/adm%09in",
      "/%c0%ae./admin",
      "/admin::$DATA",
      "/%u002fadmin/",
    ]
  ) {
    assertEquals(pathsAllow([parsePathPattern("/public/*")], pathReadings(path)), false, path);
    for (const [name, read] of Object.entries(MODELS)) {
      if (/^\/+admin/.test(read(path) ?? "")) astray.add(name);
    }
  }
  assert(astray.size >= 8, [...astray].join(", "));
});

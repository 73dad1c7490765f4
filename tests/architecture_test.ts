/** Who may know whom: the arrows between the rooms of `src/`, read from the sources themselves. */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../src/", import.meta.url);

interface Room {
  /** Rooms of which anything may be imported. */
  uses: readonly string[];
  /** Rooms of which types alone may be imported: nothing of them runs here. */
  types: readonly string[];
  /** The room has no hands: no sockets, no clock, no system. */
  pure?: true;
}

/** A new room says here whom it knows. */
const ROOMS: Readonly<Record<string, Room>> = {
  http: { uses: [], types: [], pure: true },
  net: { uses: ["http"], types: [] },
  policy: { uses: ["http"], types: [], pure: true },
  files: { uses: [], types: [] },
  cache: { uses: ["http", "files"], types: [], pure: true },
  programs: { uses: [], types: [], pure: true },
  proxy: { uses: ["http", "net", "policy", "cache", "programs"], types: [] },
  relay: { uses: ["http", "net", "policy"], types: [] },
  observe: { uses: ["http"], types: ["proxy", "relay"] },
  config: { uses: ["http", "policy"], types: ["net", "proxy", "cache", "observe"] },
  passwords: { uses: [], types: [] },
  get: { uses: ["http", "net", "cache", "observe"], types: [], pure: true },
  review: { uses: ["http", "policy", "config"], types: [], pure: true },
  cli: {
    uses: [
      ...["config", "http", "net", "observe", "passwords", "policy", "programs", "proxy", "relay", "cache"],
      ...["review", "get", "files"],
    ],
    types: [],
  },
};

/** Files of pure rooms that do have hands: what is kept on the disk has to get there, and what is got to come. */
const WITH_HANDS = /^cache\/(?:disk_store\.ts$|disk\/)|^get\/(?:connecting|deadline|exchange)\.ts$/;

/** What a room without hands does not touch. */
const HANDS = /\b(?:Deno\.|performance\.|Date\.now|new Date\(\)|setTimeout|setInterval|process\.|fetch\()/;

interface Import {
  file: string;
  from: string;
  typeOnly: boolean;
}

async function* filesBelow(folder: URL, prefix = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(new URL(`${name}/`, folder), `${prefix}${name}/`);
    else if (name.endsWith(".ts")) yield `${prefix}${name}`;
  }
}

/** The source without the lines of its comments. */
function withoutComments(source: string): string {
  return source.replace(/^[ \t]*(?:\/\*\*?|\*|\/\/).*$/gm, "");
}

const STATEMENT =
  /^(?:import|export)\s+(type\s+)?([^;"']*?)\s*from\s*["']([^"']+)["']|^import\s+["']([^"']+)["']/gm;
const DYNAMIC = /\bimport\(\s*(["'`])([^"'`]*)\1|\bimport\(\s*([^"'`\s])/g;

function importsOf(file: string, source: string): Import[] {
  const imports: Import[] = [];
  for (const [, type, names, from, bare] of source.matchAll(STATEMENT)) {
    const each = /^\{([^}]*)\}$/.exec(names ?? "")?.[1].split(",").map((name) => name.trim()).filter(Boolean);
    const typeOnly = type !== undefined || (each?.every((name) => name.startsWith("type ")) ?? false);
    imports.push({ file, from: from ?? bare, typeOnly });
  }
  for (const [, , from, computed] of source.matchAll(DYNAMIC)) {
    assertEquals(computed, undefined, `${file}: an import that is computed cannot be judged`);
    imports.push({ file, from, typeOnly: false });
  }
  return imports;
}

const sources = new Map<string, string>();
for await (const file of filesBelow(ROOT)) {
  sources.set(file, withoutComments(await Deno.readTextFile(new URL(file, ROOT))));
}
const imports = [...sources].flatMap(([file, source]) => importsOf(file, source));

const roomOf = (file: string) => file.slice(0, file.indexOf("/"));

/** The file below `src/` that an import leads to; `null` for packages and for files outside. */
function fileOf({ file, from }: Import): string | null {
  if (!from.startsWith(".")) return null;
  const { href } = new URL(from, new URL(file, ROOT));
  return href.startsWith(ROOT.href) ? href.slice(ROOT.href.length) : null;
}

Deno.test("the sources were read as they are", () => {
  assert(sources.size > 50, `${sources.size} files`);
  const found = importsOf(
    "x/y.ts",
    `import { a } from "./a.ts";\nimport type { B } from "./b.ts";\nimport { type C, type D } from "./c.ts";\n` +
      `import {\n  e,\n  type F,\n} from "../e.ts";\nexport { g } from "./g.ts";\nimport "./h.ts";\n` +
      `import * as i from "./i.ts";\nconst j = await import("./j.ts");\nexport * from './k.ts'\n` +
      `import l, { type M } from "./l.ts"`,
  );
  assertEquals(
    found.map(({ from, typeOnly }) => from + (typeOnly ? " (types)" : "")).sort(),
    [
      "../e.ts",
      "./a.ts",
      "./b.ts (types)",
      "./c.ts (types)",
      "./g.ts",
      "./h.ts",
      "./i.ts",
      "./j.ts",
      "./k.ts",
      "./l.ts",
    ],
  );
});

Deno.test("every file stands in a room of which it is known whom it may know", () => {
  for (const file of sources.keys()) {
    assert(roomOf(file) in ROOMS, `src/${file}: say in ROOMS whom it may know`);
  }
});

Deno.test("no room imports from a room that it may not know", () => {
  const wrong: string[] = [];
  for (const each of imports) {
    const target = fileOf(each);
    if (target === null) continue;
    const [room, other] = [roomOf(each.file), roomOf(target)];
    if (room === other) continue;
    const { uses, types } = ROOMS[room];
    if (uses.includes(other) || (each.typeOnly && types.includes(other))) continue;
    const how = types.includes(other) ? ", of which it may know the types alone" : "";
    wrong.push(`src/${each.file} imports ${each.from}${how}`);
  }
  assertEquals(wrong, []);
});

Deno.test("relative imports lead to files that exist, and stay within src but for the manifest", () => {
  const wrong: string[] = [];
  for (const each of imports) {
    if (!each.from.startsWith(".")) continue;
    const target = fileOf(each);
    if (target === null ? each.from !== "../../deno.json" : !sources.has(target)) {
      wrong.push(`src/${each.file} imports ${each.from}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("the rooms make no circle", () => {
  const arrows = new Map(Object.entries(ROOMS).map(([room, { uses, types }]) => [room, [...uses, ...types]]));
  assertEquals(circleIn(arrows), null);
});

Deno.test("no two files need each other to run", () => {
  const arrows = new Map<string, string[]>([...sources.keys()].map((file) => [file, []]));
  for (const each of imports) {
    const target = fileOf(each);
    if (target !== null && !each.typeOnly) arrows.get(each.file)!.push(target);
  }
  assertEquals(circleIn(arrows), null);
});

Deno.test("the pure rooms touch neither sockets nor clocks nor the system", () => {
  const wrong: string[] = [];
  for (const [file, source] of sources) {
    if (!ROOMS[roomOf(file)]?.pure || WITH_HANDS.test(file)) continue;
    source.split("\n").forEach((line, index) => {
      if (HANDS.test(line)) wrong.push(`src/${file}:${index + 1}: ${line.trim()}`);
    });
  }
  for (const { file, from } of imports) {
    if (!ROOMS[roomOf(file)]?.pure || WITH_HANDS.test(file)) continue;
    if (!from.startsWith(".")) wrong.push(`src/${file} imports ${from}`);
  }
  assertEquals(wrong, []);
});

Deno.test("one file decides which connections may be used again", () => {
  const parking = [...sources].filter(([, source]) => /\bpool\b[^\n]*\.park\(/.test(source));
  assertEquals(parking.map(([file]) => file), ["proxy/kept.ts"]);
});

Deno.test("no file only hands on what others export", () => {
  const barrels = [...sources].filter(([, source]) => {
    const statements = source.replace(STATEMENT, "").replace(/[;\s]/g, "");
    return statements === "" && /^export/m.test(source);
  });
  assertEquals(barrels.map(([file]) => file), []);
  assertEquals(
    [...sources.keys()].filter((file) => /(?:^|\/)(?:mod|index|utils?|helpers?)\.ts$/.test(file)),
    [],
  );
});

/** A way along the arrows that comes back to where it began; `null` when there is none. */
function circleIn(arrows: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (place: string): string[] | null => {
    if (way.includes(place)) return [...way.slice(way.indexOf(place)), place];
    if (done.has(place)) return null;
    done.add(place);
    way.push(place);
    for (const next of arrows.get(place) ?? []) {
      const circle = visit(next);
      if (circle !== null) return circle;
    }
    way.pop();
    return null;
  };
  for (const place of arrows.keys()) {
    const circle = visit(place);
    if (circle !== null) return circle;
  }
  return null;
}

Deno.test("a circle would be found", () => {
  assertEquals(circleIn(new Map([["a", ["b", "d"]], ["b", ["c"]], ["c", ["b"]], ["d", []]])), [
    "b",
    "c",
    "b",
  ]);
  assertEquals(circleIn(new Map([["a", ["b", "c"]], ["b", ["c"]], ["c", []]])), null);
});

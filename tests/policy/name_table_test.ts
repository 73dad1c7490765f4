import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { BELOW, ITSELF, NameTable, type NameTableLimits } from "../../src/policy/name_table.ts";

const LIMITS: NameTableLimits = { maxNames: 1_000_000, maxBytes: 64 << 20 };
const encoder = new TextEncoder();

function add(table: NameTable, name: string, flags: number): boolean {
  const bytes = encoder.encode(`<${name}>`);
  return table.add(bytes, 1, bytes.length - 1, flags);
}

Deno.test("a name means itself, what is below it, or both", () => {
  const table = new NameTable(LIMITS);
  add(table, "itself.example", ITSELF);
  add(table, "below.example", BELOW);
  add(table, "both.example", ITSELF | BELOW);
  assertEquals(table.size, 3);
  const included = [
    "itself",
    "a.itself",
    "below",
    "a.below",
    "a.b.below",
    "both",
    "a.both",
    "xboth",
    "bot",
    "",
  ]
    .filter((name) => table.includes(`${name}.example`));
  assertEquals(included, ["itself", "a.below", "a.b.below", "both", "a.both"]);
  for (const name of ["", ".", "example", "com", "below.example.com", "10.0.0.1", "::1"]) {
    assert(!table.includes(name), name);
  }
});

Deno.test("what the same name was added for is united, and counts once", () => {
  const table = new NameTable(LIMITS);
  for (const flags of [ITSELF, ITSELF, BELOW, BELOW]) assert(add(table, "example.com", flags));
  assertEquals(table.size, 1);
  assert(table.includes("example.com") && table.includes("a.example.com"));
});

Deno.test("an empty table includes nothing", () => {
  assert(!new NameTable(LIMITS).includes("example.com"));
});

Deno.test("no character beyond ASCII is taken for a letter, and no name is too long to be asked for", () => {
  const table = new NameTable(LIMITS, new Int32Array(256));
  add(table, "a.example", ITSELF | BELOW);
  // U+0161 ends in the byte of an a, U+012E in that of a dot
  assert(!table.includes("\u0161.example"));
  assert(!table.includes("b\u012ea.example"));
  assert(!table.includes(`${"x.".repeat(200)}a.example`));
  assert(!table.includes("A.example"));
});

Deno.test("the longest names are held, and names that differ in one place are different", () => {
  const table = new NameTable(LIMITS);
  const longest = `${"a".repeat(63)}.`.repeat(3) + "b".repeat(61);
  assertEquals(longest.length, 253);
  add(table, longest, ITSELF);
  assert(table.includes(longest));
  for (let i = 0; i < longest.length; i++) {
    assert(!table.includes(`${longest.slice(0, i)}c${longest.slice(i + 1)}`), `${i}`);
  }
  assert(!table.includes(longest.slice(1)));
});

const name = fc.array(fc.constantFrom("a", "b", "ab", "com", "x-1"), { minLength: 1, maxLength: 5 })
  .map((labels) => labels.join("."));
const entries = fc.array(fc.tuple(name, fc.constantFrom(ITSELF, BELOW, ITSELF | BELOW)), { maxLength: 300 });

function includesNaively(entries: readonly [string, number][], host: string): boolean {
  return entries.some(([name, flags]) =>
    (flags & ITSELF) !== 0 && host === name || (flags & BELOW) !== 0 && host.endsWith(`.${name}`)
  );
}

for (
  const [keys, what] of [
    [undefined, "random keys"],
    [new Int32Array(256), "keys with which all names fall together"],
    [new Int32Array(256).fill(1), "keys with which many names fall together"],
  ] as const
) {
  Deno.test(`a table says what a naive one says, with ${what}`, () => {
    fc.assert(
      fc.property(entries, fc.array(name, { maxLength: 20 }), (entries, asked) => {
        const table = new NameTable(LIMITS, keys);
        for (const [name, flags] of entries) assert(add(table, name, flags));
        assertEquals(table.size, new Set(entries.map(([name]) => name)).size);
        for (const host of [...asked, ...entries.map(([name]) => `q.${name}`)]) {
          assertEquals(table.includes(host), includesNaively(entries, host), host);
        }
      }),
      { numRuns: 100 },
    );
  });
}

Deno.test("names over several pages are all found, before and after trimming", () => {
  const table = new NameTable(LIMITS);
  const nameOf = (number: number) => `${"label".repeat(11)}${number}.${"x".repeat(number % 50)}y.example`;
  const COUNT = 40_000;
  for (let number = 0; number < COUNT; number++) assert(add(table, nameOf(number), ITSELF));
  assertEquals(table.size, COUNT);
  const missing = () => {
    let missing = 0;
    for (let number = 0; number < COUNT; number++) if (!table.includes(nameOf(number))) missing++;
    return missing;
  };
  assertEquals(missing(), 0);
  table.trim();
  assertEquals(missing(), 0);
  // and it may grow on
  for (let number = COUNT; number < 2 * COUNT; number++) assert(add(table, nameOf(number), ITSELF));
  assertEquals(missing(), 0);
  assert(!table.includes(nameOf(2 * COUNT)));
});

Deno.test("a full table takes no name more, and keeps what it has", () => {
  const byCount = new NameTable({ maxNames: 2, maxBytes: 64 << 20 });
  assertEquals(["a", "b", "c"].map((name) => add(byCount, name, ITSELF)), [true, true, false]);
  assert(add(byCount, "a", BELOW), "a name that is there may still mean more");
  assert(byCount.includes("x.a") && byCount.includes("b") && !byCount.includes("c"));

  const byBytes = new NameTable({ maxNames: 1_000_000, maxBytes: 1 << 20 });
  let taken = 0;
  while (add(byBytes, `${taken}.${"x".repeat(60)}.${"y".repeat(60)}`, ITSELF)) taken++;
  assert(taken > 8000 && taken * 125 < 1 << 20, `${taken}`);
  assertEquals(byBytes.size, taken);
});

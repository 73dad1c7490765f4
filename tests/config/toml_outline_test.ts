import { parse } from "@std/toml";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Outline, TomlError } from "../../src/config/toml_outline.ts";

/** The line and the message of what is wrong with a document. */
function wrong(text: string): string {
  const error = assertThrows(() => new Outline(text), TomlError);
  return `${error.line}: ${error.message}`;
}

Deno.test("every key, table and item of a list has its line", () => {
  const outline = new Outline(`# a comment
top = 1

[section]
a.b = "one"   # dotted
'quoted key' = '''
two
lines'''
"list" = [ # a comment
  1,

  [2, 3],
]
inline = { x = 1, y = { z = true } }
[[tables]]
k = 1
[[tables]]
k = 2
[tables.below]
m = 1
`);
  assertEquals(outline.lineOf(["top"]), 2);
  assertEquals(outline.lineOf(["section"]), 4);
  assertEquals(outline.lineOf(["section", "a"]), 5);
  assertEquals(outline.lineOf(["section", "a", "b"]), 5);
  assertEquals(outline.lineOf(["section", "quoted key"]), 6);
  assertEquals(outline.lineOf(["section", "list"]), 9);
  assertEquals(outline.lineOf(["section", "list", 0]), 10);
  assertEquals(outline.lineOf(["section", "list", 1]), 12);
  assertEquals(outline.lineOf(["section", "inline", "y", "z"]), 14);
  assertEquals(outline.lineOf(["tables", 0, "k"]), 16);
  assertEquals(outline.lineOf(["tables", 1, "k"]), 18);
  assertEquals(outline.lineOf(["tables", 1, "below", "m"]), 20);
});

Deno.test("what has no line of its own has that of what is around it", () => {
  const outline = new Outline("\n\n[section]\n");
  assertEquals(outline.lineOf(["section", "absent", 7]), 3);
  assertEquals(outline.lineOf(["absent"]), 1);
});

Deno.test("lines may end in CRLF, and the last one without an end", () => {
  const outline = new Outline('a = """\r\nx\r\n"""\r\n\r\n# c\r\nb = 2');
  assertEquals([outline.lineOf(["a"]), outline.lineOf(["b"])], [1, 6]);
});

Deno.test("a key is given once, and a table is begun once", () => {
  assertEquals(wrong("a = 1\n\na = 2"), "3: a is there twice, first on line 1");
  assertEquals(wrong("[t]\n[u]\n[t]"), "3: t is there twice, first on line 1");
  assertEquals(wrong("[t]\nk = 1\n[[t]]"), "3: t is there twice, first on line 1");
  assertEquals(wrong("t = {k = 1, k = 2}"), "1: t.k is there twice, first on line 1");
  assertEquals(wrong("a = 1\na.b = 2"), "2: a is no table: it has a value on line 1");
  assertEquals(wrong("t = {}\nt.k = 1"), "2: t is no table: it has a value on line 1");
  assertEquals(wrong("[t.u]\n[t]"), "2: [t] has to come before line 1, which is a part of it");
});

Deno.test("a line holds one key", () => {
  assertEquals(wrong("a = 1 b = 2"), "1: b is where the line should end");
  assertEquals(wrong("[t] a = 1"), "1: a is where the line should end");
});

Deno.test("a value without quotes that is no number says how to write it", () => {
  assertEquals(
    wrong("\ngrace = 10s"),
    '2: 10s is no value: texts, sizes and times are written in quotes, "10s"',
  );
  for (const value of ["nan", "inf", "2020-01-01", "07:32:00", "01", "1__0", ".5", "True", "0x"]) {
    assert(wrong(`a = ${value}`).includes("is no value"), value);
  }
});

Deno.test("what is not closed is told with the line on which it begins or ends", () => {
  assertEquals(wrong('a = "x\nb = 1'), '1: a string is not closed with "');
  assertEquals(wrong('\na = """x\n\n'), '2: a string is not closed with """');
  assertEquals(
    wrong("a = [1,\n2\n"),
    "3: the list of a goes on with a comma or ends with ]; here is the end of the file",
  );
  assertEquals(wrong("a = {b = 1\n}"), "1: the table of a ends with } on the same line");
  assertEquals(wrong("[a\nb = 1"), "1: a table's name ends with ]");
  assertEquals(wrong("[[a]\nb = 1"), "1: a table's name ends with ]]");
});

Deno.test("what lacks a half is told which", () => {
  assertEquals(wrong("a ="), "1: a needs a value");
  assertEquals(wrong("a"), "1: a needs a value: write a = …");
  assertEquals(wrong("= 1"), "1: = is where a key should be");
  assertEquals(wrong("[]"), "1: ] is where a key should be");
  assertEquals(wrong("a. = 1"), "1: = is where a key should be");
});

Deno.test("no key can reach the prototype of objects", () => {
  for (
    const text of [
      "__proto__ = 1",
      "[__proto__]",
      "[a.__proto__.b]",
      'a."__proto__".b = 1',
      "a = {'__proto__' = 1}",
    ]
  ) {
    assertEquals(wrong(text), "1: __proto__ cannot be a key");
  }
  assertEquals(wrong("[constructor]"), "1: constructor cannot be a key");
  assertEquals(wrong('"\\u005f_proto__" = 1'), "1: a key is neither empty nor written with backslashes");
});

Deno.test("a string holds no control characters and no escapes that mean nothing", () => {
  assertEquals(wrong('a = "\x00"'), "1: a string holds a control character");
  assertEquals(wrong("a = '\x1b'"), "1: a string holds a control character");
  for (const escape of ["\\x41", "\\u12", "\\U0001F600", "\\'"]) {
    assert(wrong(`a = "${escape}"`).includes("after a backslash"), escape);
  }
});

Deno.test("what is nested without end, or has keys without end, is refused at once", () => {
  const large = 2 ** 20;
  assertEquals(wrong("a = " + "[".repeat(large)), "1: values are nested more than 16 deep");
  assertEquals(wrong("a = " + "{a=".repeat(large / 4)), "1: tables are nested more than 16 deep");
  assertEquals(wrong("a" + ".a".repeat(large / 2) + " = 1"), "1: tables are nested more than 16 deep");
  assertEquals(wrong(numbered(100_000, (n) => `k${n} = 1`)), "501: a table has more than 500 keys");
  assertEquals(wrong(numbered(100_000, (n) => `[t${n}]`)), "501: a table has more than 500 keys");
  assertEquals(wrong("[[t]]\n".repeat(200_000)).replace(/^[0-9]+/, ""), ": there are more than 200000 keys");
  assertEquals(wrong("a = " + "9".repeat(large)).includes("is no value"), true);
});

Deno.test("a long list of plain values is fine", () => {
  new Outline(`a = [${"1, ".repeat(100_000)}]`);
});

Deno.test("whatever is not refused has the keys that std's parser finds", () => {
  const key = fc.constantFrom("a", "b", "limits", "1", '"q r"', "'l'", "constructor", "toString");
  const path = fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) => keys.join("."));
  const scalar = fc.constantFrom(
    "1",
    "-1.5e3",
    "0xff",
    "true",
    '"s\\n#="',
    "'[t]'",
    '"""a\n[b]\n"""',
    "'''\n''''",
  );
  const value = fc.oneof(
    scalar,
    fc.array(scalar).map((items) => `[\n${items.join(" , # c\n")}]`),
    fc.tuple(path, scalar).map(([inner, item]) => `{ ${inner} = ${item} }`),
  );
  const statement = fc.oneof(
    fc.tuple(path, value).map(([name, item]) => `${name} = ${item}`),
    path.map((name) => `[${name}]`),
    path.map((name) => `[[ ${name} ]] # [x]`),
  );
  let compared = 0;
  fc.assert(
    fc.property(
      fc.array(statement, { maxLength: 6 }),
      fc.constantFrom("\n", "\r\n", "\n\n"),
      (lines, end) => {
        const text = lines.join(end);
        let outline: Outline;
        try {
          outline = new Outline(text);
        } catch (error) {
          if (error instanceof TomlError) return;
          throw error;
        }
        assertEquals(outline.size, pathsIn(parse(text)), text);
        compared++;
      },
    ),
    { numRuns: 2000 },
  );
  assert(compared > 100);
});

Deno.test("no text throws anything but a TomlError", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "[",
      "]",
      "[[",
      "]]",
      "{",
      "}",
      "=",
      ".",
      ",",
      '"',
      "'",
      '"""',
      "'''",
      "\\",
      "#",
      "\n",
      "\r",
      " ",
    ),
    fc.constantFrom("a", "b.c", "1", "true", "__proto__"),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")), (text) => {
      try {
        new Outline(text);
      } catch (error) {
        if (!(error instanceof TomlError)) throw error;
      }
    }),
    { numRuns: 5000 },
  );
});

function numbered(count: number, line: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => line(n)).join("\n");
}

/** How many keys, and items of lists, a value holds at any depth. */
function pathsIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inside = Object.values(value);
  return inside.length + inside.reduce((sum, each) => sum + pathsIn(each), 0);
}

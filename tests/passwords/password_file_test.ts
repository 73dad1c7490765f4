import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MAX_USERS, nameProblem, readPasswordFile } from "../../src/passwords/password_file.ts";

const HASH = "$2y$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm";

function namesIn(text: string): string[] {
  const { users, problems } = readPasswordFile(text);
  assertEquals(problems, []);
  return [...users.keys()];
}

function problemsOf(text: string): string[] {
  return readPasswordFile(text).problems.map(({ line, message }) => `${line}: ${message}`);
}

Deno.test("a line is a user and a hash; comments, empty lines and blanks behind a hash are passed over", () => {
  assertEquals(
    namesIn(`# users\n\nalice:${HASH}\r\n  \n#bob:x\nbob smith:${HASH} \njörg:${HASH}`),
    ["alice", "bob smith", "jörg"],
  );
  assertEquals(namesIn(`\u{feff}alice:${HASH}\n`), ["alice"]);
  assertEquals(namesIn(""), []);
});

Deno.test("what is wrong is told with its line, and how to put it right", () => {
  assertEquals(
    problemsOf(
      `alice:${HASH}\nalice:${HASH}\nbob\n:${HASH}\ncarol:$apr1$abc\na\tb:${HASH}\n b:${HASH}\ndan:`,
    ),
    [
      "2: the user alice is there already",
      "3: this is no user:hash",
      "4: a user without a name",
      "5: the password of carol is an MD5 hash, which weir does not take; run weir passwd FILE carol",
      "6: a user's name with a character that cannot be seen",
      "7: a user's name with a blank at its begin or end",
      "8: the password of dan is empty, which weir does not take; run weir passwd FILE dan",
    ],
  );
});

Deno.test("a password that stands there as it is, is not told", () => {
  for (const line of ["alice:open sesame", "open sesame", "alice:open sesame:x"]) {
    assert(!JSON.stringify(readPasswordFile(line)).includes("sesame"), line);
  }
});

Deno.test("a file of another kind is told in a few lines", () => {
  assertEquals(problemsOf("x\n".repeat(100_000)).length, 20);
});

Deno.test("there is an end to users", () => {
  const lines = Array.from({ length: MAX_USERS + 5 }, (_, i) => `user${i}:${HASH}`);
  assertEquals(namesIn(lines.slice(0, MAX_USERS).join("\n")).length, MAX_USERS);
  assertEquals(problemsOf(lines.join("\n")), [`${MAX_USERS + 1}: there are more than ${MAX_USERS} users`]);
});

Deno.test("names that could be taken for another, or that no client can send, are none", () => {
  for (const name of ["alice", "a b", "ällice", "a@b.example", "日本", "a#b", "x".repeat(256)]) {
    assertEquals(nameProblem(name), null, name);
  }
  for (
    const name of ["", "a:b", "a\nb", "a\u{200b}b", "\u{202e}a", " a", "a ", "#a", "x".repeat(257), "\ud800"]
  ) {
    assert(nameProblem(name) !== null, JSON.stringify(name));
  }
});

Deno.test("of whatever text, users have names and hashes, and problems have lines of it", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "alice",
      "bob",
      ":",
      "#",
      "\n",
      "\r\n",
      "\r",
      " ",
      HASH,
      "$2y$",
      "$scrypt$ln=15",
      "\u{feff}",
    ),
    fc.string({ unit: "binary", maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join("");
      const { users, problems } = readPasswordFile(text);
      for (const [name, hash] of users) {
        assertEquals(nameProblem(name), null);
        assertEquals(hash.text, HASH);
        assert(text.includes(`${name}:${HASH}`));
      }
      const lines = text.split("\n").length;
      for (const { line } of problems) assert(line >= 1 && line <= lines);
    }),
    { numRuns: 1_000 },
  );
});

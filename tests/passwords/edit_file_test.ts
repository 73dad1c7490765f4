import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { withUser } from "../../src/passwords/edit_file.ts";

Deno.test("a user's line is replaced where it stands, and all others stay as they are", () => {
  const before = "# ours\n\nalice:old\r\n  bob:$apr1$x \nalicex:y\ncarol:z";
  assertEquals(withUser(before, "alice", "new"), {
    text: "# ours\n\nalice:new\r\n  bob:$apr1$x \nalicex:y\ncarol:z",
    found: true,
  });
  assertEquals(withUser(before, "carol", "new").text, before.replace("carol:z", "carol:new\n"));
});

Deno.test("a new user comes to the end, on a line of their own", () => {
  assertEquals(withUser("", "alice", "h"), { text: "alice:h\n", found: false });
  assertEquals(withUser("bob:x", "alice", "h").text, "bob:x\nalice:h\n");
  assertEquals(withUser("bob:x\r\n", "alice", "h").text, "bob:x\r\nalice:h\r\n");
  assertEquals(withUser("\u{feff}bob:x\n", "alice", "h").text, "\u{feff}bob:x\nalice:h\n");
});

Deno.test("a user who stands there twice does so once afterwards, or not at all", () => {
  assertEquals(withUser("a:1\nb:2\na:3\n", "a", "h").text, "a:h\nb:2\n");
  assertEquals(withUser("\u{feff}a:1\nb:2\na:3\n", "a", null), { text: "\u{feff}b:2\n", found: true });
  assertEquals(withUser("b:2", "a", null), { text: "b:2", found: false });
});

Deno.test("a user who comes and goes leaves nothing behind", () => {
  const line = fc.constantFrom("# c", "", "b:1", "ab:2", " a:3", "A:4");
  fc.assert(fc.property(fc.array(line), fc.constantFrom("\n", "\r\n"), (lines, end) => {
    const before = lines.map((text) => text + end).join("");
    const { text } = withUser(before, "a", "h");
    assertEquals(withUser(text, "a", null), { text: before, found: true });
  }));
});

/** URLs of parents. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { WrongValue } from "../../src/config/errors.ts";
import { parseParent, withoutSecrets } from "../../src/config/parent_url.ts";

Deno.test("a URL says how to speak to a parent, where it is and who weir is to it", () => {
  const parent = parseParent("HTTP://ci:a%20b%40c@Proxy.Example.:3128/");
  assertEquals([parent.name, parent.scheme, parent.authority.text], [
    "http://proxy.example:3128",
    "http",
    "proxy.example:3128",
  ]);
  assertEquals(parent.credentials, { user: "ci", password: "a b@c" });
  assertEquals(parseParent("https://[::1]:443", "corp").name, "corp");
  assertEquals(parseParent("socks5h://127.0.0.1:1080").scheme, "socks5");
  assertEquals(parseParent("http://ci@p.example:1").credentials, { user: "ci", password: "" });
  assertEquals(parseParent("http://ci:a@b@p.example:1").credentials, { user: "ci", password: "a@b" });
});

const WRONG = [
  "p.example:3128",
  "ci:s3cret@p.example:3128",
  "ftp://ci:s3cret@p.example:21",
  "http://ci:s3cret@p.example",
  "http://ci:s3cret@p.example:0",
  "http://ci:s3cret@p.example:3128/path",
  "http://ci:s3cret@127.1:3128",
  "http://:s3cret@p.example:3128",
  "http://ci:s3cret%@p.example:3128",
  "http://ci:s3cret%0a@p.example:3128",
  "http://c%3ai:s3cret@p.example:3128",
  "socks5://ci:@p.example:1080",
  `socks5://ci:s3cret${"x".repeat(255)}@p.example:1080`,
  `http://ci:s3cret@p.example:3128${"/".repeat(2000)}`,
];

Deno.test("what is wrong is said without the password", () => {
  for (const text of WRONG) {
    const { message } = assertThrows(() => parseParent(text), WrongValue);
    assert(!message.includes("s3cret"), message);
  }
});

Deno.test("a URL, and a flag with one, are shown without user and password, and all else as it is", () => {
  assertEquals(withoutSecrets("http://ci:s3cret@p.example:1"), "http://***@p.example:1");
  assertEquals(withoutSecrets("--upstream=http://ci:a@b/c@p:1"), "--upstream=http://***@p:1");
  for (const text of ["http://p.example:1", "direct", "corp", "@list.txt", "--allow=@list.txt"]) {
    assertEquals(withoutSecrets(text), text);
  }
});

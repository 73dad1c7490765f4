import { assertEquals, assertThrows } from "@std/assert";
import { readProxyUrl } from "../../../src/cli/env/read_proxy_url.ts";
import { WrongValue } from "../../../src/config/errors.ts";

Deno.test("a proxy's URL always has its port, since programs do not agree on one", () => {
  for (
    const [text, expected] of [
      ["http://proxy.test:3128", "http://proxy.test:3128"],
      ["http://proxy.test:3128/", "http://proxy.test:3128"],
      ["http://proxy.test", "http://proxy.test:80"],
      ["proxy.test:3128", "http://proxy.test:3128"],
      ["HTTP://Proxy.TEST:80", "http://proxy.test:80"],
      ["http://[::1]:8888", "http://[::1]:8888"],
      ["http://me:secret@proxy.test:1", "http://me:secret@proxy.test:1"],
    ]
  ) assertEquals(readProxyUrl(text).text, expected);
  assertEquals(readProxyUrl("http://[2001:DB8::1]:1").host, "2001:db8::1");
});

Deno.test("what a shell or a file could take for more than a word is encoded", () => {
  const { text, hasUser } = readProxyUrl('http://a"b c:p`{}<>|^@proxy.test:1');
  assertEquals(hasUser, true);
  assertEquals(/["\s\\`<>{}]/.test(text), false, text);
});

Deno.test("what is no proxy's URL is refused, and a password is not repeated", () => {
  for (
    const text of [
      "",
      "http://",
      "proxy.test:x",
      "http://u:secret@h:1/path",
      "http://h/?q",
      "https://u:secret@h",
    ]
  ) {
    const error = assertThrows(() => readProxyUrl(text), WrongValue);
    assertEquals(error.message.includes("secret"), false);
  }
});

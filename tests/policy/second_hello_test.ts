import { assertEquals } from "@std/assert";
import { SecondHello } from "../../src/policy/second_hello.ts";
import { bytes } from "../http/reading.ts";
import { hello, RETRY, serverHello } from "./hellos.ts";

/** What the server has said, given in pieces of so many bytes. */
function heard(text: string, size = text.length): SecondHello {
  const second = new SecondHello();
  const all = bytes(text);
  for (let at = 0; at < all.length; at += size) second.hear(all, at, Math.min(all.length, at + size));
  return second;
}

Deno.test("a HelloRetryRequest is known by its random value, in whatever pieces it comes", () => {
  const retry = serverHello(RETRY);
  for (const size of [1, 2, 5, 42, retry.length]) assertEquals(heard(retry, size).state, "asked");
  assertEquals(heard(retry.slice(0, 42)).state, "unknown");
  assertEquals(heard(retry.slice(0, 43)).state, "asked");
});

Deno.test("whatever else a server says asks for none", () => {
  const alert = "\x15\x03\x03\0\x02\x02\x28";
  for (
    const said of [serverHello("r".repeat(32)), alert, "HTTP/1.1 400 Bad Request", hello("a.example"), "\0"]
  ) {
    assertEquals(heard(said, 1).state, "none");
  }
  assertEquals(heard("").state, "unknown");
  assertEquals(heard(serverHello(RETRY.slice(0, 31) + "x")).state, "none");
});

Deno.test("records of other kinds pass, at every split; a handshake record does not", () => {
  const passing = "\x14\x03\x03\0\x01\x01" + "\x17\x03\x03\x01\x02" + "\x16".repeat(258) +
    "\x17\x03\x03\0\0" +
    "\x15\x03\x03\0\x02\x01\x5a";
  const all = bytes(passing + hello("b.example"));
  for (let split = 0; split <= passing.length; split++) {
    const second = new SecondHello();
    assertEquals(second.pass(all, 0, split), split);
    assertEquals(second.pass(all, split, all.length), passing.length - split, String(split));
    assertEquals(second.pass(all, passing.length, all.length), 0);
  }
});

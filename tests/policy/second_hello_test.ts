import { assert, assertEquals } from "@std/assert";
import { SecondHello } from "../../src/policy/second_hello.ts";
import { bytes } from "../http/reading.ts";
import { hello, record, records, RETRY, serverHello } from "./hellos.ts";

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
    "\x17\x03\x01\0\x01\0" +
    "\x15\x03\x03\0\x02\x01\x5a";
  const all = bytes(passing + hello("b.example"));
  for (let split = 0; split <= passing.length; split++) {
    const second = new SecondHello();
    assertEquals(second.pass(all, 0, split), split);
    assertEquals(second.pass(all, split, all.length), passing.length - split, String(split));
    assertEquals(second.pass(all, passing.length, all.length), 0);
  }
});

Deno.test("what a server may send before its HelloRetryRequest hides it as little as the records that it comes in", () => {
  const message = serverHello(RETRY).slice(5);
  const warning = "\x15\x03\x03\0\x02\x01\x70";
  const cipher = "\x14\x03\x03\0\x01\x01";
  const retries = [
    warning + record(message),
    warning + warning + cipher + record(message),
    record("\0\0\0\0") + record(message),
    record("\0\0\0\0".repeat(2) + message),
    ...[1, 3, 40, 43].map((size) => records(message, size)),
  ];
  for (const said of retries) {
    for (const size of [1, 7, said.length]) {
      assertEquals(heard(said, size).state, "asked", JSON.stringify(said));
    }
  }
});

Deno.test("no other record stands between the two hellos, where a server would lose its place in them", () => {
  const strange = [
    "\x18\x03\x03\0\x01\x01",
    "\x17\x03\x03\0\0",
    "\x14\x03\x03\0\0",
    "\x14\x03\x03\0\x02\x01\x01",
    "\x17\x02\x03\0\x01\0",
    "\x17\x03\x03\xff\xff",
    "\x80\x2e\x01",
    "GET / HTTP/1.1",
  ];
  const cipher = "\x14\x03\x03\0\x01\x01";
  for (const bad of strange) {
    const all = bytes(cipher + bad + hello("b.example"));
    for (let split = 0; split <= all.length; split++) {
      const second = new SecondHello();
      const passed = second.pass(all, 0, split);
      const whole = passed + (passed < split ? 0 : second.pass(all, split, all.length));
      // the header of a record may have gone on by the time that it turns out to be none
      assert(whole < cipher.length + 5, `${JSON.stringify(bad)} at ${split}: ${whole}`);
      assertEquals(second.pass(all, whole, all.length), 0);
    }
  }
});

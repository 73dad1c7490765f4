import { assertEquals, assertThrows } from "@std/assert";
import {
  loginAnswered,
  METHOD,
  methodChosen,
  readGreeting,
  readLogin,
  readRequest4,
  readRequest5,
  REPLY,
  SocksFault,
  socksReply,
} from "../../src/net/socks_reader.ts";
import { bytes, text } from "../http/reading.ts";

type Reader<T> = (bytes: Uint8Array, start: number, end: number) => T | null;

/** Reads a whole message at an odd place, with all that follows it, and each part of it, which is never enough. */
function whole<T extends { end: number }>(read: Reader<T>, message: string): Omit<T, "end"> {
  const buffer = bytes("\x05\x01" + message + "\x05\x01\0 and what follows");
  for (let cut = 0; cut < message.length; cut++) {
    assertEquals(read(buffer, 2, 2 + cut), null, `${cut} bytes are not enough`);
  }
  const { end, ...exact } = read(buffer, 2, 2 + message.length)!;
  assertEquals(end, 2 + message.length);
  assertEquals(read(buffer, 2, buffer.length)!, { end, ...exact } as unknown as T);
  return exact;
}

/** What is wrong with it, found as soon as that has come, and told the same of all that begins so. */
function faultOf<T>(read: Reader<T>, message: string): [string, number] {
  const buffer = bytes(message);
  const { message: fault, reply } = assertThrows(() => read(buffer, 0, buffer.length), SocksFault);
  for (let cut = 0; cut < buffer.length; cut++) {
    try {
      assertEquals(read(buffer, 0, cut), null);
    } catch (error) {
      assertEquals((error as Error).message, fault);
    }
  }
  return [fault, reply];
}

Deno.test("a greeting has the methods that are offered (RFC 1928 §3)", () => {
  assertEquals(whole(readGreeting, "\x05\x01\0"), { methods: bytes("\0") });
  assertEquals(whole(readGreeting, "\x05\x03\0\x02\xff"), { methods: bytes("\0\x02\xff") });
  assertEquals(whole(readGreeting, "\x05\0"), { methods: bytes("") });
  assertEquals(whole(readGreeting, "\x05\xff" + "\x01".repeat(255)).methods.length, 255);
  faultOf(readGreeting, "\x04\x01\0");
});

Deno.test("a user and a password may be of any bytes, and empty (RFC 1929 §2)", () => {
  assertEquals(whole(readLogin, "\x01\x05alice\x04p\xff:\0"), {
    user: bytes("alice"),
    password: bytes("p\xff:\0"),
  });
  assertEquals(whole(readLogin, "\x01\0\0"), { user: bytes(""), password: bytes("") });
  const long = "x".repeat(255);
  assertEquals(whole(readLogin, `\x01\xff${long}\xff${long}`).password.length, 255);
  faultOf(readLogin, "\x05\x01a\x01b");
});

Deno.test("a request of version 5 names an address of either family, or a host (RFC 1928 §4, §5)", () => {
  const version = "socks5";
  assertEquals(whole(readRequest5, "\x05\x01\0\x01\x7f\0\0\x01\x01\xbb"), {
    version,
    command: 1,
    address: bytes("\x7f\0\0\x01"),
    name: null,
    port: 443,
  });
  assertEquals(whole(readRequest5, "\x05\x02\0\x04" + "\x20".repeat(16) + "\0\0"), {
    version,
    command: 2,
    address: bytes("\x20".repeat(16)),
    name: null,
    port: 0,
  });
  assertEquals(whole(readRequest5, "\x05\x03\0\x03\x09a.example\xff\xff"), {
    version,
    command: 3,
    address: null,
    name: bytes("a.example"),
    port: 65535,
  });
  assertEquals(whole(readRequest5, `\x05\x01\0\x03\xff${"x".repeat(255)}\0\x50`).name!.length, 255);
});

Deno.test("what is no request of version 5 is refused with its code (RFC 1928 §6)", () => {
  assertEquals(faultOf(readRequest5, "\x04\x01\0\x01")[1], REPLY.failure);
  assertEquals(faultOf(readRequest5, "\x05\x01\x01\x01")[1], REPLY.failure);
  assertEquals(faultOf(readRequest5, "\x05\x01\0\x03\0\0\x50")[1], REPLY.failure);
  assertEquals(faultOf(readRequest5, "\x05\x01\0\x02\0\0\x50")[1], REPLY.noSuchAddressType);
  assertEquals(faultOf(readRequest5, "\x05\x01\0\0\0\0\x50")[1], REPLY.noSuchAddressType);
});

Deno.test("a request of version 4 names an address, and of 4a a host behind the user", () => {
  assertEquals(whole(readRequest4, "\x04\x01\x01\xbb\x7f\0\0\x01alice\0"), {
    version: "socks4",
    command: 1,
    address: bytes("\x7f\0\0\x01"),
    name: null,
    port: 443,
  });
  assertEquals(whole(readRequest4, "\x04\x01\0\x50\0\0\0\0\0").address, bytes("\0\0\0\0"));
  assertEquals(whole(readRequest4, "\x04\x02\0\x50\0\0\0\x07\0a.example\0"), {
    version: "socks4a",
    command: 2,
    address: null,
    name: bytes("a.example"),
    port: 80,
  });
  const long = "x".repeat(255);
  assertEquals(whole(readRequest4, `\x04\x01\0\x50\0\0\0\x01${long}\0${long}\0`).name!.length, 255);
});

Deno.test("what is no request of version 4 is refused, and what never ends within its bound", () => {
  faultOf(readRequest4, "\x05\x01\0\x50\x7f\0\0\x01\0");
  faultOf(readRequest4, "\x04\x01\0\x50\0\0\0\x01\0\0");
  faultOf(readRequest4, "\x04\x01\0\x50\x7f\0\0\x01" + "x".repeat(256));
  faultOf(readRequest4, "\x04\x01\0\x50\0\0\0\x01\0" + "x".repeat(256));
});

Deno.test("answers are as their RFCs have them", () => {
  assertEquals(text(methodChosen(METHOD.login)), "\x05\x02");
  assertEquals(text(methodChosen(METHOD.unacceptable)), "\x05\xff");
  assertEquals([text(loginAnswered(true)), text(loginAnswered(false))], ["\x01\0", "\x01\x01"]);
  const address = bytes("\x7f\0\0\x02");
  assertEquals(
    text(socksReply("socks5", REPLY.granted, address, 0x1234)),
    "\x05\0\0\x01\x7f\0\0\x02\x12\x34",
  );
  const long = bytes("\x20".repeat(16));
  assertEquals(text(socksReply("socks5", REPLY.granted, long, 80)), "\x05\0\0\x04" + text(long) + "\0\x50");
  assertEquals(text(socksReply("socks5", REPLY.refused)), "\x05\x05\0\x01\0\0\0\0\0\0");
  assertEquals(text(socksReply("socks4", REPLY.granted, address, 80)), "\0\x5a\0\x50\x7f\0\0\x02");
  assertEquals(text(socksReply("socks4a", REPLY.granted, long, 80)), "\0\x5a\0\x50\0\0\0\0");
  assertEquals(text(socksReply("socks4", REPLY.refused)), "\0\x5b\0\0\0\0\0\0");
});

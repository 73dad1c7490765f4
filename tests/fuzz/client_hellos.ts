/** ClientHellos of a fuzz run, and what must hold for the reader of each. */

import { assert, assertEquals } from "@std/assert";
import { canonicalName } from "../../src/http/host_name.ts";
import { type ClientHello, ClientHelloReader } from "../../src/policy/client_hello.ts";
import { bytes } from "../http/reading.ts";
import {
  body,
  ECH,
  extension,
  message,
  number,
  record,
  records,
  serverNames,
  USUAL,
  vector,
} from "../policy/hellos.ts";
import type { Random } from "./random.ts";

const NAMES = [
  "a.example",
  "A.Example.",
  "xn--bcher-kva.example",
  "192.0.2.1",
  "::1",
  "a..b",
  "",
  "a\0b",
  "b\xfccher.example",
  "a".repeat(300),
  ".",
];

function anyExtension(random: Random): string {
  switch (random.below(8)) {
    case 0:
      return ECH;
    case 1:
      return USUAL;
    case 2:
      return extension(
        random.below(60),
        "x".repeat(random.below(20)),
        random.once(4) ? random.below(30) : undefined,
      );
    case 3:
      return extension(0, vector(2, number(1, random.below(3)) + vector(2, random.pick(NAMES))));
    case 4:
      return serverNames(...random.several(3, () => random.pick(NAMES)));
    default:
      return serverNames(random.once(3) ? random.pick(NAMES) : "a.example");
  }
}

function anyHello(random: Random): string {
  const extensions = random.several(4, () => anyExtension(random)).join("");
  const lie = random.once(20) ? random.below(3000) : undefined;
  const content = body({
    version: random.once(20) ? random.below(0x10000) : 0x0303,
    session: "s".repeat(random.once(10) ? random.below(40) : 32),
    suites: random.once(20) ? "s".repeat(random.below(4)) : "\x13\x01",
    compression: random.once(20) ? "" : "\0",
    extensions: random.once(10) ? "" : vector(2, extensions, lie),
  });
  const whole = message(
    content,
    random.once(20) ? random.below(256) : 1,
    random.once(20) ? random.below(3000) : undefined,
  );
  const framed = random.once(2)
    ? record(
      whole,
      random.once(10) ? random.below(0x10000) : 0x0301,
      random.once(20) ? random.below(3000) : undefined,
    )
    : records(whole, 1 + random.below(random.pick([4, 50, 600])));
  const before = random.once(10)
    ? random.pick(["\x15\x03\x01\0\x02\x01\0", "\x15\x03", "\x14\x03\x03\0\x01\x01"])
    : "";
  return before + framed + random.pick(["", "", "\0", "\x14\x03\x03\0\x01\x01", "GET /", framed]);
}

/** A ClientHello, damaged in a few places more often than not. */
export function helloInput(random: Random): Uint8Array {
  const input = bytes(anyHello(random));
  for (let times = random.below(4); times > 0; times--) {
    const at = random.below(random.once(2) ? Math.min(input.length, 60) : input.length);
    input[at] = random.once(2) ? random.below(256) : input[at] ^ (1 << random.below(8));
  }
  return random.once(4) ? input.slice(0, random.below(input.length + 1)) : input;
}

/** Reads in one piece, in pieces, and as it is written down in the RFCs: the three have to agree. */
export function checkHello(input: Uint8Array, cuts: readonly number[]): void {
  const whole = new ClientHelloReader();
  assertEquals(whole.read(input, 0, input.length), whole.state);
  const { state, serverName, fault } = whole;
  assertEquals(whole.begun, input.length > 0);
  assertEquals(fault !== "", state === "invalid", "an invalid one says why, and no other");
  assert(/^[\x20-\x7e\u2026]*$/.test(fault), "what is said of it is printable");
  if (serverName !== null) {
    assertEquals(state, "done", "only a whole one has a name");
    assertEquals(canonicalName(serverName), serverName);
  }
  assertEquals([state, serverName], plainly(input));

  const pieces = new ClientHelloReader();
  for (const end of [...cuts, input.length]) {
    // behind what has come stands what would change everything
    const offset = end % 7;
    const buffer = new Uint8Array(offset + input.length + 10).fill(end % 2 === 0 ? 0x16 : 0xff);
    buffer.set(input.subarray(0, end), offset);
    pieces.read(buffer, offset, offset + end);
  }
  assertEquals(shown(pieces), shown(whole), "in pieces it is the same");
}

function shown({ state, begun, serverName, hasEncryptedClientHello, fault }: ClientHello) {
  return { state, begun, serverName, hasEncryptedClientHello, fault };
}

/** The same, without regard to speed, to pieces or to what exactly is wrong. */
function plainly(input: Uint8Array): [ClientHello["state"], string | null] {
  const [type, major, message2] = input;
  if (type >= 0x80) return [message2 === undefined ? "more" : message2 === 1 ? "invalid" : "not_tls", null];
  if (type < 0x14 || type > 0x18) return ["not_tls", null];
  if (type !== undefined && type !== 0x16 || major !== undefined && major !== 3) return ["invalid", null];
  if (input.length < 2) return ["more", null];
  let message: number[] = [];
  for (let at = 0;;) {
    const header = [...input.slice(at, at + 5)];
    if (header.some((byte, i) => i < 2 && byte !== [0x16, 3][i])) return ["invalid", null];
    if (header.length < 5) return ["more", null];
    const size = header[3] * 256 + header[4];
    if (size === 0 || size > 16_384 || at + 5 + size > 65_536) return ["invalid", null];
    message = [...message, ...input.slice(at + 5, at + 5 + size)];
    at += 5 + size;
    if (message.length > 0 && message[0] !== 1) return ["invalid", null];
    const missing = Math.max(0, at - input.length);
    if (message.length >= 4) {
      const length = 4 + (message[1] * 256 + message[2]) * 256 + message[3];
      if (length > 65_531 || message.length + missing > length) return ["invalid", null];
      if (message.length === length) break;
    }
    if (missing > 0) return ["more", null];
  }
  try {
    return ["done", nameIn(message.slice(4))];
  } catch {
    return ["invalid", null];
  }
}

/** The host that a ClientHello names. Throws when it is none. */
function nameIn(hello: number[]): string | null {
  if (take(hello, 2)[0] !== 3) throw new Error("version");
  take(hello, 32);
  if (list(hello, 1).length > 32) throw new Error("session");
  const suites = list(hello, 2);
  if (suites.length === 0 || suites.length % 2 === 1) throw new Error("suites");
  if (list(hello, 1).length === 0) throw new Error("compression");
  if (hello.length === 0) return null;
  const extensions = list(hello, 2);
  if (hello.length > 0) throw new Error("rest");
  const found: Record<number, number[]> = {};
  while (extensions.length > 0) {
    const [high, low] = take(extensions, 2);
    if (high * 256 + low in found) throw new Error("twice");
    found[high * 256 + low] = list(extensions, 2);
  }
  if (!(0 in found)) return null;
  const names = list(found[0], 2);
  const [type] = take(names, 1);
  const name = list(names, 2);
  if (found[0].length > 0 || names.length > 0 || type !== 0 || name.length > 254) throw new Error("names");
  if (name.some((byte) => byte > 0x7f)) throw new Error("ASCII");
  return canonicalName(String.fromCharCode(...name));
}

function take(from: number[], count: number): number[] {
  if (from.length < count) throw new Error("short");
  return from.splice(0, count);
}

function list(from: number[], width: number): number[] {
  return take(from, take(from, width).reduce((length, byte) => length * 256 + byte, 0));
}

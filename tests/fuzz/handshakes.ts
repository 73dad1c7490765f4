/** Handshakes of SOCKS and headers of the PROXY protocol of a fuzz run, and what must hold for the readers of each. */

import { assert, assertEquals } from "@std/assert";
import { formatIp, parseIp } from "../../src/http/ip_address.ts";
import { proxyHeader, ProxyHeaderReader } from "../../src/net/proxy_protocol.ts";
import {
  readGreeting,
  readLogin,
  readRequest4,
  readRequest5,
  SocksFault,
} from "../../src/net/socks_reader.ts";
import { bytes, text } from "../http/reading.ts";
import { damaged } from "./inputs.ts";
import type { Random } from "./random.ts";

const ADDRESSES = ["127.0.0.1", "192.0.2.255", "::1", "2001:db8::1", "::ffff:192.0.2.1", "0.0.0.1"];
const NAMES = ["a.example", "127.1", "", "\xff", "a\0b", "x".repeat(255)];

function lengthed(random: Random, content: string): string {
  const lie = random.once(10) ? random.below(256) : content.length;
  return String.fromCharCode(lie & 0xff) + content;
}

function anyBytes(random: Random, count: number): string {
  return Array.from({ length: count }, () => String.fromCharCode(random.below(256))).join("");
}

function socks(random: Random): string {
  const port = anyBytes(random, 2);
  const command = String.fromCharCode(random.once(4) ? random.below(256) : 1);
  const reserved = random.once(10) ? anyBytes(random, 1) : "\0";
  const name = random.pick(NAMES);
  switch (random.below(6)) {
    case 0:
      return `\x05${lengthed(random, anyBytes(random, random.below(6)))}`;
    case 1:
      return `\x01${lengthed(random, random.pick(NAMES))}${lengthed(random, random.pick(NAMES))}`;
    case 2:
      return `\x05${command}${reserved}\x01${anyBytes(random, 4)}${port}`;
    case 3:
      return `\x05${command}${reserved}\x03${lengthed(random, name)}${port}`;
    case 4:
      return `\x05${command}${reserved}${random.once(3) ? anyBytes(random, 1) : "\x04"}${
        anyBytes(random, 16)
      }${port}`;
    default:
      return `\x04${command}${port}${random.once(2) ? "\0\0\0\x01" : anyBytes(random, 4)}${
        random.pick(NAMES)
      }\0${name}\0`;
  }
}

function header(random: Random): string {
  const end = () => ({ ip: parseIp(random.pick(ADDRESSES))!, port: random.below(65536) });
  const addresses = random.once(6) ? null : { source: end(), destination: end() };
  const whole = text(proxyHeader(random.once(2) ? 1 : 2, addresses, formatIp));
  if (!whole.startsWith("\r") || random.once(2)) return whole;
  // items behind the addresses
  const items = random.several(4, () => {
    const content = anyBytes(random, random.below(random.pick([4, 300])));
    return anyBytes(random, 1) + String.fromCharCode(content.length >> 8, content.length & 0xff) + content;
  }).join("");
  const length = whole.length - 16 + items.length;
  return whole.slice(0, 14) + String.fromCharCode(length >> 8 & 0xff, length & 0xff) + whole.slice(16) +
    items;
}

export function socksInput(random: Random): Uint8Array {
  const whole = socks(random);
  return bytes(
    (random.once(2) ? damaged(random, whole, [socks(random)]) : whole) + (random.once(2) ? "rest" : ""),
  );
}

export function headerInput(random: Random): Uint8Array {
  const whole = header(random);
  return bytes(
    (random.once(2) ? damaged(random, whole, [header(random)]) : whole) + (random.once(2) ? "rest" : ""),
  );
}

/** Each reader says of more of the same what it said before, never looks beyond, and always in the same words. */
export function checkSocks(input: Uint8Array): void {
  for (const read of [readGreeting, readLogin, readRequest4, readRequest5]) {
    const wanted = said(read, input, 0, input.length);
    let first: string | null = null;
    for (let end = 0; end <= input.length; end++) {
      // behind what has come stands what would change everything, at an odd place
      const buffer = new Uint8Array(input.length + 20).fill(end % 2 === 0 ? 0 : 0xff);
      buffer.set(input.subarray(0, end), 7);
      const now = said(read, buffer, 7, 7 + end);
      if (first !== null) assertEquals(now, first, "what was said stays so");
      else if (now !== "more") first = now;
    }
    assertEquals(first ?? "more", wanted);
    assert(first !== null || input.length < 600, "a handshake ends within its bound");
  }
}

function said(
  read: (bytes: Uint8Array, start: number, end: number) => { end: number } | null,
  input: Uint8Array,
  start: number,
  end: number,
): string {
  try {
    const message = read(input, start, end);
    if (message === null) return "more";
    assert(message.end > start && message.end <= end, "it ends within what has come");
    return JSON.stringify({ ...message, end: message.end - start });
  } catch (error) {
    if (!(error instanceof SocksFault)) throw error;
    assert(/^[\x20-\x7e]+$/.test(error.message));
    return error.message;
  }
}

/** Read in one piece and in pieces it is the same, and what was understood is what would be written. */
export function checkHeader(input: Uint8Array, cuts: readonly number[]): void {
  const whole = new ProxyHeaderReader(parseIp);
  const end = whole.read(input, 0, input.length);
  assert(end <= 16 + 2048, "a header ends within its bound");
  assertEquals(whole.fault !== "", whole.state === "invalid");
  assert(/^[\x20-\x7e]*$/.test(whole.fault));
  if (whole.state !== "done") assertEquals(whole.addresses, null);

  const pieces = new ProxyHeaderReader(parseIp);
  let at = 0;
  for (const to of [...cuts, input.length]) {
    if (pieces.state === "more") at = pieces.read(input, at, to);
  }
  assertEquals(shown(pieces), shown(whole));
  if (whole.state === "done") assertEquals(at, end);

  if (whole.addresses === null) return;
  for (const version of [1, 2] as const) {
    const again = new ProxyHeaderReader(parseIp);
    const written = proxyHeader(version, whole.addresses, formatIp);
    assertEquals(again.read(written, 0, written.length), written.length);
    assertEquals(again.addresses, whole.addresses);
  }
}

function shown({ state, fault, addresses }: ProxyHeaderReader) {
  return { state, fault, addresses };
}

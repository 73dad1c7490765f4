/** Words and lists of hosts as policies have them, for a fuzz run, and what must hold for the reader of each. */

import { assert, assertEquals } from "@std/assert";
import { formatIp, parseIp } from "../../src/http/ip_address.ts";
import { HostListReader, type HostListReading } from "../../src/policy/host_list_reader.ts";
import { nameMatches, parseHostAndPorts, parseHostPattern } from "../../src/policy/host_pattern.ts";
import { networkContains, Networks, parseNetworks } from "../../src/policy/network.ts";
import { parsePathPattern, pathMatches, pathReadings } from "../../src/policy/path_pattern.ts";
import { pathOddity } from "../../src/policy/path_readings.ts";
import { PatternError } from "../../src/policy/pattern_error.ts";
import { formatPorts, parsePorts } from "../../src/policy/port_range.ts";
import { bytes, text } from "../http/reading.ts";
import { addressIn, namedBy, readNaively, sizeOf } from "../policy/naive_hosts.ts";
import { damaged } from "./inputs.ts";
import type { Random } from "./random.ts";

const HOSTS = [
  "example.com",
  "a.example.com",
  "EXAMPLE.com.",
  "*.example.com",
  ".example.com",
  "*",
  "*.com",
  "a*.com",
  "com",
  "b\xc3\xbccher.example",
  "x".repeat(63) + ".example",
  "127.1",
  "192.0.2.1",
  "10.0.0.0/8",
  "0.0.0.0/0",
  "::ffff:10.0.0.0/104",
  "2001:db8::/32",
  "[::1]",
  "[2001:db8::]/32",
  "fe80::1%eth0",
  "loopback",
  "private",
  "all",
  "@file",
  "https://example.com/x",
];
const PORTS = [":443", ":80,443", ":8000-8999", ":*", ":", ":0", ":99999", "443", "1-65535", "*", "9-8"];
const PATHS = [
  "/",
  "/a/*",
  "*",
  "/%2e%2e/a",
  "/a/../b",
  "/a;b/..;c//d",
  "/%252f",
  "\\a\\..\\b",
  "/a?b",
  "/*.x*y",
];
const LINES = [
  "0.0.0.0 ads.example.com tracker.example.org",
  "127.0.0.1 localhost",
  "::1\tip6-localhost example.com",
  "||example.com^",
  "@@||example.com^$third-party",
  "# a comment",
  "! a comment",
  "[Adblock Plus 2.0]",
  "example.com # a comment",
  "  example.com\t",
  "a b",
  "",
  "x".repeat(4097),
  "example.com ".padEnd(4096, " "),
];
const ENDS = ["\n", "\n", "\n", "\r\n", "\r\n", "\r", "\n\n", " \n"];
const ASKED = [
  "example.com",
  "a.example.com",
  "b.a.example.com",
  "ads.example.com",
  "example.org",
  "com",
  "a",
];
const ADDRESSES = ["10.0.0.1", "192.0.2.1", "0.0.0.0", "::1", "2001:db8::1", "::ffff:10.0.0.1"];

/** One word: a host, ports, a network or a path, whole or damaged. One character a byte. */
export function wordInput(random: Random): string {
  const word = random.pick([
    () => random.pick(HOSTS),
    () => random.pick(HOSTS) + random.pick(PORTS),
    () => random.pick(PORTS),
    () => random.pick(PATHS) + (random.once(2) ? random.pick(PATHS) : ""),
  ])();
  return random.once(3) ? word : damaged(random, word, [...HOSTS, ...PATHS]);
}

/** A list of hosts as a file has it. */
export function hostListInput(random: Random): Uint8Array {
  const lines = random.several(30, () => random.pick(random.once(3) ? LINES : HOSTS) + random.pick(ENDS));
  const list = (random.once(5) ? "\xef\xbb\xbf" : "") + lines.join("");
  return bytes(random.once(3) ? list : damaged(random, list, LINES));
}

/** Runs what may refuse its input; `null` when it did, with a line that can be shown. */
function attempt<T>(run: () => T): T | null {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    assertShown(error.message);
    return null;
  }
}

/** A message is one line that can be printed, without a full stop. */
function assertShown(message: string): void {
  assert(/^[\x20-\x7e\u2026]+[^.]$/.test(message), `the message ${JSON.stringify(message)}`);
}

/** Checks what is made of a word by each of the readers that may meet it. */
export function checkWord(word: string): void {
  const decoded = new TextDecoder().decode(bytes(word));
  checkHost(decoded);
  checkPorts(word);
  checkNetworks(decoded);
  checkPath(decoded, word);
}

function checkHost(word: string): void {
  const host = attempt(() => parseHostPattern(word));
  const both = attempt(() => parseHostAndPorts(word));
  if (both?.ports === null) assertEquals(both.host, host);
  if (host === null) return;
  assertEquals(host.text, word);
  if (!("name" in host)) return;
  const { name } = host;
  assert(/^(?!\.)[a-z0-9._-]{1,253}$/.test(name) && !/\.\.|\.$/.test(name), `the name ${name}`);
  assertEquals(parseHostPattern(name).kind, "name");
  assertEquals(nameMatches(host, name), host.kind !== "subdomains");
  assertEquals(nameMatches(host, `a.${name}`), host.kind !== "name");
  assertEquals(nameMatches(host, `a${name}`), false);
}

function checkPorts(word: string): void {
  const range = attempt(() => parsePorts(word));
  if (range === null) return;
  assert(1 <= range.first && range.first <= range.last && range.last <= 65535);
  assertEquals(parsePorts(formatPorts([range])), range);
}

function checkNetworks(word: string): void {
  const networks = attempt(() => parseNetworks(word));
  if (networks === null) return;
  const all = new Networks(networks);
  for (const network of networks) {
    const { family, bytes, bits } = network;
    assertEquals(network.text, word);
    assertEquals(bytes.length, family === 4 ? 4 : 16);
    assert(networkContains(network, { family, bytes }) && all.includes({ family, bytes }));
    const [again] = parseNetworks(`${formatIp({ family, bytes })}/${bits}`);
    assertEquals([again.family, again.bytes, again.bits], [family, bytes, bits]);
    const outside = bytes.slice();
    if (bits > 0) outside[bits - 1 >> 3] ^= 0x80 >> (bits - 1 & 7);
    assertEquals(networkContains(network, { family, bytes: outside }), bits === 0);
  }
}

function checkPath(decoded: string, word: string): void {
  const readings = pathReadings(word);
  assert(readings.length >= 1 && readings.length <= 8, `${readings.length} readings`);
  assertEquals(new Set(readings).size, readings.length);
  const pattern = attempt(() => parsePathPattern(decoded));
  if (pattern === null || decoded.includes("\ufffd")) return;
  // nothing but every path matches what servers may take for different ones
  if (pathOddity(word) !== "" && !pattern.takesAll) {
    assertEquals(readings.map((reading) => pathMatches(pattern, reading)), [true, false]);
    return;
  }
  for (const reading of readings) {
    assert(pathMatches(pattern, reading), `${JSON.stringify(reading)} is a reading of the pattern itself`);
  }
}

/** Checks a list that comes in one piece and in pieces against the naive reading of it. */
export function checkHostList(list: Uint8Array, cuts: readonly number[]): void {
  const whole = readInPieces(list, []);
  const pieces = readInPieces(list, cuts);
  const naive = readNaively(text(list));
  for (const { list, problems, more } of [whole, pieces]) {
    assertEquals(problems.map(({ line }) => line), naive.problems.slice(0, 20));
    assertEquals(problems.length + more, naive.problems.length);
    assertEquals(problems, whole.problems);
    for (const { message } of problems) assertShown(message);
    assertEquals(list.size, sizeOf(naive));
    for (const host of ASKED) assertEquals(list.includesName(host), namedBy(naive, host), host);
    for (const address of ADDRESSES) {
      assertEquals(list.includesAddress(parseIp(address)!), addressIn(naive, address), address);
    }
  }
}

function readInPieces(list: Uint8Array, cuts: readonly number[]): HostListReading {
  const reader = new HostListReader();
  let from = 0;
  for (const cut of [...cuts, list.length]) {
    const chunk = list.slice(from, cut);
    reader.read(chunk);
    chunk.fill(0x0a);
    from = cut;
  }
  return reader.end();
}

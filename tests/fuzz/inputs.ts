/** Inputs of a fuzz run: made by the grammar, bent here and there, or real messages that were damaged. */

import { REFUSED_HEADS, REQUESTS, RESPONSES } from "../http/corpus.ts";
import { bytes, text } from "../http/reading.ts";
import { HOSTILE_FIELDS, ODD, withLine } from "../http/odd.ts";
import { SMUGGLED_CHUNKS, SMUGGLED_HEADS } from "../http/smuggling.ts";
import type { Random } from "./random.ts";

const METHODS = ["GET", "POST", "HEAD", "OPTIONS", "CONNECT", "PUT", "get", "M-SEARCH", "", "G T"];
const HOSTS = [
  "example.com",
  "EXAMPLE.com.",
  "a",
  "127.0.0.1",
  "[::1]",
  "[2001:DB8::0:1]",
  "[::ffff:127.0.0.1]",
  "xn--bcher-kva.example",
  "b\xc3\xbccher.example",
  "under_score.example",
  "127.1",
  "0x7f.1",
  "2130706433",
  "[fe80::1%25eth0]",
  "user@host",
  "a..b",
  "",
  "%61",
  "\xef\xbc\xa1.example",
  "\xff",
];
const PORTS = ["", "", "", ":", ":80", ":443", ":8080", ":65535", ":0", ":65536", ":+80", ":080", ":80:80"];
const PATHS = ["", "/", "/", "/a/b?c=d", "?q", "//", "/%zz", "/../..", "/#f", "/\xe9\xff", "/a b", "*", "\\"];
const SCHEMES = ["http://", "http://", "http://", "https://", "HTTP://", "ftp://", "http:/", ""];
const VERSIONS = [
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/1.9",
  "HTTP/2.0",
  "http/1.1",
  "HTTP/1.10",
];
const LINE_ENDS = ["\n", "\r", "\r\r\n", "\n\r", "\r\n\r\n", "\r\n ", "\r\n\t", ""];
const NAMES = [
  "Host",
  "Content-Length",
  "Transfer-Encoding",
  "Connection",
  "Proxy-Connection",
  "Keep-Alive",
  "TE",
  "Upgrade",
  "Via",
  "Cookie",
  "Authorization",
  "Proxy-Authorization",
  "HTTP2-Settings",
  "Cache-Control",
  "X-Hop",
  "X-Other",
  "a",
];
const VALUES = [
  "",
  "example.com",
  "a",
  "5",
  "0",
  "5, 5",
  "+5",
  "0x5",
  "9007199254740992",
  "chunked",
  "Chunked",
  "identity",
  "chunked, identity",
  "close",
  "keep-alive, X-Hop",
  "Upgrade, Host,x-other,,",
  "trailers",
  "na\xefve \x80\xff",
  "a \t b",
];
const SPACES = ["", " ", " ", " ", "\t", "  \t"];
const NASTY = [
  "\0",
  "\r",
  "\n",
  "\r\n",
  "\r\n\r\n",
  "\t",
  "\v",
  "\f",
  "\x7f",
  "\x80",
  "\xa0",
  "\xff",
  " ",
  ":",
  ",",
  ";",
  "0",
  "chunked",
  "\r\nTransfer-Encoding: chunked\r\n",
  "\r\nContent-Length: 5\r\n",
  "\r\n ",
  "GET / HTTP/1.1\r\n",
];

function anyCase(random: Random, name: string): string {
  if (random.once(2)) return name;
  return Array.from(name, (letter) => random.once(2) ? letter.toLowerCase() : letter.toUpperCase()).join("");
}

function lineEnd(random: Random): string {
  return random.once(60) ? random.pick(LINE_ENDS) : "\r\n";
}

function field(random: Random): string {
  const colon = random.once(40) ? random.pick([" :", "\t:", "", "::", "\v:"]) : ":";
  return anyCase(random, random.pick(NAMES)) + colon + random.pick(SPACES) + random.pick(VALUES) +
    random.pick(SPACES) + lineEnd(random);
}

export function authority(random: Random): string {
  return random.pick(HOSTS) + random.pick(PORTS);
}

function target(random: Random): string {
  switch (random.below(8)) {
    case 0:
      return authority(random);
    case 1:
      return random.pick(PATHS);
    default:
      return random.pick(SCHEMES) + authority(random) + random.pick(PATHS);
  }
}

function request(random: Random): string {
  const space = () => random.once(40) ? random.pick(["", "  ", "\t"]) : " ";
  return "\r\n".repeat(random.once(10) ? random.below(6) : 0) +
    random.pick(METHODS) + space() + target(random) + space() + random.pick(VERSIONS) + lineEnd(random) +
    random.several(12, () => field(random)).join("") + lineEnd(random) + (random.once(3) ? "rest" : "");
}

function response(random: Random): string {
  const status = random.pick([
    "100",
    "101",
    "200",
    "204",
    "206",
    "304",
    "404",
    "502",
    "999",
    "099",
    "20",
    "2000",
  ]);
  const reason = random.pick([" OK", " Not Found", " ", "", " a\tb", " \xe4", "\tOK", "  "]);
  return random.pick(VERSIONS) + " " + status + reason + lineEnd(random) +
    random.several(12, () => field(random)).join("") + lineEnd(random) + (random.once(3) ? "rest" : "");
}

function chunk(random: Random, data: string): string {
  const digits = data.length.toString(16);
  const size = random.once(40)
    ? random.pick([
      " " + digits,
      digits + " ",
      "0x" + digits,
      "+" + digits,
      "",
      "ffffffffffffffff",
      digits + "0",
    ])
    : random.pick([digits, digits, digits.toUpperCase(), "0" + digits, digits.padStart(16, "0")]);
  const extension = random.pick([
    "",
    "",
    "",
    ";a",
    ";a=b",
    '; a = "b;c"',
    ";\xff",
    " ;a",
    "\t; a = b ",
    random.once(20) ? ";\0" : "",
  ]);
  return size + extension + lineEnd(random) + data + (data === "" ? "" : lineEnd(random));
}

function chunkedBody(random: Random): string {
  const chunks = random.several(8, () => {
    const length = random.once(20) ? random.below(3000) : random.below(20) + 1;
    return chunk(random, random.pick(["a", "\r\n", "0\r\n\r\n", "\xff\0"]).repeat(length).slice(0, length));
  });
  const trailers = random.once(3) ? random.several(5, () => field(random)).join("") : "";
  return chunks.join("") + chunk(random, "") + trailers + lineEnd(random) +
    (random.once(3) ? "GET / HTTP" : "");
}

const REAL_REQUESTS = [
  ...REQUESTS.map((sample) => text(sample.bytes)),
  ...REFUSED_HEADS.map((refused) => refused.message),
  ...SMUGGLED_HEADS.map((smuggled) => smuggled.message),
];
const REAL_RESPONSES = RESPONSES.map((sample) => text(sample.bytes));
const ODD_RESPONSES = [
  ...ODD.map(({ response }) => response).filter(({ length }) => length < 10_000),
  ...HOSTILE_FIELDS.map(([, line]) => withLine(ODD[0].response, line)),
];
const REAL_BODIES = SMUGGLED_CHUNKS.map((smuggled) => smuggled.body);

/** Damages a text in a few places. */
export function damaged(random: Random, original: string, others: readonly string[]): string {
  let damaged = original;
  for (let times = random.below(4); times > 0; times--) {
    const at = random.below(damaged.length + 1);
    const to = Math.min(at + random.below(random.once(4) ? 200 : 4), damaged.length);
    switch (random.below(7)) {
      case 0: // one byte becomes any other
        damaged = damaged.slice(0, at) + String.fromCharCode(random.below(256)) + damaged.slice(at + 1);
        break;
      case 1:
        damaged = damaged.slice(0, at) + random.pick(NASTY) + damaged.slice(at);
        break;
      case 2: // a stretch is left out
        damaged = damaged.slice(0, at) + damaged.slice(to);
        break;
      case 3: // or is there twice
        damaged = damaged.slice(0, to) + damaged.slice(at);
        break;
      case 4: // a line is there twice, or elsewhere
        damaged = damaged.slice(0, at) + random.pick(damaged.split("\n")) + "\n" + damaged.slice(at);
        break;
      case 5: // another message goes on where this one breaks off
        damaged = damaged.slice(0, at) + random.pick(others).slice(random.below(200));
        break;
      case 6: // one bit
        damaged = damaged.slice(0, at) +
          String.fromCharCode(((damaged.charCodeAt(at) || 0) ^ (1 << random.below(8))) & 0xff) +
          damaged.slice(at + 1);
        break;
    }
  }
  return damaged;
}

function input(random: Random, grammar: (random: Random) => string, real: readonly string[]): Uint8Array {
  const original = random.once(2) ? grammar(random) : random.pick(real);
  return bytes(random.once(3) ? original : damaged(random, original, real));
}

export function requestInput(random: Random): Uint8Array {
  return input(random, request, REAL_REQUESTS);
}

export function responseInput(random: Random): Uint8Array {
  return input(random, response, REAL_RESPONSES);
}

export function oddInput(random: Random): Uint8Array {
  return input(random, response, random.once(3) ? REAL_RESPONSES : ODD_RESPONSES);
}

export function bodyInput(random: Random): Uint8Array {
  return input(random, chunkedBody, REAL_BODIES);
}

export function authorityInput(random: Random): string {
  const written = authority(random);
  if (random.once(3)) return written;
  const at = random.below(written.length + 1);
  const odd = [
    "\u3002",
    "\u00df",
    "\u0131",
    "\u212a",
    "\uff0e",
    "\u200d",
    "\ud83d\ude00",
    "\ufeff",
    "\u00ad",
    "xn--",
  ];
  const inserted = random.once(2) ? random.pick(odd) : String.fromCharCode(random.below(0x180));
  return written.slice(0, at) + inserted + written.slice(at + random.below(2));
}

/** Places at which a message of this length is cut, in order. */
export function cutsOf(random: Random, length: number): number[] {
  if (length < 2) return [];
  if (random.once(20)) return Array.from({ length: Math.min(length, 300) - 1 }, (_, i) => i + 1);
  const cuts = random.several(6, () => 1 + random.below(length - 1));
  return [...new Set(cuts)].sort((a, b) => a - b);
}

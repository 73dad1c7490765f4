import { assert, assertEquals } from "@std/assert";
import { formatIp, parseIp } from "../../src/http/ip_address.ts";
import { type ProxiedAddresses, proxyHeader, ProxyHeaderReader } from "../../src/net/proxy_protocol.ts";
import { bytes } from "../http/reading.ts";

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

function endpoint(address: string, port: number) {
  return { ip: parseIp(address)!, port };
}

function between(from: string, fromPort: number, to: string, toPort: number): ProxiedAddresses {
  return { source: endpoint(from, fromPort), destination: endpoint(to, toPort) };
}

/** A header of version 2 by its parts. */
function binary(command: number, family: number, content: string, length = content.length): string {
  return SIGNATURE + String.fromCharCode(command, family, length >> 8, length & 0xff) + content;
}

const FROM_TO_4 = "\xc0\0\x02\x01\xc6\x33\x64\x02\x30\x39\x01\xbb";
const V4 = between("192.0.2.1", 12345, "198.51.100.2", 443);
const FROM_TO_6 = bytesText(parseIp("2001:db8::1")!.bytes) + bytesText(parseIp("2001:db8::2")!.bytes) +
  "\x30\x39\x01\xbb";
const V6 = between("2001:db8::1", 12345, "2001:db8::2", 443);

function bytesText(given: Uint8Array): string {
  return String.fromCharCode(...given);
}

/** Reads in one piece: the state, the addresses or the fault, and what was left. */
function read(input: string): [ProxyHeaderReader, rest: string] {
  const reader = new ProxyHeaderReader(parseIp);
  const given = bytes(input);
  return [reader, input.slice(reader.read(given, 0, given.length))];
}

const GOOD: [string, string, ProxiedAddresses | null][] = [
  ["version 1, IPv4", "PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n", V4],
  ["version 1, IPv6", "PROXY TCP6 2001:db8::1 2001:DB8:0::2 12345 443\r\n", V6],
  [
    "version 1, the longest addresses",
    `PROXY TCP6 ${Array(8).fill("ffff").join(":")} ${Array(8).fill("ffff").join(":")} 65535 65535\r\n`,
    between("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535, Array(8).fill("ffff").join(":"), 65535),
  ],
  [
    "version 1, port 0",
    "PROXY TCP4 192.0.2.1 198.51.100.2 0 0\r\n",
    between("192.0.2.1", 0, "198.51.100.2", 0),
  ],
  ["version 1, unknown", "PROXY UNKNOWN\r\n", null],
  ["version 1, unknown with something", "PROXY UNKNOWN ffff:: ffff:: 65535 x\r\n", null],
  ["version 2, IPv4", binary(0x21, 0x11, FROM_TO_4), V4],
  ["version 2, IPv6", binary(0x21, 0x21, FROM_TO_6), V6],
  ["version 2, with items", binary(0x21, 0x11, FROM_TO_4 + "\x04\0\x03abc\x05\0\0"), V4],
  ["version 2, the longest", binary(0x21, 0x11, FROM_TO_4 + "\x04\x07\xf1" + "x".repeat(2033)), V4],
  ["version 2, local", binary(0x20, 0, ""), null],
  ["version 2, local with addresses", binary(0x20, 0x11, FROM_TO_4), null],
  ["version 2, local with anything", binary(0x20, 0x21, "\xff\xff\xff"), null],
  ["version 2, unspecified", binary(0x21, 0, "anything"), null],
  ["version 2, a socket in a file system", binary(0x21, 0x31, "p".repeat(216)), null],
];

const BAD: [string, string][] = [
  ["another protocol", "GET / HTTP/1.1\r\n"],
  ["lower case", "proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n"],
  ["no space", "PROXY\r\n"],
  ["no family", "PROXY \r\n"],
  ["another family", "PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n"],
  ["two spaces", "PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n"],
  ["a space at the end", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n"],
  ["a tab", "PROXY TCP4\t192.0.2.1 198.51.100.2 1 2\r\n"],
  ["too few", "PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n"],
  ["too many", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n"],
  ["IPv6 as IPv4", "PROXY TCP4 ::1 ::1 1 2\r\n"],
  ["IPv4 as IPv6", "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n"],
  ["one of each", "PROXY TCP4 192.0.2.1 ::1 1 2\r\n"],
  ["an address of another notation", "PROXY TCP4 0x7f.1 127.1 1 2\r\n"],
  ["a leading zero in an address", "PROXY TCP4 127.0.0.01 127.0.0.1 1 2\r\n"],
  ["brackets", "PROXY TCP6 [::1] [::1] 1 2\r\n"],
  ["a zone", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"],
  ["a name", "PROXY TCP4 localhost localhost 1 2\r\n"],
  ["a leading zero in a port", "PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n"],
  ["a sign", "PROXY TCP4 192.0.2.1 198.51.100.2 +1 2\r\n"],
  ["a port above the last", "PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n"],
  ["LF alone", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n"],
  ["CR alone", "PROXY UNKNOWN\rx\r\n"],
  ["a control byte", "PROXY UNKNOWN \0\r\n"],
  ["a byte of no letter", "PROXY UNKNOWN \xff\r\n"],
  ["a line that is too long", `PROXY UNKNOWN ${"x".repeat(93)}\r\n`],
  ["half a signature", SIGNATURE.slice(0, 11) + "X"],
  ["another version", SIGNATURE + "\x11\x11\0\0"],
  ["another command", SIGNATURE + "\x22\x11\0\0"],
  ["another family of version 2", SIGNATURE + "\x21\x41\0\0"],
  ["another transport", SIGNATURE + "\x21\x13\0\0"],
  ["datagrams", binary(0x21, 0x12, FROM_TO_4)],
  ["IPv4 without a transport", binary(0x21, 0x10, FROM_TO_4)],
  ["less than IPv4 takes", binary(0x21, 0x11, FROM_TO_4.slice(1))],
  ["less than IPv6 takes", binary(0x21, 0x21, FROM_TO_4)],
  ["less than a path takes", binary(0x21, 0x31, FROM_TO_4)],
  ["too long", binary(0x21, 0x11, "", 2049)],
  ["too long, and local", binary(0x20, 0, "", 2049)],
  ["an item that is too long", binary(0x21, 0x11, FROM_TO_4 + "\x04\0\x04abc")],
  ["an item that is cut off", binary(0x21, 0x11, FROM_TO_4 + "\x04\0")],
];

for (const [name, header, addresses] of GOOD) {
  Deno.test(`the PROXY protocol: ${name}, in one piece and at every split, with nothing of what follows`, () => {
    for (const rest of ["", "\r\nPROXY x", header]) {
      const [reader, left] = read(header + rest);
      assertEquals([reader.state, reader.fault, left], ["done", "", rest]);
      assertEquals(reader.addresses, addresses);
    }
    const given = bytes(header);
    for (let cut = 0; cut <= given.length; cut++) {
      const reader = new ProxyHeaderReader(parseIp);
      assertEquals(reader.read(given, 0, cut), cut);
      assertEquals(reader.state, cut === given.length ? "done" : "more");
      assertEquals(reader.read(given, cut, given.length), given.length);
      assertEquals(reader.addresses, addresses);
    }
  });
}

for (const [name, header] of BAD) {
  Deno.test(`the PROXY protocol refuses ${name}, however it comes`, () => {
    const [whole] = read(header);
    assertEquals(whole.state, "invalid");
    assert(/^[\x20-\x7e]+$/.test(whole.fault));
    assertEquals(whole.addresses, null);
    const reader = new ProxyHeaderReader(parseIp);
    const given = bytes(header);
    for (let at = 0; at < given.length; at++) reader.read(given, at, at + 1);
    assertEquals([reader.state, reader.fault, reader.addresses], ["invalid", whole.fault, null]);
  });
}

Deno.test("a header of the PROXY protocol that never ends is refused within its bound", () => {
  for (const start of ["PROXY UNKNOWN ", "PROXY ", "P", SIGNATURE, SIGNATURE + "\x21\x11"]) {
    const [reader, left] = read(start + "x".repeat(3000));
    assertEquals(reader.state, "invalid");
    assert(left.length > 3000 + start.length - 2065);
  }
});

Deno.test("what is written by the PROXY protocol is read as it was meant, in both versions", () => {
  for (const addresses of [V4, V6, null]) {
    for (const version of [1, 2] as const) {
      const [reader, left] = read(bytesText(proxyHeader(version, addresses, formatIp)) + "rest");
      assertEquals([reader.state, left], ["done", "rest"]);
      assertEquals(reader.addresses, addresses);
    }
  }
});

Deno.test("what is written by the PROXY protocol is as its specification has it", () => {
  assertEquals(bytesText(proxyHeader(1, V4, formatIp)), GOOD[0][1]);
  assertEquals(bytesText(proxyHeader(1, V6, formatIp)), "PROXY TCP6 2001:db8::1 2001:db8::2 12345 443\r\n");
  assertEquals(bytesText(proxyHeader(2, V4, formatIp)), binary(0x21, 0x11, FROM_TO_4));
  assertEquals(bytesText(proxyHeader(2, V6, formatIp)), binary(0x21, 0x21, FROM_TO_6));
  assertEquals(bytesText(proxyHeader(1, null, formatIp)), "PROXY UNKNOWN\r\n");
  assertEquals(bytesText(proxyHeader(2, null, formatIp)), binary(0x20, 0, ""));
});

Deno.test("ends of different families are both written as IPv6", () => {
  const mixed = between("192.0.2.1", 1, "2001:db8::2", 2);
  for (const version of [1, 2] as const) {
    const [{ addresses }] = read(bytesText(proxyHeader(version, mixed, formatIp)));
    assertEquals(addresses, between("::ffff:192.0.2.1", 1, "2001:db8::2", 2));
  }
});

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  embeddedIpv4,
  embeddedIpv4s,
  formatIp,
  type IpAddress,
  isLoopback,
  isUnspecified,
  looksLikeIpv4,
  parseIp,
  sameIp,
} from "../../src/http/ip_address.ts";

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === null) throw new Error(`${text} is no address`);
  return address;
}

Deno.test("IPv4 is four decimal numbers up to 255 without leading zeros, and nothing else", () => {
  assertEquals(parseIp("192.0.2.1"), { family: 4, bytes: Uint8Array.of(192, 0, 2, 1) });
  assertEquals(parseIp("0.0.0.0"), { family: 4, bytes: new Uint8Array(4) });
  assertEquals(parseIp("255.255.255.255"), { family: 4, bytes: new Uint8Array(4).fill(255) });
  for (
    const text of [
      "",
      ".",
      "...",
      "1",
      "1.2",
      "1.2.3",
      "1.2.3.",
      ".1.2.3",
      "1..2.3",
      "1.2.3.4.",
      ".1.2.3.4",
      "1.2.3.4.5",
      "256.0.0.1",
      "1.2.3.256",
      "1.2.3.1000",
      "01.2.3.4",
      "1.2.3.04",
      "00.0.0.0",
      "0177.0.0.1",
      "0x7f.0.0.1",
      "0x7f.1",
      "127.1",
      "2130706433",
      "+1.2.3.4",
      "-1.2.3.4",
      " 1.2.3.4",
      "1.2.3.4 ",
      "1.2.3.4\n",
      "1.2.3.4\0",
      "1,2,3,4",
      "１.2.3.4",
      "1。2.3.4",
      "٠.0.0.0",
      "1.2.3.4/8",
      "1.2.3.4:80",
    ]
  ) assertEquals(parseIp(text), null, JSON.stringify(text));
});

Deno.test("IPv6 is read in every spelling of RFC 4291 §2.2 and printed in the one of RFC 5952", () => {
  const canonical: Record<string, string> = {
    "::": "::",
    "::1": "::1",
    "1::": "1::",
    "0:0:0:0:0:0:0:0": "::",
    "0000:0000:0000:0000:0000:0000:0000:0001": "::1",
    // RFC 4291 §2.2
    "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789": "abcd:ef01:2345:6789:abcd:ef01:2345:6789",
    "2001:DB8:0:0:8:800:200C:417A": "2001:db8::8:800:200c:417a",
    "FF01:0:0:0:0:0:0:101": "ff01::101",
    "::13.1.68.3": "::d01:4403",
    "::FFFF:129.144.52.38": "::ffff:129.144.52.38",
    "::ffff:8190:3426": "::ffff:129.144.52.38",
    // RFC 5952 §2 and §4
    "2001:db8:0:0:1:0:0:1": "2001:db8::1:0:0:1",
    "2001:0db8:0:0:1:0:0:1": "2001:db8::1:0:0:1",
    "2001:db8::1:0:0:1": "2001:db8::1:0:0:1",
    "2001:db8:0000:1:1:1:1:1": "2001:db8:0:1:1:1:1:1",
    "2001:db8::1:1:1:1:1": "2001:db8:0:1:1:1:1:1",
    "2001:0:0:1:0:0:0:1": "2001:0:0:1::1",
    "2001:db8:0:0:0::1": "2001:db8::1",
    "1:2:3:4:5:6:7::": "1:2:3:4:5:6:7:0",
    "::2:3:4:5:6:7:8": "0:2:3:4:5:6:7:8",
    "1:0:0:2:0:0:3:0": "1::2:0:0:3:0",
    "1:2:3:4:5:6:1.2.3.4": "1:2:3:4:5:6:102:304",
    "1::1.2.3.4": "1::102:304",
    "64:ff9b::169.254.169.254": "64:ff9b::a9fe:a9fe",
  };
  for (const [text, expected] of Object.entries(canonical)) {
    assertEquals(formatIp(ip(text)), expected, text);
    assertEquals(formatIp(ip(expected)), expected, `${expected} once more`);
  }
});

Deno.test("what is no IPv6 address is not taken for one", () => {
  for (
    const text of [
      ":",
      ":::",
      ":1",
      "1:",
      "::1:",
      ":1::",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "::1:2:3:4:5:6:7:8",
      "1:2:3:4::5:6:7:8",
      "12345::",
      "::00001",
      "::g",
      "::-1",
      "::1 ",
      " ::1",
      "[::1]",
      "::1%eth0",
      "fe80::1%25eth0",
      "::1/128",
      "::1.2.3",
      "::1.2.3.4.5",
      "::1.2.3.4:5",
      "1.2.3.4::",
      "::256.1.1.1",
      "::01.2.3.4",
      "::0x7f.0.0.1",
      "1:2:3:4:5:6:7:1.2.3.4",
      "1:2:3:4:5:1.2.3.4",
      "::ffff:1.2.3.4.",
      "::１",
      "::\0",
      "v1.fe80::",
      "0000:0000:0000:0000:0000:0000:0000:0000:0000",
    ]
  ) assertEquals(parseIp(text), null, JSON.stringify(text));
});

/** An address and one of its many spellings, made without the code under test. */
const spelledIpv6 = fc.record({
  groups: fc.array(fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  }),
  padded: fc.boolean(),
  upper: fc.boolean(),
  quad: fc.boolean(),
  shorten: fc.nat(7),
}).map(({ groups, padded, upper, quad, shorten }) => {
  const words = groups.map((group) => {
    const text = group.toString(16).padStart(padded ? 4 : 1, "0");
    return upper ? text.toUpperCase() : text;
  });
  const bytes = Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
  if (quad) words.splice(6, 2, bytes.slice(12).join("."));
  // Any run of zero groups that begins at `shorten` may be left out, whole or in part.
  let end = shorten;
  while (end < Math.min(words.length, quad ? 6 : 8) && groups[end] === 0) end++;
  const text = end > shorten && shorten < words.length
    ? `${words.slice(0, shorten).join(":")}::${words.slice(end).join(":")}`
    : words.join(":");
  return { text, bytes };
});

Deno.test("every spelling of an IPv6 address is read as its bytes", () => {
  fc.assert(fc.property(spelledIpv6, ({ text, bytes }) => {
    assertEquals(parseIp(text), { family: 6, bytes }, text);
  }));
});

Deno.test("the canonical text is the URL Standard's, but for the dotted quad of mapped addresses", () => {
  fc.assert(fc.property(spelledIpv6, ({ bytes }) => {
    const text = formatIp({ family: 6, bytes });
    const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i] << 8 | bytes[2 * i + 1]).toString(16));
    const expected = new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
    if (expected.startsWith("::ffff:") && expected.split(":").length === 5) {
      assertEquals(text, `::ffff:${bytes.slice(12).join(".")}`);
    } else {
      assertEquals(text, expected);
    }
  }));
});

Deno.test("what is printed reads back the same", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    spelledIpv6.map(({ bytes }) => bytes),
  );
  fc.assert(fc.property(bytes, (bytes) => {
    const address: IpAddress = { family: bytes.length === 4 ? 4 : 6, bytes };
    const back = ip(formatIp(address));
    assertEquals(back, address);
    assert(sameIp(back, address));
  }));
});

Deno.test("no text makes the reader throw, and what it takes it prints", () => {
  const near = fc.string({ unit: fc.constantFrom(..."0127afF:.%x[]g "), maxLength: 48 });
  fc.assert(
    fc.property(fc.oneof(near, fc.string({ unit: "binary" })), (text) => {
      const address = parseIp(text);
      if (address !== null) assertEquals(parseIp(formatIp(address)), address);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("the IPv4 address inside an IPv6 one is found, however it is put in", () => {
  const inside: Record<string, string[]> = {
    "::ffff:169.254.169.254": ["169.254.169.254"],
    "::ffff:a9fe:a9fe": ["169.254.169.254"],
    "::169.254.169.254": ["169.254.169.254"],
    "::0.0.0.2": ["0.0.0.2"],
    "::ffff:0:10.1.2.3": ["10.1.2.3"],
    "64:ff9b::a9fe:a9fe": ["169.254.169.254"],
    "2002:7f00:1::": ["127.0.0.1"],
    "2002:a9fe:a9fe:1234::1": ["169.254.169.254"],
    // RFC 4380 §4 and its example of a client 192.0.2.45 behind the server 65.54.227.120
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": ["192.0.2.45", "65.54.227.120"],
    "2001:db8::5efe:192.0.2.1": ["192.0.2.1"],
    "fe80::200:5efe:192.0.2.1": ["192.0.2.1"],
  };
  for (const [text, expected] of Object.entries(inside)) {
    assertEquals(embeddedIpv4s(ip(text)).map(formatIp), expected, text);
    assertEquals(formatIp(embeddedIpv4(ip(text))!), expected[0], text);
  }
});

Deno.test("a local NAT64 prefix is searched at every length that RFC 6052 §2.2 allows there", () => {
  for (
    const text of [
      "64:ff9b:1::192.0.2.33", // /96
      "64:ff9b:1:c000:2:2100::", // /48
      "64:ff9b:1:12c0:0:221::", // /56
      "64:ff9b:1:1234:c0:2:2100::", // /64
    ]
  ) assert(embeddedIpv4s(ip(text)).some((address) => formatIp(address) === "192.0.2.33"), text);
});

Deno.test("an address that holds one IPv4 address by its prefix may hold another as ISATAP's", () => {
  for (
    const [text, ...expected] of [
      ["2002:808:808::5efe:7f00:1", "8.8.8.8", "127.0.0.1"],
      ["2001:0:808:808:0:5efe:7f00:1", "128.255.255.254", "8.8.8.8", "127.0.0.1"],
      ["64:ff9b:1:102:0:5efe:7f00:1", "127.0.0.1", "1.2.0.94", "2.0.94.254", "0.94.254.127", "127.0.0.1"],
    ]
  ) assertEquals(embeddedIpv4s(ip(text)).map(formatIp), expected, text);
});

Deno.test("addresses that hold no IPv4 address hold none", () => {
  for (
    const text of [
      "127.0.0.1",
      "::",
      "::1",
      "2001:db8::1",
      "fe80::1",
      "2003::a9fe:a9fe",
      "64:ff9c::a9fe:a9fe",
    ]
  ) {
    assertEquals(embeddedIpv4s(ip(text)), [], text);
    assertEquals(embeddedIpv4(ip(text)), null, text);
  }
});

Deno.test("a host that ends in a number looks like IPv4 (URL Standard, ends-in-a-number)", () => {
  for (
    const host of [
      "127.0.0.1",
      "127.1",
      "127.1.",
      "0x7f.1",
      "0X7F.0x1",
      "0x7f000001",
      "0x",
      "0x.",
      "1.0x",
      "2130706433",
      "0177.0.0.1",
      "99999999999",
      "1.2.3.4.5",
      "example.1",
      "example.09",
      "foo.0xa",
      "0",
    ]
  ) assert(looksLikeIpv4(host), host);
  for (
    const host of [
      "",
      ".",
      "example.com",
      "1.example",
      "1.2.3.4x",
      "0xg",
      "x0",
      "1a",
      "a.1e3",
      "127.0.0.1.com",
      "1..",
    ]
  ) assert(!looksLikeIpv4(host), host);
});

Deno.test("whatever the URL Standard turns into an IPv4 address looks like one", () => {
  const number = fc.oneof(
    fc.nat(300).map(String),
    fc.nat(255).map((n) => `0${n.toString(8)}`),
    fc.nat(0xffffff).map((n) => `0x${n.toString(16)}`),
    fc.nat().map(String),
  );
  const host = fc.tuple(fc.array(number, { minLength: 1, maxLength: 4 }), fc.constantFrom("", "."))
    .map(([numbers, dot]) => numbers.join(".") + dot);
  fc.assert(fc.property(host, (host) => {
    if (!URL.canParse(`http://${host}/`)) return;
    assert(parseIp(new URL(`http://${host}/`).hostname) !== null);
    assert(looksLikeIpv4(host), host);
  }));
});

Deno.test("loopback and unspecified addresses are known", () => {
  for (const text of ["127.0.0.1", "127.255.255.255", "::1"]) assert(isLoopback(ip(text)), text);
  for (const text of ["128.0.0.1", "0.0.0.0", "::", "::2", "1::1", "::ffff:127.0.0.1"]) {
    assert(!isLoopback(ip(text)), text);
  }
  for (const text of ["0.0.0.0", "::"]) assert(isUnspecified(ip(text)), text);
  for (const text of ["0.0.0.1", "::1", "::ffff:0.0.0.0"]) assert(!isUnspecified(ip(text)), text);
});

Deno.test("addresses of different families are never the same", () => {
  assert(!sameIp(ip("0.0.0.0"), ip("::")));
  assert(!sameIp(ip("1.2.3.4"), ip("::ffff:1.2.3.4")));
  assert(sameIp(ip("::0001"), ip("::1")));
});

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { embeddedIpv4s, type IpAddress, isIpv4Mapped, parseIp } from "../../src/http/ip_address.ts";
import {
  clientScopeOf,
  leastScopeIn,
  meaningsOf,
  meaningWithScope,
  plainAddress,
  plainScope,
  PRIVACY,
  type Scope,
  scopeOf,
} from "../../src/policy/address_scope.ts";
import { parseNetworks } from "../../src/policy/network.ts";

const ip = (text: string) => parseIp(text)!;

/** The first and the last of every block of the registries, and what lies beside them. */
const SCOPES: Readonly<Record<Scope, readonly string[]>> = {
  public: [
    "1.0.0.0",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.0.9",
    "192.0.0.10",
    "192.0.1.0",
    "192.0.3.0",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "192.175.48.1",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2000::1",
    "2001:0:808:808::f7f7:f7f7", // Teredo with public addresses
    "2001:1::1",
    "2001:1::2",
    "2001:1::3",
    "2001:3::1",
    "2001:4:112::1",
    "2001:20::1",
    "2001:2f:ffff::",
    "2001:30::1",
    "2001:200::1",
    "2001:db7:ffff::",
    "2001:db9::",
    "2002:808:808::1",
    "2606:4700:4700::1111",
    "2620:4f:8000::1",
    "3ffe:ffff::",
    "3fff:1000::",
    "64:ff9b::8.8.8.8",
    "::ffff:8.8.8.8",
    "2606:4700::5efe:808:808",
  ],
  private: [
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.199",
    "100.127.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.168.0.0",
    "192.168.255.255",
    "fc00::",
    "fd00:ec2::253",
    "fdff:ffff::",
    "fec0::",
    "feff::1",
    "::ffff:10.0.0.1",
    "64:ff9b::192.168.0.1",
    "2002:a00:1::",
    "2606:4700::5efe:c0a8:1",
    "2606:4700::200:5efe:c0a8:1",
    "64:ff9b:1:808:8:800:808:808", // every reading is public, the prefix is not
  ],
  unspecified: [
    "0.0.0.0",
    "0.0.0.1",
    "0.255.255.255",
    "::",
    "::ffff:0.0.0.0",
    "::ffff:0.1.2.3",
    "::0.1.2.3",
    "::ffff:0:0.0.0.0",
    "64:ff9b::0.0.0.0",
    "2002::1",
    "2606:4700::5efe:0:0",
    "fe80::5efe:0.0.0.0",
    "2001:0:808:808::ffff:ffff", // Teredo's client is 0.0.0.0
  ],
  loopback: [
    "127.0.0.1",
    "127.255.255.255",
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b:1::10.0.0.1", // three of its readings are always zero
    "64:ff9b::127.0.0.1",
    "64:ff9b:1:808:8:800:7f00:1",
    "2002:7f00:1::",
    "2001:0:808:808::80ff:fffe", // Teredo's client is 127.0.0.1
    "2001:0:7f00:1::f7f7:f7f7", // Teredo's server is
    "2606:4700::5efe:7f00:1",
    "2002:808:808::5efe:7f00:1",
    "fd00::5efe:7f00:1",
  ],
  reserved: [
    "192.0.0.0",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.0.255",
    "192.0.2.0",
    "192.0.2.255",
    "192.88.99.1",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.255",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.255",
    "::1.0.0.2", // IPv4-compatible
    "::8.8.8.8",
    "::127.0.0.1",
    "::ffff:0:8.8.8.8", // IPv4-translated
    "100::1",
    "100:0:0:1::1",
    "64:ff9a::1",
    "64:ff9b:0:1::1",
    "1000::1",
    "2001:1::4",
    "2001:2::1",
    "2001:10::1",
    "2001:1ff:ffff::",
    "2001:db8::1",
    "3fff::1",
    "3fff:fff:ffff::",
    "4000::1",
    "5f00::1",
    "8000::1",
    "fe00::1",
    "ff02::1",
    "ffff::1",
    "::ffff:224.0.0.1",
    "2002:e000:1::",
  ],
  metadata: [
    "169.254.0.0",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "febf:ffff::",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:42::42",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::169.254.169.254",
    "64:ff9b:1:a9fe:a9:fe00::",
    "2002:a9fe:a9fe::",
    "2002:a9fe:a9fe::5efe:808:808",
    "2606:4700::5efe:a9fe:a9fe",
    "fe80::5efe:808:808",
  ],
};

for (const [scope, addresses] of Object.entries(SCOPES)) {
  Deno.test(`addresses that are ${scope} are known, also inside others`, () => {
    for (const text of addresses) assertEquals(scopeOf(ip(text)), scope, text);
  });
}

Deno.test("the scope of an address is the most private of all that it may mean", () => {
  // bytes that make prefixes and identifiers with IPv4 addresses inside likely
  const prefix = fc.constantFrom(
    "2002:",
    "2001:0:",
    "64:ff9b::",
    "64:ff9b:1:",
    "::ffff:",
    "::",
    "2606:4700:",
    "fd00:",
  );
  const inside = fc.constantFrom("7f00:1", "a9fe:a9fe", "a00:1", "808:808", "e000:1", "f5ff:fffe");
  const address = fc.tuple(prefix, inside, fc.constantFrom("0:5efe", "200:5efe", "1:2"), inside).map(
    ([prefix, first, middle, last]) => {
      if (prefix.endsWith("::")) return `${prefix}${last}`;
      if (prefix === "::ffff:") return `::ffff:${last}`;
      const groups = `${prefix}${first}`.split(":").filter(Boolean);
      return [...groups, ...Array<string>(4 - Math.min(4, groups.length)).fill("0"), middle, last].join(":");
    },
  );
  fc.assert(
    fc.property(address, (text) => {
      const parsed = parseIp(text);
      if (parsed === null) return;
      const scope = PRIVACY[scopeOf(parsed)];
      for (const inside of embeddedIpv4s(parsed)) assert(scope >= PRIVACY[scopeOf(inside)], text);
      assertEquals(scope, Math.max(...meaningsOf(parsed).map((meaning) => PRIVACY[plainScope(meaning)])));
    }),
  );
});

Deno.test("an address stands for an IPv4 one where it can lead nowhere else", () => {
  const plain = (text: string) => plainAddress(ip(text));
  assertEquals(plain("::ffff:8.8.8.8"), ip("8.8.8.8"));
  assertEquals(plain("64:ff9b::8.8.8.8"), ip("8.8.8.8"));
  for (
    const text of ["8.8.8.8", "2002:808:808::", "2606:4700::5efe:808:808", "::8.8.8.8", "64:ff9b:1::8.8.8.8"]
  ) {
    assertEquals(plain(text), ip(text), text);
  }
});

Deno.test("the meaning on which a judgement rests can be named", () => {
  assertEquals(meaningWithScope(ip("2002:a9fe:a9fe::"), "metadata"), "169.254.169.254");
  assertEquals(meaningWithScope(ip("::ffff:10.0.0.1"), "private"), "10.0.0.1");
  assertEquals(meaningWithScope(ip("2001:0:808:808::80ff:fffe"), "loopback"), "127.0.0.1");
  assertEquals(meaningWithScope(ip("fd00::1"), "private"), "fd00::1");
});

Deno.test("a client is taken for no more private than its address proves", () => {
  for (
    const [text, scope] of [
      ["127.0.0.1", "loopback"],
      ["127.9.9.9", "loopback"],
      ["::1", "loopback"],
      ["::ffff:127.0.0.1", "loopback"],
      ["10.0.0.1", "private"],
      ["100.64.0.1", "private"],
      ["::ffff:192.168.0.1", "private"],
      ["fd00::1", "private"],
      ["fec0::1", "private"],
      // on the same network, therefore private
      ["169.254.1.1", "private"],
      ["fe80::1", "private"],
      ["8.8.8.8", "public"],
      ["2606:4700::1", "public"],
      // from where nobody should come
      ["100.100.100.200", "public"],
      ["168.63.129.16", "public"],
      ["fd00:ec2::254", "public"],
      ["192.0.2.1", "public"],
      ["255.255.255.255", "public"],
      ["ff02::1", "public"],
      ["0.0.0.0", "public"],
      ["0.1.2.3", "public"],
      ["::", "public"],
      // addresses that anybody may make, whatever is inside
      ["2002:7f00:1::", "public"],
      ["64:ff9b::127.0.0.1", "public"],
      ["64:ff9b:1::10.0.0.1", "public"],
      ["::127.0.0.1", "public"],
      ["2606:4700::5efe:7f00:1", "public"],
      ["fe80::5efe:a00:1", "public"],
      ["2001:0:808:808::80ff:fffe", "public"],
    ] as const
  ) assertEquals(clientScopeOf(ip(text)), scope, text);
});

Deno.test("no address of a network is less private than the network's least scope", () => {
  for (
    const [text, scope] of [
      ["10.0.0.0/8", "private"],
      ["10.1.2.0/24", "private"],
      ["8.0.0.0/6", "public"],
      ["0.0.0.0/0", "public"],
      ["::/0", "public"],
      ["100.64.0.0/10", "private"],
      ["100.100.100.200", "metadata"],
      ["100.100.100.200/31", "private"],
      ["169.254.0.0/16", "metadata"],
      ["169.254.169.254", "metadata"],
      ["192.0.0.0/24", "public"],
      ["192.0.0.128/25", "reserved"],
      ["224.0.0.0/4", "reserved"],
      ["fc00::/7", "private"],
      ["fd00:ec2::/32", "private"],
      ["2001::/23", "public"],
      ["2001:db8::/32", "reserved"],
      ["2002:a00:1::/48", "public"], // never too private
      ["2002:a00:1::1", "private"],
    ] as const
  ) assertEquals(leastScopeIn(parseNetworks(text)[0]), scope, text);

  const bytes = fc.oneof(
    fc.constantFrom(...Object.values(SCOPES).flat()).map((text) => ip(text).bytes),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(
      bytes,
      fc.nat(128),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      (start, length, other) => {
        const width = start.length;
        const bits = Math.min(length, width * 8);
        // one of the network's addresses is `other` but for the first bits
        const mask = Array.from(
          { length: width },
          (_, i) => 0xff << (8 - Math.max(0, Math.min(8, bits - i * 8))) & 0xff,
        );
        const first = start.map((byte, i) => byte & mask[i]);
        const within = start.map((byte, i) => byte & mask[i] | other[i] & ~mask[i]);
        const family = width === 4 ? 4 : 6;
        const held: IpAddress = { family, bytes: within };
        // an IPv4-mapped address is in no IPv6 network
        fc.pre(!isIpv4Mapped(within));
        const least = leastScopeIn({ text: "", family, bytes: first, bits });
        assert(PRIVACY[least] <= PRIVACY[scopeOf(held)]);
      },
    ),
    { numRuns: 2000 },
  );
});

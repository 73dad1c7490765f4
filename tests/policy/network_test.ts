import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { formatIp, type IpAddress, parseIp } from "../../src/http/ip_address.ts";
import {
  isSingleAddress,
  type Network,
  networkContains,
  Networks,
  parseNetworks,
} from "../../src/policy/network.ts";
import { PatternError } from "../../src/policy/pattern_error.ts";

const ip = (text: string) => parseIp(text)!;
const written = ({ family, bytes, bits }: Network) => `${formatIp({ family, bytes })}/${bits}`;

Deno.test("an address and a block are one network, in IPv6 with brackets or without", () => {
  for (
    const [text, expected] of [
      ["192.0.2.1", "192.0.2.1/32"],
      ["10.0.0.0/8", "10.0.0.0/8"],
      ["0.0.0.0/0", "0.0.0.0/0"],
      ["10.128.0.0/9", "10.128.0.0/9"],
      ["192.0.2.254/31", "192.0.2.254/31"],
      ["2001:db8::1", "2001:db8::1/128"],
      ["[2001:db8::1]", "2001:db8::1/128"],
      ["2001:DB8:0::/32", "2001:db8::/32"],
      ["[2001:db8::]/32", "2001:db8::/32"],
      ["::/0", "::/0"],
      ["::", "::/128"],
      ["fe80::/10", "fe80::/10"],
    ]
  ) {
    const networks = parseNetworks(text);
    assertEquals(networks.map(written), [expected], text);
    assertEquals(networks[0].text, text, "as it was written");
  }
});

Deno.test("the words stand for all networks of their kind, in both families", () => {
  const of = (word: string) => parseNetworks(word).map(written);
  assertEquals(of("loopback"), ["127.0.0.0/8", "::1/128"]);
  assertEquals(of("private"), [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
    "fec0::/10",
  ]);
  assertEquals(of("link-local"), ["169.254.0.0/16", "fe80::/10"]);
  assertEquals(of("all"), ["0.0.0.0/0", "::/0"]);
  assertEquals(new Set(parseNetworks("private").map(({ text }) => text)), new Set(["private"]));
});

Deno.test("an IPv4-mapped network is the IPv4 network inside", () => {
  assertEquals(parseNetworks("::ffff:10.0.0.0/104").map(written), ["10.0.0.0/8"]);
  assertEquals(parseNetworks("[::ffff:127.0.0.1]").map(written), ["127.0.0.1/32"]);
  assertEquals(parseNetworks("::ffff:0:0/96").map(written), ["0.0.0.0/0"]);
});

Deno.test("bits beyond the prefix are refused with the block and the address that may be meant", () => {
  for (
    const [text, block, address] of [
      ["10.0.0.1/8", "10.0.0.0/8", "10.0.0.1"],
      ["192.168.1.129/25", "192.168.1.128/25", "192.168.1.129"],
      ["1.2.3.4/0", "0.0.0.0/0", "1.2.3.4"],
      ["[2001:db8::1]/32", "2001:db8::/32", "2001:db8::1"],
      ["fe80::1/10", "fe80::/10", "fe80::1"],
    ]
  ) {
    const { message } = assertThrows(() => parseNetworks(text), PatternError);
    assert(message.includes(`write ${block}, or ${address} `), message);
  }
});

Deno.test("what is no network is refused with what to write", () => {
  for (
    const [text, advice] of [
      ["", "write an address"],
      ["example.com", "loopback, private, link-local, all"],
      ["Private", "loopback, private, link-local, all"],
      ["127.1", "write an address"],
      ["0x7f.0.0.1", "write an address"],
      ["010.0.0.0/8", "write an address"],
      [" 10.0.0.0/8", "write an address"],
      ["[10.0.0.0]/8", "write an address"],
      ["[2001:db8::", "write an address"],
      ["2001:db8::]/32", "write an address"],
      ["[2001:db8::/32]", "write an address"],
      ["fe80::1%eth0", "zone identifier"],
      ["10.0.0.0/", "0 to 32, as in 10.0.0.0/8"],
      ["10.0.0.0/33", "0 to 32"],
      ["10.0.0.0/08", "0 to 32"],
      ["10.0.0.0/+8", "0 to 32"],
      ["10.0.0.0/8/8", "0 to 32"],
      ["10.0.0.0/255.0.0.0", "0 to 32"],
      ["2001:db8::/129", "0 to 128, as in 2001:db8::/32"],
      ["2001:db8::/1e1", "0 to 128"],
    ]
  ) {
    const { message } = assertThrows(() => parseNetworks(text), PatternError);
    assert(message.includes(advice), `${text}: ${message}`);
  }
});

Deno.test("a network holds its first and its last address and none beside them", () => {
  for (
    const [text, inside, outside] of [
      ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], [
        "9.255.255.255",
        "11.0.0.0",
        "::a00:1",
      ]],
      ["172.16.0.0/12", ["172.16.0.0", "172.31.255.255"], ["172.15.255.255", "172.32.0.0"]],
      ["192.0.2.1", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2", "::"]],
      ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "::ffff:8.8.8.8"], [
        "::",
        "2001:db8::1",
        "64:ff9b::8.8.8.8",
      ]],
      ["::/0", ["::", "ffff::", "64:ff9b::8.8.8.8"], ["8.8.8.8", "::ffff:8.8.8.8"]],
      ["fc00::/7", ["fc00::", "fdff:ffff::"], ["fbff::", "fe00::"]],
    ] as const
  ) {
    const [network] = parseNetworks(text);
    const many = new Networks([network]);
    for (const each of inside) {
      assert(networkContains(network, ip(each)) && many.includes(ip(each)), `${text} holds ${each}`);
    }
    for (const each of outside) {
      assert(
        !networkContains(network, ip(each)) && !many.includes(ip(each)),
        `${text} does not hold ${each}`,
      );
    }
  }
});

Deno.test("a single address is one by its bits", () => {
  assertEquals(
    ["10.0.0.1", "10.0.0.0/31", "::1", "::/127"].map((text) => isSingleAddress(parseNetworks(text)[0])),
    [
      true,
      false,
      true,
      false,
    ],
  );
});

Deno.test("a network that is printed reads back the same", () => {
  const network = fc.tuple(
    fc.constantFrom(4, 16),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.nat(128),
  );
  fc.assert(
    fc.property(network, ([width, bytes, length]) => {
      const bits = Math.min(length, width * 8);
      const text = `${formatIp(masked(bytes.slice(0, width), bits))}/${bits}`;
      assertEquals(parseNetworks(text).map(written), [text.replace(/^::ffff:(.*\..*)\/(\d+)$/, mapped)]);
    }),
  );
});

const mapped = (_: string, ipv4: string, bits: string) => `${ipv4}/${Number(bits) - 96}`;

function masked(bytes: Uint8Array, bits: number): IpAddress {
  const kept = bytes.map((byte, index) => {
    const within = Math.max(0, Math.min(8, bits - index * 8));
    return byte & 0xff << (8 - within);
  });
  return { family: kept.length === 4 ? 4 : 6, bytes: kept };
}

Deno.test("many networks hold an address when one of them does", () => {
  // few different bytes, so that blocks lie in others and addresses in blocks
  const byte = fc.constantFrom(0, 1, 127, 128, 255);
  const address = fc.constantFrom(4, 16).chain((width) =>
    fc.array(byte, { minLength: width, maxLength: width })
  )
    .map((bytes): IpAddress => ({ family: bytes.length === 4 ? 4 : 6, bytes: Uint8Array.from(bytes) }));
  const network = fc.tuple(address, fc.nat(128)).map(([{ family, bytes }, length]): Network => {
    const bits = Math.min(length, bytes.length * 8);
    return { text: "", family, bytes: masked(bytes, bits).bytes, bits };
  });
  fc.assert(
    fc.property(
      fc.array(network, { maxLength: 40 }),
      fc.array(address, { minLength: 1 }),
      (networks, addresses) => {
        const many = new Networks(networks);
        assert(many.size <= networks.length);
        for (const each of addresses) {
          assertEquals(many.includes(each), networks.some((network) => networkContains(network, each)));
        }
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("no networks hold nothing", () => {
  const none = new Networks([]);
  assertEquals(none.size, 0);
  assertEquals(["0.0.0.0", "::", "::ffff:1.2.3.4"].map((text) => none.includes(ip(text))), [
    false,
    false,
    false,
  ]);
});

Deno.test("no text makes the reader throw anything else, and what it takes reads back the same", () => {
  const text = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.string({ unit: fc.constantFrom(..."0123456789abcdf.:/[]%x-+ "), maxLength: 50 }),
    fc.tuple(
      fc.constantFrom("10.0.0.0", "::", "[::1]", "2001:db8::", "::ffff:1.2.3.4"),
      fc.string({ maxLength: 5 }),
    )
      .map(([address, rest]) => `${address}/${rest}`),
  );
  fc.assert(
    fc.property(text, (text) => {
      let networks: Network[];
      try {
        networks = parseNetworks(text);
      } catch (error) {
        if (!(error instanceof PatternError)) throw error;
        assert(!/[^\x20-\x7e…]/.test(error.message), "a message can be printed");
        assert(error.message.length < 500);
        return;
      }
      assertEquals(
        networks.flatMap((network) => parseNetworks(written(network))).map(written),
        networks.map(written),
      );
    }),
    { numRuns: 3000 },
  );
});

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseIp } from "../../src/http/ip_address.ts";
import type { HostList } from "../../src/policy/host_list.ts";
import { HOST_LIST_LIMITS, HostListReader, type HostListReading } from "../../src/policy/host_list_reader.ts";
import { addressIn, namedBy, readNaively, sizeOf } from "./naive_hosts.ts";

const encoder = new TextEncoder();

/** Reads a text in UTF-8, or bytes, cut at these places. */
function read(written: string | Uint8Array, cuts: readonly number[] = []): HostListReading {
  const bytes = typeof written === "string" ? encoder.encode(written) : written;
  const reader = new HostListReader();
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    // what is read may be used again at once
    const chunk = bytes.slice(from, cut);
    reader.read(chunk);
    chunk.fill(0x61);
    from = cut;
  }
  return reader.end();
}

const named = (list: HostList, hosts: readonly string[]) => hosts.filter((host) => list.includesName(host));
const hasAddress = (list: HostList, address: string) => list.includesAddress(parseIp(address)!);

Deno.test("one host a line, in the forms that rules have", () => {
  const { list, problems, more } = read(
    "example.com\n*.sub.example\n.both.example\nB\u00fccher.Example.\n10.0.0.0/8\n192.0.2.1\n2001:db8::/32\n[::1]\n",
  );
  assertEquals([problems, more], [[], 0]);
  assertEquals(list.size, 8);
  const hosts = ["example.com", "a.example.com", "sub.example", "a.b.sub.example", "both.example"];
  assertEquals(named(list, [...hosts, "a.both.example", "xn--bcher-kva.example", "10.0.0.1"]), [
    "example.com",
    "a.b.sub.example",
    "both.example",
    "a.both.example",
    "xn--bcher-kva.example",
  ]);
  assert(list.hasAddresses);
  const addresses = ["10.1.2.3", "11.0.0.1", "192.0.2.1", "192.0.2.2", "2001:db8:1::1", "::1", "::2"];
  assertEquals(addresses.filter((address) => hasAddress(list, address)), [
    "10.1.2.3",
    "192.0.2.1",
    "2001:db8:1::1",
    "::1",
  ]);
});

Deno.test("comments, empty lines, blanks, CRLF, a byte order mark and a last line without its end", () => {
  const { list, problems } = read(
    "\ufeffone.example\r\n\r\n# two.example\n! three.example\n  \t \n\tfour.example \t# five.example\r\n" +
      "six.example #\nseven.example\t#x\n[Adblock Plus 2.0]\n#\n.eight.example",
  );
  assertEquals(problems, []);
  const hosts = ["one", "two", "three", "four", "five", "six", "seven", "eight", "a.eight"]
    .map((name) => `${name}.example`);
  assertEquals(
    named(list, hosts),
    ["one", "four", "six", "seven", "eight", "a.eight"].map((name) => `${name}.example`),
  );
  assertEquals(list.size, 5);
  assert(!list.hasAddresses);
});

Deno.test("the lines of hosts files name what stands behind the address, but not the machine itself", () => {
  const { list, problems } = read(`
127.0.0.1 localhost localhost.localdomain local
255.255.255.255 broadcasthost
::1 localhost ip6-localhost ip6-loopback
fe80::1%lo0 localhost
ff02::1 ip6-allnodes
0.0.0.0 0.0.0.0
0.0.0.0 ads.example.com tracker.example.org  # and why
0.0.0.0\tADS2.example.com
127.0.0.1 local.example localhost.example
:: b\u00fccher.example
`);
  assertEquals(problems, []);
  assertEquals(list.hasAddresses, false);
  const hosts = ["localhost", "local", "broadcasthost", "ip6-allnodes", "a.ads.example.com"];
  const listed = [
    "ads.example.com",
    "tracker.example.org",
    "ads2.example.com",
    "local.example",
    "localhost.example",
    "xn--bcher-kva.example",
  ];
  assertEquals(named(list, [...hosts, ...listed]), listed);
  assertEquals(list.size, listed.length);
});

Deno.test("of ad blockers' rules, the one that means a domain is understood", () => {
  const { list, problems } = read(
    "||example.com^\n||192.0.2.1^\n||b\u00fccher.example^\n@@||good.example^\n||x.example^$third-party\n||y.example\n" +
      "example.org##.ad\n|https://z.example|\n||*.w.example^\n",
  );
  assertEquals(named(list, ["example.com", "a.example.com", "a.xn--bcher-kva.example"]).length, 3);
  assert(hasAddress(list, "192.0.2.1"));
  assertEquals(list.size, 3);
  assertEquals(problems.map(({ line }) => line), [4, 5, 6, 7, 8, 9]);
  assert(problems[0].message.includes("write .example.com"), problems[0].message);
});

Deno.test("wrong lines are said with their numbers and are not in the list, and the others are", () => {
  const wrong: [line: string, message: string][] = [
    ["https://example.com/x", 'write "example.com"'],
    ["a*.example", "or *.example for all names below it"],
    ["*", 'write hosts = ["*"] in the rule'],
    ["@other.txt", "is another list"],
    ["two words", "is more than one word"],
    ["10.0.0.1 10.0.0.2", "several addresses"],
    ["10.0.0.0/8 example.com", "is more than one word"],
    ["127.1", "no plain IPv4 address"],
    ["a..b", "a dot too many"],
    ["exa\0mple.com", "control character"],
    ["example.com\rexample.org", "control character"],
    ["example.com#comment", "goes on after the host"],
    ["a".repeat(64) + ".example", "more than 63"],
    ["a.".repeat(130) + "example", "longer than 253"],
    ["x".repeat(5000), "longer than 4096 bytes"],
    ["0.0.0.0 good.example bad..example", "a dot too many"],
    [".", "names no domain"],
  ];
  const { list, problems, more } = read(wrong.map(([line]) => line).join("\n") + "\nlast.example");
  assertEquals(problems.map(({ line }) => line), wrong.map((_, index) => index + 1));
  assertEquals(more, 0);
  problems.forEach(({ message }, index) => assert(message.includes(wrong[index][1]), message));
  assertEquals(list.size, 2);
  assertEquals(named(list, ["good.example", "last.example"]).length, 2);
});

Deno.test("of many wrong lines twenty are said and the others counted", () => {
  const { list, problems, more } = read("a..b\n".repeat(1000) + "example.com\n");
  assertEquals([problems.length, problems[19].line, more, list.size], [20, 20, 980, 1]);
});

Deno.test("a line that is no UTF-8 is a problem, within a comment it is none", () => {
  const { list, problems } = read(
    Uint8Array.from("b\xfccher.example\n# \xff\nexample.com # \xfe\na \xff\n", (c) => c.charCodeAt(0)),
  );
  assertEquals(problems.map(({ line }) => line), [1, 4]);
  for (const { message } of problems) assert(message.includes("save the file as UTF-8"), message);
  assert(list.includesName("example.com"));
});

Deno.test("a file of UTF-16 is problems and no crash", () => {
  const text = "\ufeffexample.com\r\nexample.org\r\n";
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) new DataView(bytes.buffer).setUint16(2 * i, text.charCodeAt(i), true);
  const { list, problems } = read(bytes);
  assertEquals(list.size, 0);
  assert(problems.length >= 2);
});

Deno.test("lines of 4096 bytes are read, longer ones not, however they come", () => {
  const comment = (length: number) => `a.example ${"#".repeat(length - 10)}`;
  for (const end of ["\n", "\r\n", ""]) {
    for (const cuts of [[], [4095], [4096], [4097], [1, 4098]]) {
      const lines = (length: number) => read(comment(length) + end, cuts);
      assertEquals(lines(4096).list.size, 1, `${cuts}`);
      assertEquals(lines(4097).problems.length, 1, `${cuts}`);
      assertEquals(lines(4099).list.size, 0, `${cuts}`);
    }
  }
});

Deno.test("one line of 100 MB is one problem and takes no memory", () => {
  const reader = new HostListReader();
  const chunk = new Uint8Array(1 << 20).fill(0x61);
  for (let i = 0; i < 100; i++) reader.read(chunk);
  reader.read(encoder.encode("\nexample.com\n"));
  const { list, problems } = reader.end();
  assertEquals(problems.map(({ line }) => line), [1]);
  assert(list.includesName("example.com"));
  assertEquals(list.size, 1);
});

Deno.test("what is beyond the limits is said and left out", () => {
  const reader = new HostListReader({ ...HOST_LIST_LIMITS, maxNames: 2, maxNetworks: 1 });
  reader.read(encoder.encode("a.example\nb.example\na.example\nc.example\n10.0.0.0/8\n192.0.2.1\n"));
  const { list, problems } = reader.end();
  assertEquals(problems.map(({ line }) => line), [4, 6]);
  for (const { message } of problems) assert(message.startsWith("the list is full"), message);
  assertEquals(list.size, 3);
  assert(!list.includesName("c.example") && !hasAddress(list, "192.0.2.1"));
});

Deno.test("an empty file is an empty list", () => {
  for (const text of ["", "\n", "\ufeff", "# nothing"]) {
    const { list, problems } = read(text);
    assertEquals([list.size, list.hasAddresses, problems.length], [0, false, 0]);
    assert(!list.includesName("example.com") && !hasAddress(list, "127.0.0.1"));
  }
});

const SAMPLE =
  "\ufeff# list\r\nOne.example\r\n*.two.example # x\n\n.thr\u00e9e.example\n0.0.0.0 four.example localhost\n" +
  "bad..name\n10.0.0.0/8\n||five.example^\n\xff\u0000\n! x\n[::1]\n  six.example";

/** All that can be seen of what was read. */
function seen({ list, problems, more }: HostListReading, hosts: readonly string[]) {
  const addresses = ["10.1.1.1", "::1", "0.0.0.0", "192.0.2.1"].map((address) => hasAddress(list, address));
  return { size: list.size, named: named(list, hosts), addresses, problems, more };
}

Deno.test("a list that comes in two pieces or byte by byte is the list that comes in one", () => {
  const bytes = encoder.encode(SAMPLE);
  const hosts = ["one", "two", "a.two", "xn--thre-epa", "a.xn--thre-epa", "four", "localhost", "five", "six"]
    .map((name) => `${name}.example`);
  const whole = seen(read(bytes), hosts);
  assertEquals(whole.size, 8);
  assertEquals(whole.problems.length, 2);
  for (let cut = 0; cut <= bytes.length; cut++) {
    assertEquals(seen(read(bytes, [cut]), hosts), whole, `${cut}`);
  }
  assertEquals(seen(read(bytes, Array.from(bytes, (_, index) => index)), hosts), whole);
});

const label = fc.constantFrom("a", "b", "A", "x-1", "_s", "com", "1", "\u00fc");
const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const word = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom("", "", "", ".", "*.", "*"), host, fc.constantFrom("", "", "."))
      .map((parts) => parts.join("")),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "10.0.0.0/8",
      "::1",
      "0.0.0.0",
      "[::]/0",
      "localhost",
      "||a.b^",
      "*",
      "#",
      "!",
      "",
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
);
const line = fc.oneof(
  { weight: 4, arbitrary: word },
  { weight: 1, arbitrary: fc.array(word, { maxLength: 3 }).map((words) => ["0.0.0.0", ...words].join(" ")) },
  { weight: 1, arbitrary: fc.array(word, { maxLength: 3 }).map((words) => words.join("\t")) },
);
const file = fc.array(fc.tuple(line, fc.constantFrom("\n", "\n", "\r\n", " # x\n")), { maxLength: 40 })
  .map((lines) => lines.map((parts) => parts.join("")).join(""));

Deno.test("any list means what a naive reader says that it means", () => {
  fc.assert(
    fc.property(
      file,
      fc.array(host, { maxLength: 10 }),
      fc.array(fc.nat(400), { maxLength: 4 }),
      (text, hosts, cuts) => {
        const bytes = encoder.encode(text);
        const naive = readNaively(String.fromCharCode(...bytes));
        const within = cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b);
        const { list, problems, more } = read(bytes, within);
        assertEquals(problems.map(({ line }) => line), naive.problems.slice(0, 20));
        assertEquals(problems.length + more, naive.problems.length);
        assertEquals(list.size, sizeOf(naive));
        const asked = hosts.map((host) => host.toLowerCase().replaceAll("\u00fc", "xn--tda"));
        for (const host of [...asked, ...asked.map((host) => `q.${host}`)]) {
          assertEquals(list.includesName(host), namedBy(naive, host), host);
        }
        for (const address of ["10.0.0.1", "::1", "0.0.0.0", "192.0.2.1"]) {
          assertEquals(hasAddress(list, address), addressIn(naive, address), address);
        }
      },
    ),
    { numRuns: 500 },
  );
});

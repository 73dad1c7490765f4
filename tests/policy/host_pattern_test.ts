import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseAuthority } from "../../src/http/authority.ts";
import { HttpError } from "../../src/http/error.ts";
import { nameMatches, parseHostAndPorts, parseHostPattern } from "../../src/policy/host_pattern.ts";
import { PatternError } from "../../src/policy/pattern_error.ts";

const matches = (pattern: string, host: string) => nameMatches(parseHostPattern(pattern), host);

Deno.test("a name is itself, a star before it what is below, a dot before it both, and a star alone any", () => {
  const hosts = [
    "example.com",
    "a.example.com",
    "a.b.example.com",
    "com",
    "badexample.com",
    "example.com.evil",
  ];
  const expected: Record<string, string[]> = {
    "example.com": ["example.com"],
    "*.example.com": ["a.example.com", "a.b.example.com"],
    ".example.com": ["example.com", "a.example.com", "a.b.example.com"],
    "*": hosts,
    "*.com": ["example.com", "a.example.com", "a.b.example.com", "badexample.com"],
    "10.0.0.0/8": [],
    "@file": [],
  };
  for (const [pattern, matching] of Object.entries(expected)) {
    assertEquals(hosts.filter((host) => matches(pattern, host)), matching, pattern);
  }
});

Deno.test("names match no address, and a star matches addresses too", () => {
  for (const host of ["10.0.0.1", "::1", "2001:db8::1"]) {
    assert(matches("*", host));
    assert(!matches("*.com", host));
    assert(!matches("example.com", host));
  }
});

Deno.test("patterns come to the canonical form of targets", () => {
  const canonical: Record<string, string> = {
    "EXAMPLE.Com": "example.com",
    "example.com.": "example.com",
    "*.Example.COM.": "example.com",
    ".bücher.example": "xn--bcher-kva.example",
    "ｅｘａｍｐｌｅ.com": "example.com",
    "under_score.example": "under_score.example",
    "localhost": "localhost",
  };
  for (const [text, name] of Object.entries(canonical)) {
    const pattern = parseHostPattern(text);
    assert("name" in pattern && pattern.name === name, text);
    assertEquals(pattern.text, text);
  }
});

Deno.test("addresses and networks are taken with and without brackets", () => {
  const networks: [text: string, family: number, bits: number][] = [
    ["192.0.2.1", 4, 32],
    ["10.0.0.0/8", 4, 8],
    ["0.0.0.0/0", 4, 0],
    ["2001:db8::1", 6, 128],
    ["2001:DB8::/32", 6, 32],
    ["[::1]", 6, 128],
    ["[2001:db8::/32]", 6, 32],
    ["[2001:db8::]/32", 6, 32],
    ["::ffff:192.0.2.1", 4, 32],
  ];
  for (const [text, family, bits] of networks) {
    const pattern = parseHostPattern(text);
    if (pattern.kind !== "network") throw new Error(text);
    assertEquals([pattern.text, pattern.network.family, pattern.network.bits], [text, family, bits]);
  }
});

Deno.test("a file's name is what follows the @, as it is", () => {
  assertEquals(parseHostPattern("@../lists/Ads.txt"), {
    kind: "list",
    text: "@../lists/Ads.txt",
    file: "../lists/Ads.txt",
  });
  assertThrows(() => parseHostPattern("@"), PatternError, "write @hosts.txt");
  assertThrows(() => parseHostPattern("@a\0b"), PatternError, "control character");
});

Deno.test("what no request could name is refused, with what to write", () => {
  const refused: [text: string, message: string][] = [
    ["", "it is empty"],
    ["https://example.com/x", 'write "example.com"; paths go into paths = ["/x"]'],
    ["HTTPS://example.com", 'write "example.com"'],
    ["https://example.com:8443/", 'write "example.com"; ports go into ports = [8443]'],
    ["https://[2001:db8::1]:8443", 'write "[2001:db8::1]"; ports go into ports = [8443]'],
    ["example.com/x/y?z", 'write "example.com"; paths go into paths = ["/x/y"]'],
    ["example.com/", 'write "example.com"'],
    ["example.com:443", 'write "example.com"; ports go into ports = [443]'],
    ["*.example.com:443", 'write "*.example.com"; ports go into ports = [443]'],
    ["[::1]:443", 'write "[::1]"; ports go into ports = [443]'],
    ["10.0.0.1:443", 'write "10.0.0.1"; ports go into ports = [443]'],
    ["a*.com", "or *.com for all names below it"],
    ["a*.example.com", "or *.example.com for all names below it"],
    ["*.*.com", "or *.com for all names below it"],
    ["www.*.example.com", "or *.example.com for all names below it"],
    ["*example.com", "write *.example.com for all names below it, or .example.com for itself too"],
    ["**.example.com", "or *.example.com for all names below it"],
    ["example.*", "write each name by itself, or * for any host"],
    ["**", "write each name by itself, or * for any host"],
    ["*.", "names no domain: write * for any host"],
    [".", "names no domain"],
    ["..", "names no domain"],
    ["a..b", "a dot too many"],
    ["user@example.com", "leave out all up to the @"],
    ["example%2ecom", "percent-encoded"],
    ["exa mple.com", "a space"],
    [" example.com", "a space"],
    ["example.com\0", "control character"],
    ["127.1", "no plain IPv4 address"],
    ["0x7f.1", "no plain IPv4 address"],
    ["2130706433", "no plain IPv4 address"],
    ["0177.0.0.1", "no plain IPv4 address"],
    ["127.0.0.1.", "no plain IPv4 address"],
    ["*.0.0.1", "ends in a number"],
    [".1", "ends in a number"],
    ["10.0.0.0/33", "0 to 32"],
    ["10.0.0.1/8", "10.0.0.0/8"],
    ["10.0.0/8", "no network"],
    ["fe80::1%eth0", "zone identifier"],
    ["[fe80::1%25eth0]", "zone identifier"],
    ["[::1", "no closing bracket"],
    ["[10.0.0.1]", 'write "10.0.0.1"'],
    ["[::1]x", "goes on after the bracket"],
    ["a:b:c", "no network"],
    ["example.com:443:80", "a name has no colon"],
    ["a".repeat(64) + ".com", "more than 63"],
    ["a.".repeat(127) + "a", "longer than 253"],
    ["a".repeat(5000), "longer than 4096"],
  ];
  for (const [text, message] of refused) {
    assertThrows(() => parseHostPattern(text), PatternError, message, text);
  }
});

Deno.test("a password in a URL is not repeated", () => {
  for (
    const text of ["https://user:hunter2@example.com:8443/x", "user:hunter2@example.com", "user:hunter2@h/x"]
  ) {
    for (const read of [parseHostPattern, parseHostAndPorts]) {
      const error = assertThrows(() => read(text), PatternError);
      assert(!error.message.includes("hunter2"), error.message);
    }
  }
});

Deno.test("a name is taken by patterns when targets may have it, and then matches that target", () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."aA0.-_xñ１。%@ *"), maxLength: 12 }),
    fc.domain(),
    fc.ipV4(),
    fc.ipV6(),
  );
  fc.assert(
    fc.property(text.filter((text) => !/[*:/@]/.test(text)), (text) => {
      let target: string | null = null;
      try {
        target = parseAuthority(text, 80).host;
      } catch (error) {
        assert(error instanceof HttpError);
      }
      if (target === null || text.startsWith(".")) {
        if (!text.startsWith(".")) assertThrows(() => parseHostPattern(text), PatternError);
        return;
      }
      const pattern = parseHostPattern(text);
      if (pattern.kind === "network") assertEquals(parseAuthority(text, 80).ip?.bytes, pattern.network.bytes);
      else assert(nameMatches(pattern, target), text);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a host of the command line may have ports behind it", () => {
  const all: [text: string, kind: string, host: string, ports: [number, number][] | null][] = [
    ["example.com", "name", "example.com", null],
    ["example.com:443", "name", "example.com", [[443, 443]]],
    ["*.example.com:443,8443", "subdomains", "*.example.com", [[443, 443], [8443, 8443]]],
    ["example.com:8000-8999", "name", "example.com", [[8000, 8999]]],
    ["example.com:*", "name", "example.com", [[1, 65535]]],
    ["*:443", "any", "*", [[443, 443]]],
    ["@file", "list", "@file", null],
    ["@file:443", "list", "@file", [[443, 443]]],
    ["@file:443,80-90", "list", "@file", [[443, 443], [80, 90]]],
    ["@C:\\lists\\ads.txt", "list", "@C:\\lists\\ads.txt", null],
    ["@C:\\ads.txt:443", "list", "@C:\\ads.txt", [[443, 443]]],
    ["@name:80:*", "list", "@name:80", [[1, 65535]]],
    ["10.0.0.0/8:5432", "network", "10.0.0.0/8", [[5432, 5432]]],
    ["10.0.0.1:5432", "network", "10.0.0.1", [[5432, 5432]]],
    ["[2001:db8::/32]:443", "network", "[2001:db8::/32]", [[443, 443]]],
    ["[2001:db8::]/32:443", "network", "[2001:db8::]/32", [[443, 443]]],
    ["[2001:db8::1]", "network", "[2001:db8::1]", null],
    ["2001:db8::1", "network", "2001:db8::1", null],
    ["2001:db8::/32", "network", "2001:db8::/32", null],
  ];
  for (const [text, kind, written, expected] of all) {
    const { host, ports } = parseHostAndPorts(text);
    assertEquals([host.kind, host.text], [kind, written], text);
    assertEquals(ports?.map(({ first, last }) => [first, last]) ?? null, expected, text);
  }
});

Deno.test("wrong hosts and ports of the command line are refused, with what to write", () => {
  const refused: [text: string, message: string][] = [
    ["", "it is empty"],
    [":443", "it is empty"],
    ["example.com:", "names no port after its colon"],
    ["example.com:https", "write a number from 1 to 65535"],
    ["example.com:443,", "write a number from 1 to 65535"],
    ["example.com:0", "write a number from 1 to 65535"],
    ["@file:99999", "write a number from 1 to 65535"],
    ["2001:db8::/32:443", 'write "[2001:db8::/32]:443"'],
    ["https://example.com:443/x", 'write "example.com"'],
    ["[::1", "no closing bracket"],
    ["a*.com:443", "a star where none can be"],
  ];
  for (const [text, message] of refused) {
    assertThrows(() => parseHostAndPorts(text), PatternError, message, text);
  }
});

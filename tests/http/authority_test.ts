import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseAuthority } from "../../src/http/authority.ts";
import { HttpError } from "../../src/http/error.ts";
import { formatIp } from "../../src/http/ip_address.ts";

function refused(text: string, message?: string): void {
  for (const defaultPort of [80, null]) {
    const error = assertThrows(
      () => parseAuthority(text, defaultPort),
      HttpError,
      message,
      JSON.stringify(text),
    );
    assertEquals(error.status, 400);
  }
}

Deno.test("one canonical form for every spelling of an authority (RFC 9110 §4.2.3)", () => {
  const canonical: Record<string, string> = {
    "example.com": "example.com:80",
    "example.com:": "example.com:80",
    "example.com:80": "example.com:80",
    "EXAMPLE.com.:8080": "example.com:8080",
    "bücher.example:443": "xn--bcher-kva.example:443",
    "localhost.": "localhost:80",
    "localhost:1": "localhost:1",
    "a_b:65535": "a_b:65535",
    "127.0.0.1": "127.0.0.1:80",
    "0.0.0.0:8080": "0.0.0.0:8080",
    "[::1]": "[::1]:80",
    "[::1]:": "[::1]:80",
    "[::1]:443": "[::1]:443",
    "[::]:80": "[::]:80",
    "[2001:0DB8:0:0::0001]:443": "[2001:db8::1]:443",
    "[::ffff:169.254.169.254]": "[::ffff:169.254.169.254]:80",
    "[::FFFF:A9FE:A9FE]": "[::ffff:169.254.169.254]:80",
    "[64:ff9b::a9fe:a9fe]": "[64:ff9b::a9fe:a9fe]:80",
    "[2002:7f00:1::]": "[2002:7f00:1::]:80",
  };
  for (const [text, expected] of Object.entries(canonical)) {
    assertEquals(parseAuthority(text, 80).text, expected, text);
  }
});

Deno.test("an authority tells its host, port and address", () => {
  const name = parseAuthority("Example.com:8080", 80);
  assertEquals([name.host, name.port, name.ip], ["example.com", 8080, null]);
  const ipv4 = parseAuthority("192.0.2.1", 80);
  assertEquals([ipv4.host, ipv4.port, formatIp(ipv4.ip!)], ["192.0.2.1", 80, "192.0.2.1"]);
  const ipv6 = parseAuthority("[2001:DB8::1]:443", 80);
  assertEquals([ipv6.host, ipv6.port, formatIp(ipv6.ip!)], ["2001:db8::1", 443, "2001:db8::1"]);
});

Deno.test("Host names the port only when it is not the scheme's (RFC 9110 §7.2)", () => {
  assertEquals(parseAuthority("example.com:80", 80).hostField(80), "example.com");
  assertEquals(parseAuthority("example.com", 80).hostField(80), "example.com");
  assertEquals(parseAuthority("example.com:80", 80).hostField(443), "example.com:80");
  assertEquals(parseAuthority("[::1]:80", 80).hostField(80), "[::1]");
  assertEquals(parseAuthority("[::1]:8080", 80).hostField(80), "[::1]:8080");
});

Deno.test("CONNECT needs a port that is written out (RFC 9110 §9.3.6)", () => {
  assertEquals(parseAuthority("example.com:443", null).text, "example.com:443");
  assertEquals(parseAuthority("[::1]:443", null).text, "[::1]:443");
  for (const text of ["example.com", "example.com:", "[::1]", "[::1]:", "192.0.2.1", "192.0.2.1:"]) {
    assertThrows(() => parseAuthority(text, null), HttpError, "has no port: write it as host:443", text);
  }
});

Deno.test("a port is a plain number from 1 to 65535", () => {
  for (
    const port of [
      "0",
      "00",
      "000080",
      "080",
      "65536",
      "99999999999999999999",
      "+80",
      "-80",
      " 80",
      "80 ",
      "\t80",
      "8 0",
      "80\0",
      "80\r\n",
      "0x50",
      "8e1",
      "80.0",
      "80,81",
      "http",
      "８０",
      "٨٠",
      "80/",
      "80?",
      "80#",
      "80%30",
    ]
  ) {
    for (const host of ["host", "192.0.2.1", "[::1]", "ü.example"]) {
      refused(`${host}:${port}`, "has no valid port");
    }
  }
});

Deno.test("an IPv4 address in any spelling but four plain numbers is refused", () => {
  for (
    const host of [
      "127.1",
      "127.0.1",
      "2130706433",
      "0x7f.1",
      "0x7f000001",
      "0X7F000001",
      "0x7f.0x0.0x0.0x1",
      "0177.0.0.1",
      "017700000001",
      "127.0.0.01",
      "127.0.0.1.",
      "127.1.",
      "127.0.0.0x1",
      "127.0.0.256",
      "1.2.3.4.5",
      "4294967296",
      "99999999999999999999",
      "0",
      "0x",
      "example.0x7f",
      "example.1",
      // what becomes a number under IDNA's mapping
      "１２７.0.0.1",
      "127。0。0。1",
      "127．0．0．1",
      "127.0.0.1。",
      "①②⑦.0.0.1",
      "²130706433",
      "0ｘ7f.1",
      "１２７．１",
      "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
      "127.0.0.1\u00ad",
      "127.0.0.\u200b1",
    ]
  ) {
    refused(host);
    refused(`${host}:80`);
  }
  refused("127.1:80", "write four decimal numbers");
});

Deno.test("a name that merely holds numbers is a name", () => {
  for (
    const host of ["1.example", "127.0.0.1.nip.example", "0x7f.example", "1e3", "4.in-addr.arpa", "3com"]
  ) {
    assertEquals(parseAuthority(host, 80).host, host);
    assertEquals(parseAuthority(host, 80).ip, null);
  }
});

Deno.test("user information is refused and not repeated (RFC 9110 §4.2.4)", () => {
  for (
    const text of [
      "user@host",
      "user@host:80",
      "user:secret@host",
      "user:secret@host:80",
      "user:se:cret@host",
      "host:80@evil",
      "@host",
      "host@",
      "a@b@c",
      "secret@[::1]:80",
    ]
  ) {
    refused(text, "has user information");
    const error = assertThrows(() => parseAuthority(text, 80), HttpError);
    assert(!error.message.includes("secret"), error.message);
  }
});

Deno.test("IPv6 stands in brackets, whole and without a zone identifier (RFC 3986 §3.2.2, RFC 6874)", () => {
  refused("::1", "write [::1]:443");
  refused("2001:db8::1", "write [2001:db8::1]:443");
  refused("::ffff:127.0.0.1", "without brackets");
  refused("[::1", "no closing bracket");
  refused("[", "no closing bracket");
  refused("[fe80::1%eth0]:80", "zone identifier");
  refused("[fe80::1%25eth0]:80", "zone identifier");
  refused("[::1%]", "zone identifier");
  for (
    const text of [
      "[]",
      "[]:80",
      "[:]:80",
      "[127.0.0.1]",
      "[example.com]:80",
      "[v1.fe80::1]",
      "[::1::2]",
      "[[::1]]",
      "[ ::1]",
      "[::1 ]",
      "[::1\0]",
      "[::0x7f.0.0.1]",
      "[::127.1]",
      "[::１]",
    ]
  ) refused(text, "holds no IPv6 address");
  for (const text of ["[::1]x", "[::1]80", "[::1].:80", "[::1] :80", "[::1]]:80", "[::1]/"]) {
    refused(text, "goes on after the bracket");
  }
  for (const text of ["::1]", "::1]:80", "x[::1]:80", " [::1]:80", "1]:80"]) refused(text);
});

Deno.test("disguises and stray characters are refused", () => {
  for (
    const text of [
      "",
      ":",
      ":80",
      ".",
      ".:80",
      "..",
      "a..b",
      "example.com..",
      ".example.com",
      "a:b:c",
      "a:80:80",
      "a::80",
      "exa mple.com",
      " example.com",
      "example.com ",
      "example.com\t",
      "example.com\0",
      "example.com\0.evil",
      "example.com\r\nHost: evil",
      "example.com%00",
      "%65xample.com",
      "example%2ecom",
      "127%2e0%2e0%2e1",
      "％65xample.com",
      "example.com/path",
      "example.com\\path",
      "example.com?q",
      "example.com#f",
      "http://example.com",
      "//example.com",
      "a,b",
      "a;b",
      "a*b",
      "(a)",
      "<a>",
      "a|b",
      "a'b",
      'a"b',
      "a~b",
      "a+b",
      "a=b",
      "$a",
      "a&b",
      "!a",
      "^a",
      "{a}",
      "`a`",
      "example.com：80",
      "user＠example.com",
    ]
  ) refused(text);
});

Deno.test("localhost in costume is seen through", () => {
  for (
    const text of [
      "LOCALHOST",
      "localhost.",
      "ⓛocalhost",
      "ｌｏｃａｌｈｏｓｔ",
      "local\u00adhost",
      "localhost。",
    ]
  ) {
    assertEquals(parseAuthority(text, 80).text, "localhost:80", text);
  }
});

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: fc.constantFrom(..."aB0127.:[]@%xf-_ /\0ü１。％"), maxLength: 24 }),
  fc.webAuthority({
    withIPv4: true,
    withIPv4Extended: true,
    withIPv6: true,
    withPort: true,
    withUserInfo: true,
  }),
);

Deno.test("whatever comes, the answer is a canonical authority or an HttpError of status 400 in plain words", () => {
  fc.assert(
    fc.property(anyText, fc.constantFrom(80, 443, null), (text, defaultPort) => {
      let authority;
      try {
        authority = parseAuthority(text, defaultPort);
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        assertEquals(error.status, 400);
        assert(/^[\x20-\x7e…]+$/.test(error.message), `printable: ${JSON.stringify(error.message)}`);
        assert(!error.message.endsWith("."));
        return;
      }
      // Read again, it is the same, port and all; Host leads there too.
      assertEquals(parseAuthority(authority.text, null), authority);
      assertEquals(parseAuthority(authority.hostField(80), 80), authority);
      assert(/^(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\]):[1-9][0-9]{0,4}$/.test(authority.text), authority.text);
      assert(authority.ip === null || formatIp(authority.ip) === authority.host);
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("where a host is taken, the URL Standard reads the same host", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      let authority;
      try {
        authority = parseAuthority(text, 80);
      } catch {
        return;
      }
      const url = new URL(`http://${text}/`);
      assertEquals(Number(url.port || 80), authority.port);
      const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
      // It writes mapped addresses with hexadecimal digits.
      if (!authority.host.startsWith("::ffff:")) assertEquals(authority.host, host);
    }),
    { numRuns: 3_000 },
  );
});

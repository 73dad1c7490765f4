import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { Authority, parseAuthority } from "../../../src/http/authority.ts";
import { parseIp } from "../../../src/http/ip_address.ts";
import type { HostPattern } from "../../../src/policy/host_pattern.ts";
import { pacText } from "../../../src/proxy/own/pac.ts";
import { type RuleWords, spec } from "../policies.ts";

type FindProxy = (url: string, host: string) => string;

const CLIENT = parseIp("192.168.1.7")!;
const WEIR = "PROXY proxy.example:3128";

/** The function that browsers make of the text, with nothing of theirs to call. */
function evaluate(text: string): FindProxy {
  return new Function(`"use strict"; ${text}; return FindProxyForURL;`)();
}

function pac(rules: readonly RuleWords[] = [], proxy = "proxy.example:3128"): (host: string) => string {
  const find = evaluate(pacText(parseAuthority(proxy, 80), "http", spec({ rules }).rules, CLIENT));
  return (host) => find(`http://${host}/`, host);
}

const LOCAL =
  "localhost app.localhost printer nas.local 127.0.0.1 127.9.9.9 10.1.2.3 172.16.0.1 172.31.255.255 " +
  "192.168.0.1 169.254.3.4 100.64.0.1 100.127.255.255 ::1 [::1] fc00::1 fd12:3456::1 fe80::1 LOCALHOST Printer. NAS.Local";
const OTHERS =
  "example.com www.example.com example.com. local.example.com localhost.example.com 1.1.1.1 9.255.255.255 " +
  "11.0.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 128.0.0.0 126.255.255.255 100.63.255.255 100.128.0.0 " +
  "0.0.0.0 2001:db8::1 [2001:db8::1] fc::1 ff02::1 ::2 10.1.2.3.example notlocal.xlocal 1.2.3.4.5 4294967295.1";

Deno.test("what is local goes past weir and all else through it, with no way past it", () => {
  const find = pac();
  for (const host of LOCAL.split(" ")) assertEquals([host, find(host)], [host, "DIRECT"]);
  for (const host of OTHERS.split(" ")) assertEquals([host, find(host)], [host, WEIR]);
});

Deno.test("what is local goes through weir where a rule names it, so that the rule decides", () => {
  const find = pac([
    { hosts: "10.20.0.0/16 printer *.local .localhost example.com * @list.txt" },
    { action: "deny", hosts: "192.168.0.1" },
    { action: "deny", hosts: "fd00::/8" },
  ]);
  const through =
    "10.20.0.0 10.20.255.255 printer nas.local localhost a.localhost 192.168.0.1 fd12::1 fe80::1 example.com";
  for (const host of through.split(" ")) assertEquals([host, find(host)], [host, WEIR]);
  for (const host of "10.19.255.255 10.21.0.0 nas 192.168.0.2 127.0.0.1 local".split(" ")) {
    assertEquals([host, find(host)], [host, "DIRECT"]);
  }
});

Deno.test("rules for other clients and rules on trial change nothing, and neither do all addresses at once", () => {
  const find = pac([
    { hosts: "10.0.0.0/8", clients: "10.9.0.0/16" },
    { hosts: "printer", mode: "report" },
    { hosts: "0.0.0.0/0 ::/0" },
    { hosts: "nas", clients: "192.168.1.0/24" },
  ]);
  assertEquals(["10.1.1.1", "printer", "::1", "nas"].map(find), ["DIRECT", "DIRECT", "DIRECT", WEIR]);
});

Deno.test("the file does not tell what rules say of other hosts", () => {
  const text = pacText(
    parseAuthority("a.example", 80),
    "http",
    spec({ rules: [{ hosts: "secret.example 8.8.8.0/24 2001:db8::/32", note: "note" }] }).rules,
    CLIENT,
  );
  for (const word of ["secret", "134744064", "2001", "note", "rule"]) {
    assertEquals(text.replace("// local hosts that a rule names", "").includes(word), false, word);
  }
});

Deno.test("weir's own pages go past it, whatever else is at its name", () => {
  for (
    const [proxy, own] of [["proxy.example:3128", "proxy.example:3128"], ["wpad.example:80", "wpad.example"]]
  ) {
    const find = evaluate(pacText(parseAuthority(proxy, 80), "http", [], CLIENT));
    const host = own.replace(/:.*/, "");
    assertEquals(find(`http://${own}/`, host), "DIRECT");
    assertEquals(find(`http://${own}/proxy.pac`, host), "DIRECT");
    for (const other of [`http://${host}:81/`, `https://${host}/`, `http://x.example/http://${own}/`]) {
      assertEquals(find(other, host), `PROXY ${proxy}`, other);
    }
  }
});

Deno.test("an IPv6 address of weir stands in brackets", () => {
  assertStringIncludes(
    pacText(parseAuthority("[2001:DB8:0::1]:3128", 80), "http", [], CLIENT),
    '"PROXY [2001:db8::1]:3128"',
  );
});

Deno.test("no name ends a text, a line or a script in it", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), (name, host) => {
    const pattern: HostPattern = { kind: "name", text: name, name: `${name.replaceAll(".", "")}` };
    const [rule] = spec({ rules: [{ hosts: "a" }] }).rules;
    const text = pacText(
      new Authority(host, 80, null, host),
      "http",
      [{ ...rule, hosts: [pattern] }],
      CLIENT,
    );
    assertEquals(/[^\n\x20-\x7e]|<\/|<!--/.test(text), false);
    evaluate(text);
  }));
});

Deno.test("where clients speak TLS to weir the file says so, and knows weir's own pages there", () => {
  for (
    const [proxy, own] of [["proxy.example:3129", "proxy.example:3129"], [
      "proxy.example:443",
      "proxy.example",
    ]]
  ) {
    const find = evaluate(pacText(parseAuthority(proxy, 443), "https", [], CLIENT));
    assertEquals(find("http://site.example/", "site.example"), `HTTPS ${proxy}`);
    assertEquals(find(`https://${own}/`, "proxy.example"), "DIRECT");
    assertEquals(find(`http://${own}/`, "proxy.example"), `HTTPS ${proxy}`);
  }
});

/** Sites at origins of their own in a gateway on loopback. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseAuthority } from "../../src/http/authority.ts";
import { DEFAULT_PORTS, type Scheme } from "../../src/http/target.ts";
import { labelOf, siteOf } from "../../src/proxy/gateway_origins.ts";
import { first, gateway, OK } from "./gateways.ts";
import { policy } from "./policies.ts";
import { valuesOf } from "./peer.ts";

const site = (url: string) => {
  const [scheme, host] = url.split("://") as [Scheme, string];
  return { scheme, authority: parseAuthority(host, DEFAULT_PORTS[scheme]) };
};

Deno.test("a site's label can be read back, and there is one for each", () => {
  for (
    const [url, label] of [
      ["http://example.com", "example-com"],
      ["http://example.com:80", "example-com"],
      ["https://example.com", "https---example-com"],
      ["https://my-site.example:8443", "https-8443---my--site-example"],
      ["http://a--b.c-d.example", "a----b-c--d-example"],
      ["http://xn--bcher-kva.example", "http---xn----bcher--kva-example"],
      ["http://127.0.0.1:8080", "http-8080---127-0-0-1"],
      ["http://[2001:db8::1]", "http-v6---2001-db8-0-0-0-0-0-1"],
      ["https://[::1]:8443", "https-v6-8443---0-0-0-0-0-0-0-1"],
      ["http://localhost:3000", "http-3000---localhost"],
      ["http://intranet", "intranet"],
      ["http://https", "https"],
      ["http://_dmarc.example", "_dmarc-example"],
    ] as const
  ) {
    const { scheme, authority } = site(url);
    assertEquals(labelOf(site(url)), label, url);
    assertEquals([siteOf(label)?.scheme, siteOf(label)?.authority.text], [scheme, authority.text], label);
  }
  for (const host of ["a-.example", "-a.example", `${"a".repeat(60)}.example`, "a.-b"]) {
    assertEquals(labelOf(site(`http://${host}`)), null, host);
  }
  for (
    const label of [
      ...["", "-", "a-", "-a", "a---b", "ftp---a", "http---a", "https-443---a", "http-80---a", "http-0---a"],
      ...[
        "https-99999---a",
        "https-08---a",
        "http-v6---1-2",
        "http-v6---2001-0db8-0-0-0-0-0-1",
        "a.b",
        "A",
        "https---",
      ],
      ...["127-1", "http-v6---0-0-0-0-0-0-0-g", "a-----b", "a b", "a%", "é"],
    ]
  ) assertEquals(siteOf(label), null, label);
});

const CHROMIUM = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0.0.0 Safari/537.36\r\n";
const FIREFOX = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n";
const SAFARI = "User-Agent: Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15\r\n";
const TYPED = "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";

gateway("a browser is sent from the paths to the site's own origin, programs are not", async (setting) => {
  const { ask, own, origin, exchanges } = setting;
  const port = own.split(":")[1];
  for (const browser of [CHROMIUM, FIREFOX]) {
    for (
      const [path, url] of [
        ["/example.com/a?b=http://c/", `http://example-com.localhost:${port}/a?b=http://c/`],
        ["/example.com", `http://example-com.localhost:${port}/`],
        ["/example.com?q", `http://example-com.localhost:${port}/?q`],
        ["/https:/EXAMPLE.com:8443//x\xe9", `http://https-8443---example-com.localhost:${port}//x%E9`],
      ]
    ) {
      const answer = await ask(path, TYPED + browser);
      assertEquals([answer.status, first(answer, "location")], [307, url]);
      assertEquals([first(answer, "cache-control"), first(answer, "referrer-policy")], [
        "no-store",
        "origin",
      ]);
      const { kind, host, details } = await exchanges.next();
      assertEquals([kind, host], ["own", ""]);
      assertStringIncludes(details, "own origin");
    }
  }
  origin.answer(OK);
  const path = `/${origin.authority}/`;
  for (
    const fields of [
      "",
      CHROMIUM,
      TYPED,
      TYPED + SAFARI,
      TYPED.replace("document", "iframe") + CHROMIUM,
      TYPED.replace("navigate", "no-cors").replace("document", "image") + CHROMIUM,
    ]
  ) assertEquals((await ask(path, fields)).status, 200, fields);
  // without an origin of its own
  for (const host of [`${"a".repeat(63)}.example`, "a-.example"]) {
    const { status } = await ask(`/${host}/`, TYPED + CHROMIUM);
    assertEquals(status, 404, host);
  }
});

gateway("who does not know the gateway as its own machine stays in the paths", {
  settings: { frontPage: { names: ["gateway.example"], wpad: false, rules: [] } },
}, async ({ ask, origin, own }) => {
  origin.answer(OK);
  const port = own.split(":")[1];
  for (const host of ["gateway.example", `gateway.example:${port}`, "gateway.example:9000"]) {
    assertEquals((await ask(`/${origin.authority}/`, TYPED + CHROMIUM, { host })).status, 200, host);
    const page = await ask("/", "", { host });
    assertEquals([page.status, page.content.includes(".localhost")], [200, false]);
  }
  const host = `http-${origin.authority.split(":")[1]}---127-0-0-1.localhost`;
  assertEquals((await ask("/", "", { host: `${host}:9000` })).status, 403);
});

gateway("a gateway that is localhost at any port has the origins below it at any port", {
  settings: { frontPage: { names: ["localhost"], wpad: false, rules: [] } },
}, async ({ ask, origin }) => {
  origin.answer(OK);
  const host = `http-${origin.authority.split(":")[1]}---127-0-0-1.localhost:9000`;
  const answer = await ask(`/${origin.authority}/`, TYPED + CHROMIUM, { host: "localhost:9000" });
  assertEquals([answer.status, first(answer, "location")], [307, `http://${host}/`]);
  assertEquals((await ask("/", "", { host })).status, 200);
});

gateway("with --gateway-origins path all sites stay in the paths", {
  settings: { gatewayOrigins: "path" },
}, async ({ ask, origin, own }) => {
  origin.answer(OK);
  assertEquals((await ask(`/${origin.authority}/`, TYPED + CHROMIUM)).status, 200);
  const host = `http-${origin.authority.split(":")[1]}---127-0-0-1.localhost:${own.split(":")[1]}`;
  assertEquals((await ask("/", "", { host })).status, 403);
});

gateway(
  "a redirect to a path of two slashes stays at the site's own origin",
  async ({ ask, own, origin }) => {
    const host = `http-${origin.authority.split(":")[1]}---127-0-0-1.localhost:${own.split(":")[1]}`;
    const written = [`${origin.url}//evil.example/x`, "/.//evil.example/x", "/x/..//evil.example/x"];
    const answers = written.map((url) =>
      `HTTP/1.1 302 Found\r\nLocation: ${url}\r\nContent-Location: ${url}\r\nRefresh: 0; url=${url}\r\nContent-Length: 0\r\n\r\n`
    );
    origin.answer((_, index) => answers[index]);
    for (const url of written) {
      const answer = await ask("/", "", { host });
      const to = `http://${host}//evil.example/x`;
      assertEquals([first(answer, "location"), first(answer, "content-location")], [to, to], url);
      assertEquals(first(answer, "refresh"), `0; url=${to}`, url);
    }
  },
);

gateway("at its own origin a site is asked for as it is", async (setting) => {
  const { ask, own, origin, another, exchanges } = setting;
  const port = own.split(":")[1];
  const other = another();
  const labelled = (authority: string) => `http-${authority.split(":")[1]}---127-0-0-1.localhost:${port}`;
  const host = labelled(origin.authority);
  for (
    const [path, target] of [["/", "/"], ["/style.css", "/style.css"], ["/http://x/?q", "/http://x/?q"], [
      "//a",
      "//a",
    ]]
  ) {
    const answer = ask(path, "Cookie: a=1; weir.b=2\r\nAuthorization: Basic YTpi\r\n", { host });
    const upstream = await origin.accept();
    const request = await upstream.message();
    assertEquals(request.startLine, `GET ${target} HTTP/1.1`);
    assertEquals(valuesOf(request, "host"), [origin.authority]);
    assertEquals(valuesOf(request, "cookie"), ["a=1; weir.b=2"]);
    assertEquals(valuesOf(request, "authorization"), []);
    await upstream.send(
      "HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Location: x\r\n" +
        `Refresh: 1; url=${other.url}/r\r\nSet-Cookie: a=1; Domain=example.com; Path=/p; Secure\r\n` +
        "Set-Cookie: __Host-b=2; Secure; Path=/\r\nSet-Cookie: c=3\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    const { fields, status } = await answer;
    assertEquals(status, 302);
    const named = (name: string) =>
      fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
    assertEquals(named("location"), ["/next"]);
    assertEquals(named("refresh"), [`1; url=http://${labelled(other.authority)}/r`]);
    assertEquals(named("set-cookie"), ["a=1; Secure; Path=/p", "__Host-b=2; Secure; Path=/", "c=3"]);
    assertEquals(named("referrer-policy"), ["origin"]);
    assertEquals((await exchanges.next()).target, `${origin.url}${target}`);
  }
  origin.answer(() =>
    `HTTP/1.1 302 Found\r\nLocation: https://${"a".repeat(60)}.example/x\r\nContent-Length: 0\r\n\r\n`
  );
  const long = await ask("/", "", { host });
  assertEquals(first(long, "location"), `http://localhost:${port}/https://${"a".repeat(60)}.example/x`);
});

gateway("the policy decides by the site, whatever its origin is called", {
  settings: {
    policy: policy({ rules: [{ name: "no", action: "deny", hosts: "127.0.0.1", paths: "/secret/**" }] }),
  },
}, async ({ ask, origin, own, exchanges }) => {
  origin.answer(OK);
  const host = `http-${origin.authority.split(":")[1]}---127-0-0-1.localhost:${own.split(":")[1]}`;
  assertEquals((await ask("/open", "", { host })).status, 200);
  await exchanges.next();
  for (const path of ["/secret/a", "/%73ecret/a", "/x/../secret/a"]) {
    assertEquals((await ask(path, "", { host })).status, 403, path);
    assertEquals((await exchanges.next()).rule, "no");
  }
});

gateway("no page of another site gets at a site's own origin", async ({ ask, origin, own }) => {
  const port = own.split(":")[1];
  const host = `http-${origin.authority.split(":")[1]}---127-0-0-1.localhost:${port}`;
  const from = (referer: string) => `Referer: ${referer}\r\n`;
  const navigation = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
  const inside = from(`http://evil-example.localhost:${port}/`);
  for (
    const fields of [
      navigation,
      navigation + from("http://evil.example/"),
      navigation + from(`http://evil.example:${port}/`),
      navigation + from(`http://evil-example.localhost:1/`),
      navigation + from(`https://evil-example.localhost:${port}/`),
      navigation + from(`http://a.evil-example.localhost:${port}/`),
      navigation + from(`http://localhost:1/`),
      navigation + inside + "Origin: null\r\n",
      navigation + inside + "Origin: http://evil.example\r\n",
      navigation.replace("document", "iframe") + inside,
      navigation.replace("document", "embed") + inside,
      navigation.replace("navigate", "no-cors") + inside,
      navigation.replace("navigate", "cors") + inside,
      inside,
      from("http://evil.example/"),
    ]
  ) assertEquals((await ask("/", fields, { host })).status, 403, fields);
  for (
    const name of [
      ...[`evil.${host}`, host.replace(port, "1"), host.replace(`:${port}`, ""), `localhost.${host}`],
      ...[
        `a-.localhost:${port}`,
        `.localhost:${port}`,
        `http---a.localhost:${port}`,
        `x.localhost.example:${port}`,
      ],
    ]
  ) assertEquals((await ask("/", "", { host: name })).status >= 400, true, name);
  await origin.assertNoFurtherConnection();
  origin.answer(OK);
  for (
    const fields of [
      "",
      TYPED,
      `Sec-Fetch-Site: same-origin\r\n${from(`http://${host}/x`)}`,
      "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: same-origin\r\n",
      navigation + inside,
      navigation + from(`http://localhost:${port}/`),
      navigation + from(`http://127.0.0.1:${port}/`),
    ]
  ) assertEquals((await ask("/", fields, { host })).status, 200, fields);
});

gateway("in the paths nothing is read by what reads of its own origin alone", async ({ ask, origin }) => {
  const fields = "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: same-origin\r\nSec-Fetch-Dest: empty\r\n";
  assertEquals((await ask(`/${origin.authority}/`, fields)).status, 403);
  await origin.assertNoFurtherConnection();
});

/** Links that name a path of their site and not the site: where the gateway sends those who follow them. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseNetworks } from "../../src/policy/network.ts";
import { NO_LIMITS } from "../../src/policy/rates.ts";
import { siteLink } from "../../src/proxy/gateway_links.ts";
import { type Asking, first, gateway, OK } from "./gateways.ts";
import type { Setting } from "./harness.ts";
import { KnownUsers } from "./known_users.ts";
import { Names, policy, SeenFrom } from "./policies.ts";

/** Nobody but these is known by name. */
const names = () => new Names({ "other.example": ["127.0.0.1"], "intranet": ["127.0.0.1"] });

const links = (name: string, run: (setting: Setting & Asking) => Promise<void>) =>
  gateway(name, { resolver: names().resolver }, run);

const from = (own: string, page: string) =>
  `Sec-Fetch-Site: same-origin\r\nReferer: http://${own}${page}\r\n`;

links("what no host is called is within the site of its page", async ({ ask, origin, own, exchanges }) => {
  for (const site of [`/${origin.authority}`, "/https://a.example", "/HTTP://A.example:8080", "/[::1]:80"]) {
    for (const page of ["", "/", "/?q", "/docs/page?x=/http://b.example/", "?q"]) {
      for (
        const link of [
          ...[
            "/",
            "/?s=a+b",
            "/docs/",
            "/like/this",
            "/docs",
            "/docs?q",
            "/~me/",
            "/@me",
            "/_next/x.js",
            "//x",
          ],
          ...[
            "/a:b/",
            "/1.12.4/jquery.js",
            "/127.1/",
            "/a%20b.png",
            "/Special:Search",
            "/a,b.css",
            "/user@x.example",
          ],
          "/x?a=%2F../..//&b=http://c.example/?{|}^`\"<>'\\",
        ]
      ) {
        const answer = await ask(link, from(own, site + page));
        const what = `${link} of ${site}${page}`;
        assertEquals([answer.status, first(answer, "location")], [307, site + link], what);
        assertEquals([first(answer, "cache-control"), first(answer, "vary")], ["no-store", "Referer"], what);
        assertEquals(answer.content, "");
        const { kind, ownAnswer, status, target, details, host } = await exchanges.next();
        assertEquals([kind, ownAnswer, status, target, host], ["own", true, 307, link, ""], what);
        assertStringIncludes(details, site + link);
      }
    }
  }
  await origin.assertNoFurtherConnection();
});

links("HEAD, and several on one connection", async ({ ask, client, own }) => {
  const head = await ask("/docs/", from(own, "/a.example/"), { method: "HEAD" });
  assertEquals([head.status, first(head, "location")], [307, "/a.example/docs/"]);
  const kept = await client();
  for (const link of ["/docs/", "/style.css", "/"]) {
    await kept.send(`GET ${link} HTTP/1.1\r\nHost: ${own}\r\nReferer: http://${own}/a.example/\r\n\r\n`);
    assertEquals(first(await kept.message(), "location"), `/a.example${link}`);
  }
  assertEquals((await ask("/docs/", from(own, "/a.example/"), { method: "POST" })).status, 405);
});

links("what may be a host is one, and within the site when there is none", async (setting) => {
  const { ask, origin, own, exchanges } = setting;
  for (const link of ["/style.css", "/style.css?v=1", "/favicon.ico", "/app.v2.js", "/a.b/c"]) {
    const answer = await ask(link, from(own, "/https://a.example/x"));
    assertEquals([answer.status, first(answer, "location")], [307, `/https://a.example${link}`]);
    assertEquals([first(answer, "cache-control"), first(answer, "vary")], ["no-store", "Referer"]);
    const { status, target, error, details, host } = await exchanges.next();
    assertEquals([status, error, host], [307, "", link.slice(1).split(/[/?]/)[0]]);
    assertEquals(target, new URL(`http:/${link}`).href);
    assertStringIncludes(details, `there is no host ${host}: sent to /https://a.example${link}`);
  }
  origin.answer(OK);
  const port = origin.authority.split(":")[1];
  for (const host of ["other.example", "localhost", "intranet", "127.0.0.1"]) {
    for (const before of ["/", "/http://"]) {
      const answer = await ask(`${before}${host}:${port}/x`, from(own, "/a.example/"));
      assertEquals([answer.status, answer.content], [200, "hi"], before + host);
    }
  }
});

links("what names a host on purpose is never taken for a path", async ({ ask, own, exchanges }) => {
  for (
    const [link, page, status] of [
      // of the same host
      ["/gone.example/style.css", "/gone.example/", 404],
      ["/gone/style.css", "/http://gone/", 404],
      ["/GONE.example./style.css", "/https://gone.example:8080/", 404],
      // with a scheme, or a port
      ["/http://gone/", "/a.example/", 404],
      ["/https://gone.example/", "/a.example/", 404],
      ["/gone:80/", "/a.example/", 404],
      ["/gone.example:80/", "/a.example/", 404],
      ["/https:/gone.example/", "/a.example/", 404],
      ["/ftp://gone.example/", "/a.example/", 400],
      // from where it was sent
      ["/a.example/style.css", "/style.css", 404],
      ["/a.example/docs/", "/docs/", 404],
      // from no page of a site
      ["/docs/", "/", 404],
      ["/docs/", "/?q", 404],
      ["/docs/", "", 404],
      ["/docs/", "//x", 404],
      ["/docs/", "/ftp://a.example/", 404],
      ["/docs/", "/user@a.example/", 404],
      ["/docs/", "/a%2eexample/", 404],
      ["/docs/", "/127.1/", 404],
      ["/style.css", "/%0d%0aX:y/", 404],
    ] as const
  ) {
    const answer = await ask(link, from(own, page));
    assertEquals([answer.status, first(answer, "location")], [status, undefined], `${link} of ${page}`);
    await exchanges.next();
  }
  const two = from(own, "/a.example/") + `Referer: http://${own}/b.example/\r\n`;
  assertEquals((await ask("/docs/", two)).status, 404);
  assertEquals((await ask("/docs/")).status, 404);
});

links("a page of another site's gets nobody sent anywhere", async ({ ask, own }) => {
  for (const referer of ["http://evil.example/a.example/", `http://evil.example/${own}/a.example/`, "x"]) {
    for (const link of ["/docs/", "/style.css", "/"]) {
      const answer = await ask(link, `Referer: ${referer}\r\n`);
      assertEquals([answer.status, first(answer, "location")], [403, undefined], referer);
    }
  }
});

links("whoever tells of each page is sent on once at most", async ({ ask, own }) => {
  for (const start of ["/style.css", "/docs/", "/%2e%2e/x.css", "/"]) {
    for (const site of ["/a.example/page", "/intra/", "/https://a.example"]) {
      for (const follows of [(page: string) => page, (_: string, path: string) => path]) {
        let [page, path, sent] = [site, start, 0];
        for (;;) {
          const to = first(await ask(path, from(own, page)), "location");
          if (to === undefined) break;
          [page, path] = [follows(page, path), to];
          sent++;
        }
        assertEquals(sent, 1, `${start} of ${site}`);
      }
    }
  }
});

links("a redirect to a site of one word leads there", async ({ ask, origin, own }) => {
  origin.answer("HTTP/1.1 302 Found\r\nLocation: http://gone/x\r\nContent-Length: 0\r\n\r\n");
  const page = from(own, `/${origin.authority}/`);
  const to = first(await ask(`/${origin.authority}/go`, page), "location")!;
  const answer = await ask(to, page);
  assertEquals([to, answer.status], ["/http://gone/x", 404]);
  assertStringIncludes(answer.content, "there is no host gone");
});

links("what is odd is not given back as it came, and what is long not at all", async ({ ask, own }) => {
  const page = from(own, "/a.example/");
  assertEquals(
    first(await ask("/caf\xc3\xa9?\xff\x80", page), "location"),
    "/a.example/caf%C3%A9?%FF%80",
  );
  const longest = "/" + "x".repeat(8000 - "/a.example/".length);
  assertEquals(first(await ask(longest, page), "location"), `/a.example${longest}`);
  assertEquals(first(await ask(longest + "x", page), "location"), undefined);
});

Deno.test("a name beyond ASCII may be a host", () => {
  const page = "http://127.0.0.1:1/a.example/";
  const link = siteLink("/b\xc3\xbccher.example/", page)!;
  assertEquals(link, { target: "/a.example/b%C3%BCcher.example/", unlessHost: true });
});

Deno.test("addresses and this machine are hosts on purpose", () => {
  for (const link of ["/localhost/x", "/LOCALHOST", "/127.0.0.1/x", "/[::1]/x", "/x:1/", "/http://x/"]) {
    assertEquals(siteLink(link, "http://127.0.0.1:1/a.example/"), null, link);
  }
});

gateway("whom the policy is not for is sent nowhere", {
  settings: { policy: new SeenFrom(policy({ clients: parseNetworks("10.0.0.0/8") }), "192.0.2.1") },
}, async ({ ask, own }) => {
  for (const link of ["/docs/", "/style.css", "/"]) {
    assertEquals((await ask(link, from(own, "/a.example/"))).status, 403, link);
  }
});

gateway("to be sent on counts as a request", {
  settings: { clientRates: { ...NO_LIMITS, requests: 0.01, burst: 2 } },
  resolver: names().resolver,
}, async ({ ask, own, exchanges }) => {
  for (
    const [link, status] of [["/docs/", 307], ["/style.css", 307], ["/docs/", 429], [
      "/style.css",
      429,
    ]] as const
  ) {
    const answer = await ask(link, from(own, "/a.example/"));
    assertEquals([answer.status, first(answer, "location") !== undefined], [status, status === 307], link);
    assertEquals((await exchanges.next()).status, status);
  }
});

gateway("users say who they are where something is asked for", {
  settings: { users: new KnownUsers({ alice: "secret" }), policy: policy({ authentication: "always" }) },
  resolver: names().resolver,
}, async ({ ask, own }) => {
  const page = from(own, "/a.example/");
  // as the gateway's own page, which tells nothing either
  assertEquals((await ask("/docs/", page)).status, 307);
  assertEquals((await ask("/style.css", page)).status, 401);
  assertEquals((await ask("/a.example/docs/", page)).status, 401);
  const known = `Authorization: Basic ${btoa("alice:secret")}\r\n`;
  assertEquals((await ask("/style.css", page + known)).status, 307);
});

gateway("where they are sent the policy decides, and what it refuses by name stays refused", {
  settings: { policy: policy({ rules: [{ name: "no", action: "deny", hosts: "127.0.0.1 style.css" }] }) },
}, async ({ ask, origin, own, exchanges }) => {
  const page = from(own, `/${origin.authority}/`);
  const to = first(await ask("/docs/", page), "location")!;
  await exchanges.next();
  for (const link of [to, "/style.css"]) {
    assertEquals((await ask(link, page)).status, 403, link);
    assertEquals((await exchanges.next()).rule, "no");
  }
  await origin.assertNoFurtherConnection();
});

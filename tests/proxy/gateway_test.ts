/** The gateway over sockets: what it asks for, what it refuses, and what it makes of answers. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseNetworks } from "../../src/policy/network.ts";
import { refresh, setCookie } from "../../src/proxy/gateway_fields.ts";
import { targetOf } from "../../src/proxy/gateway_target.ts";
import { DISGUISES } from "../policy/disguises.ts";
import { text } from "../http/reading.ts";
import { first, gateway, OK } from "./gateways.ts";
import { KnownUsers } from "./known_users.ts";
import type { Message } from "./peer.ts";
import { valuesOf } from "./peer.ts";
import { Names, policy, SeenFrom } from "./policies.ts";

gateway("it fetches the page that its path names, byte for byte", async ({ ask, origin, exchanges }) => {
  const asked: Message[] = [];
  origin.answer((request) => {
    asked.push(request);
    return OK;
  });
  for (
    const [path, target] of [
      ["/x%2F//../y?q=/http://z?&%0d", "/x%2F//../y?q=/http://z?&%0d"],
      ["", "/"],
      ["/", "/"],
      ["?q", "/?q"],
    ]
  ) {
    for (const before of ["/", "/http://", "/HTTP://", "/http:/", "/http%3A/", "/Http%3a//"]) {
      const host = before.includes("%") ? origin.authority.replace(":", "%3A") : origin.authority;
      const answer = await ask(`${before}${host}${path}`);
      assertEquals([answer.status, answer.content], [200, "hi"]);
      const request = asked.pop()!;
      assertEquals(request.startLine, `GET ${target} HTTP/1.1`);
      assertEquals(valuesOf(request, "host"), [origin.authority]);
      const { kind, target: logged, verdict } = await exchanges.next();
      assertEquals([kind, logged, verdict], ["forward", `${origin.url}${target}`, "allow"]);
    }
  }
});

gateway("HEAD, HTTP/1.0, and several requests on one connection", async ({ ask, client, origin, own }) => {
  origin.answer(({ startLine }) => startLine.startsWith("HEAD") ? OK.slice(0, -2) : OK);
  const head = await ask(`/${origin.authority}/`, "", { method: "HEAD" });
  assertEquals([head.status, first(head, "content-length")], [200, "2"]);
  const kept = await client();
  for (let i = 0; i < 3; i++) {
    await kept.send(`GET /${origin.authority}/ HTTP/1.1\r\nHost: ${own}\r\n\r\n`);
    assertEquals((await kept.message()).content, "hi");
  }
  const old = await client();
  await old.send(`GET /${origin.authority}/ HTTP/1.0\r\n\r\n`);
  assertEquals((await old.message()).content, "hi");
});

gateway("an https page is asked for over TLS", async ({ ask, origin, exchanges }) => {
  const answer = ask(`/https://${origin.authority}/`);
  const upstream = await origin.accept();
  assertEquals((await upstream.some()).charCodeAt(0), 0x16);
  upstream.close();
  assertEquals((await answer).status, 502);
  assertEquals((await exchanges.next()).target, `https://${origin.authority}/`);
});

gateway("it explains itself, and takes nothing but GET and HEAD of pages", async (setting) => {
  const { ask, origin, own, exchanges } = setting;
  for (const path of ["/", "/?q"]) {
    const answer = await ask(path);
    assertEquals(answer.status, 200);
    assertStringIncludes(answer.content, `http://${own}/https://example.com/`);
    assertEquals((await exchanges.next()).kind, "own");
  }
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PURGE"]) {
    const answer = await ask(`/${origin.authority}/`, "Content-Length: 0\r\n", { method });
    assertEquals([answer.status, first(answer, "allow")], [405, "GET, HEAD"], method);
  }
  for (const target of [`http://${origin.authority}/`, "*", origin.authority]) {
    assertEquals((await ask(target)).status, 400, target);
  }
  assertEquals((await ask(origin.authority, "", { method: "CONNECT" })).status, 400);
  for (const path of ["//", "//x", "/ftp://x/", "/user@x/", "/:80/", "/http:///", "/x:0/", "/a%2eb/"]) {
    assertEquals((await ask(path)).status, 400, path);
  }
  const socks = await setting.client();
  await socks.send("\x05\x01\x00\r\n\r\n");
  assertEquals((await socks.message()).status, 400);
  await origin.assertNoFurtherConnection();
});

gateway("its own page is HTML for browsers, and names origins that sites have here", async (setting) => {
  const { ask, own } = setting;
  const port = own.split(":")[1];
  const html = await ask("/", "Accept: text/html,*/*;q=0.8\r\n", { host: `localhost:${port}` });
  assertEquals(first(html, "content-type"), "text/html; charset=utf-8");
  assertStringIncludes(html.content, `http://localhost:${port}/example.com/path`);
  assertStringIncludes(html.content, `http://example-com.localhost:${port}/`);
  assertStringIncludes(first(html, "content-security-policy")!, "style-src 'sha256-");
  const text = await ask("/");
  assertEquals(first(text, "content-type"), "text/plain; charset=utf-8");
  assertStringIncludes(text.content, `http://example-com.localhost:${port}/`);
  assertEquals((await ask("/", "", { method: "HEAD" })).content, "");
});

gateway("its own page names no origins that sites do not have", {
  settings: { gatewayOrigins: "path" },
}, async ({ ask }) => {
  for (const accept of ["text/html", "*/*"]) {
    assert(!(await ask("/", `Accept: ${accept}\r\n`)).content.includes(".localhost"));
  }
});

gateway("a name that does not exist is 404, as on a web server; one that cannot be looked up is not", {
  resolver: {
    lifetime: 0,
    failureLifetime: 0,
    lookup: (host) =>
      Promise.reject(
        Object.assign(new Error("no"), { code: host === "absent.example" ? "ENOTFOUND" : "EAI_AGAIN" }),
      ),
  },
}, async ({ ask, connect }) => {
  assertEquals((await ask("/absent.example/")).status, 404);
  assert((await ask("/trouble.example/")).status >= 500);
  const plain = await connect();
  await plain.send("GET http://absent.example/ HTTP/1.1\r\nHost: absent.example\r\n\r\n");
  assertEquals((await plain.message()).status, 502);
});

gateway("other sites' pages are refused, and so are other names for it", async (setting) => {
  const { ask, origin, own, exchanges } = setting;
  const path = `/${origin.authority}/`;
  for (
    const fields of [
      "Sec-Fetch-Site: cross-site\r\n",
      "Sec-Fetch-Site: same-site\r\n",
      "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
      "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n",
      "Sec-Fetch-Site: whatever\r\n",
      "Origin: http://evil.example\r\n",
      "Origin: null\r\n",
      `Origin: http://${own}, http://evil.example\r\n`,
      `Origin: http://127.0.0.1:1\r\n`,
      "Referer: http://evil.example/\r\n",
      `Referer: http://${own}@evil.example/\r\n`,
      `Referer: http://${own}.evil.example/\r\n`,
      `Sec-Fetch-Site: same-origin\r\nReferer: http://evil.example/${own}\r\n`,
    ]
  ) {
    const answer = await ask(path, fields);
    assertEquals(answer.status, 403, fields);
    assertEquals(first(answer, "access-control-allow-origin"), undefined);
    assertEquals((await ask("/", fields)).status, 403, fields);
  }
  const port = own.split(":")[1];
  for (
    const host of ["evil.example", `evil.example:${port}`, "127.0.0.1", "127.0.0.1:1", "10.0.0.1:" + port]
  ) {
    assertEquals((await ask(path, "", { host })).status, 403, host);
  }
  assertEquals((await ask(path, `Host: ${own}\r\n`)).status, 400);
  await origin.assertNoFurtherConnection();
  assertEquals(exchanges.all.every(({ originStatus }) => originStatus === 0), true);
  origin.answer(OK);
  for (
    const fields of [
      "Sec-Fetch-Site: none\r\n",
      `Sec-Fetch-Site: same-origin\r\nReferer: http://${own}/other.example/\r\nOrigin: http://${own}\r\n`,
    ]
  ) assertEquals((await ask(path, fields)).status, 200, fields);
  assertEquals((await ask(path, "", { host: `localhost:${port}` })).status, 200);
});

gateway("what speaks of the gateway, or to it, is not sent on", async ({ ask, origin, own }) => {
  const answer = ask(
    `/${origin.authority}/`,
    `Origin: http://${own}\r\nreferer: http://${own}/intranet.example/secret\r\nSec-Fetch-Site: same-origin\r\n` +
      "Sec-Fetch-Mode: cors\r\nAuthorization: Basic YTpi\r\nProxy-Authorization: Basic YTpi\r\n" +
      "Connection: upgrade\r\nUpgrade: websocket\r\nCookie: other=1; weir.a=b=c; weird=2\r\nCookie: third=3\r\n" +
      "Accept: */*\r\nX-Own: 1\r\n",
  );
  const upstream = await origin.accept();
  const { fields } = await upstream.message();
  assertEquals(
    fields.map(([name, value]) => `${name}: ${value}`),
    [`Host: ${origin.authority}`, "Cookie: a=b=c", "Accept: */*", "X-Own: 1", "Via: 1.1 weir-test"],
  );
  await upstream.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + OK);
  assertEquals((await answer).status, 200);
});

gateway("redirects stay in the gateway", async ({ ask, origin, another }) => {
  const other = another();
  let fields = "";
  origin.answer(() => `HTTP/1.1 302 Found\r\n${fields}Content-Length: 0\r\n\r\n`);
  const here = `/${origin.authority}`;
  for (
    const [location, becomes] of [
      ["/next?q#f", `${here}/next?q#f`],
      ["next", `${here}/a/next`],
      ["../../../up", `${here}/up`],
      ["?q", `${here}/a/b?q`],
      ["", `${here}/a/b?x`],
      [`${other.url}/p`, `/${other.authority}/p`],
      [`//${other.authority}/p`, `/${other.authority}/p`],
      [`\\\\${other.authority}\\p`, `/${other.authority}/p`],
      ["https://user:pw@EXAMPLE.com:443/p", "/https://example.com/p"],
      ["http://example.com", "/example.com/"],
      ["http:///example.com/x", "/example.com/x"],
      ["http://intranet/x", "/http://intranet/x"],
      ["http://intranet:8080/x", "/intranet:8080/x"],
      ["http://localhost/x", "/localhost/x"],
      ["http://[::1]:8080/", "/[::1]:8080/"],
      ["/caf\xc3\xa9", `${here}/caf%C3%A9`],
      ["javascript:alert(1)", undefined],
      ["mailto:a@example.com", undefined],
      ["http://", undefined],
    ] as const
  ) {
    fields = `Location: ${location}\r\nContent-Location: ${location}\r\nRefresh: 3; url=${
      location || "?x"
    }\r\n`;
    const answer = await ask(`${here}/a/b?x`);
    assertEquals(first(answer, "location"), becomes, location);
    assertEquals(first(answer, "content-location"), becomes, location);
    assertEquals(first(answer, "refresh"), becomes === undefined ? undefined : `3; url=${becomes}`, location);
  }
  fields = "Location: next\r\n";
  assertEquals(
    first(await ask(`/HTTP://${origin.authority}/a/b`), "location"),
    `/HTTP://${origin.authority}/a/next`,
  );
});

gateway("a chain of redirects is followed by its paths alone", async ({ ask, origin, another }) => {
  const last = another();
  origin.answer((_, index) =>
    `HTTP/1.1 302 Found\r\nLocation: ${index < 3 ? `/${index}` : last.url}\r\nContent-Length: 0\r\n\r\n`
  );
  last.answer(OK);
  let path = `/${origin.authority}/`;
  const seen: string[] = [];
  for (;;) {
    const answer = await ask(path);
    if (answer.status === 200) break;
    seen.push(path = first(answer, "location")!);
  }
  const here = `/${origin.authority}`;
  assertEquals(seen, [`${here}/0`, `${here}/1`, `${here}/2`, `/${last.authority}/`]);
});

Deno.test("Refresh in the forms that browsers take", () => {
  const place = { prefix: "/a.example", url: "http://a.example/x/y", ownOrigin: null };
  assertEquals(refresh("5", place), "5");
  assertEquals(refresh("0;URL='/z'", place), "0; url=/a.example/z");
  assertEquals(refresh('0, url = "https://b.example/";x', place), "0; url=/https://b.example/");
  assertEquals(refresh("0 z", place), "0; url=/a.example/x/z");
  assertEquals(refresh("0;url=javascript:1", place), null);
  assertEquals(refresh("soon; url=/", place), null);
});

Deno.test("cookies are those of their host's path alone", () => {
  const place = { prefix: "/https://a.example", url: "https://a.example/x/y?z/", ownOrigin: null };
  const becomes = (cookie: string) => setCookie(cookie, place);
  assertEquals(becomes("a=b"), "weir.a=b; Path=/https://a.example/x");
  assertEquals(becomes("a=b; Path=/"), "weir.a=b; Path=/https://a.example");
  assertEquals(
    becomes("a=b=c; path = /p/; Domain=.example; HttpOnly; Secure; Max-Age=5"),
    "weir.a=b=c; HttpOnly; Secure; Max-Age=5; Path=/https://a.example/p/",
  );
  assertEquals(becomes("a=b; Path=/q; Path=/p"), "weir.a=b; Path=/https://a.example/p");
  assertEquals(becomes("a=b; Path=/p; Path="), "weir.a=b; Path=/https://a.example/x");
  assertEquals(becomes("a=b; Path=relative; DOMAIN = evil.example"), "weir.a=b; Path=/https://a.example/x");
  assertEquals(becomes("__Host-a=b; Secure; Path=/"), "weir.__Host-a=b; Secure; Path=/https://a.example");
  assertEquals(becomes("=b"), null);
  assertEquals(becomes("b; Path=/"), null);
  assertEquals(setCookie("a=b", { prefix: "/a", url: "http://a/", ownOrigin: null }), "weir.a=b; Path=/a");
});

const RULED = [
  "Strict-Transport-Security: max-age=1",
  "Access-Control-Allow-Origin: *",
  "access-control-allow-credentials: true",
  "Service-Worker-Allowed: /",
  "Clear-Site-Data: *",
  "Alt-Svc: h3",
  "Public-Key-Pins: x",
  "Public-Key-Pins-Report-Only: x",
  "Cross-Origin-Resource-Policy: cross-origin",
  "WWW-Authenticate: Basic realm=x",
  "Referrer-Policy: no-referrer",
].join("\r\n");

gateway(
  "what would hold for all of the gateway is dropped, and no page can read another",
  async (setting) => {
    const { ask, origin } = setting;
    const body = "a".repeat(100_000);
    origin.answer(
      `HTTP/1.1 200 Fine\r\n${RULED}\r\nSet-Cookie: a=1; Domain=example.com\r\nSet-Cookie: b=2; Path=/p\r\n` +
        `Content-Type: text/html\r\nContent-Length: ${body.length}\r\nX-Kept: \xe9\r\n\r\n${body}`,
    );
    const answer = await ask(`/${origin.authority}/`);
    assertEquals(answer.startLine, "HTTP/1.1 200 Fine");
    assertEquals(answer.content.length, body.length);
    const names = answer.fields.map(([name]) => name.toLowerCase()).filter((name) => name !== "date");
    assertEquals(names, [
      ...["set-cookie", "set-cookie", "content-type", "content-length", "x-kept", "via"],
      ...["content-security-policy", "cross-origin-resource-policy", "x-content-type-options"],
      "referrer-policy",
    ]);
    assertStringIncludes(first(answer, "content-security-policy")!, "default-src 'none'");
    assertEquals(first(answer, "cross-origin-resource-policy"), "same-origin");
    assertEquals(first(answer, "referrer-policy"), "same-origin");
    assertEquals(valuesOf(answer, "set-cookie"), [
      `weir.a=1; Path=/${origin.authority}`,
      `weir.b=2; Path=/${origin.authority}/p`,
    ]);
  },
);

gateway("what is stored stays the origin's, and is rewritten for each who gets it", {
  settings: { cacheSize: 1_000_000 },
}, async ({ ask, connect, origin }) => {
  origin.answer(
    "HTTP/1.1 301 Moved\r\nCache-Control: max-age=600\r\nLocation: /there\r\nAccess-Control-Allow-Origin: *\r\n" +
      "Content-Length: 2\r\n\r\nhi",
  );
  const plain = async () => {
    const client = await connect();
    await client.send(`GET ${origin.url}/ HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`);
    return await client.message();
  };
  for (let i = 0; i < 4; i++) {
    const through = await ask(`/${origin.authority}/`);
    assertEquals(first(through, "location"), `/${origin.authority}/there`);
    assertEquals(first(through, "access-control-allow-origin"), undefined);
    assertEquals(through.content, "hi");
    assertStringIncludes(first(through, "cache-status")!, i === 0 ? "stored" : "hit");
    const spelled = await ask(`/http://${origin.authority}/`);
    assertEquals(first(spelled, "location"), `/http://${origin.authority}/there`);
    const direct = await plain();
    assertEquals([first(direct, "location"), first(direct, "access-control-allow-origin")], ["/there", "*"]);
    assertEquals(first(direct, "content-security-policy"), undefined);
    assertStringIncludes(first(direct, "cache-status")!, "hit");
  }
  const head = await ask(`/${origin.authority}/`, "", { method: "HEAD" });
  assertEquals(first(head, "location"), `/${origin.authority}/there`);
  assertEquals(origin.accepted, 1);
});

gateway("the policy decides as for any request", {
  settings: {
    policy: policy({ rules: [{ name: "no", action: "deny", hosts: "127.0.0.1", paths: "/secret/**" }] }),
  },
}, async ({ ask, origin, exchanges }) => {
  origin.answer(OK);
  assertEquals((await ask(`/${origin.authority}/open`)).status, 200);
  await exchanges.next();
  for (const path of ["/secret/a", "/x/../secret/a", "/%73ecret/a"]) {
    assertEquals((await ask(`/${origin.authority}${path}`)).status, 403, path);
    assertEquals((await exchanges.next()).rule, "no");
  }
});

gateway("whom the policy is not for is not told what it is either", {
  settings: { policy: new SeenFrom(policy({ clients: parseNetworks("10.0.0.0/8") }), "192.0.2.1") },
}, async ({ ask }) => {
  for (const path of ["/", "/?q", "/a.example/"]) assertEquals((await ask(path)).status, 403, path);
});

gateway("users say who they are as on a web server", {
  settings: {
    users: new KnownUsers({ alice: "secret" }),
    policy: policy({ authentication: "always" }),
  },
}, async ({ ask, origin, exchanges }) => {
  const nobody = await ask(`/${origin.authority}/`);
  assertEquals(nobody.status, 401);
  assert(first(nobody, "www-authenticate")!.startsWith("Basic"));
  assertEquals(first(nobody, "proxy-authenticate"), undefined);
  await exchanges.next();
  await origin.assertNoFurtherConnection();
  const answer = ask(`/${origin.authority}/`, `Authorization: Basic ${btoa("alice:secret")}\r\n`);
  const upstream = await origin.accept();
  assertEquals(valuesOf(await upstream.message(), "authorization"), []);
  await upstream.send(OK);
  assertEquals((await answer).status, 200);
  assertEquals((await exchanges.next()).user, "alice");
});

gateway("it does not fetch from itself, nor from the other listeners", async ({ ask, own, authority }) => {
  for (const host of [own, authority, own.replace("127.0.0.1", "localhost")]) {
    const { status } = await ask(`/${host}/`);
    assert(status >= 400, `${host}: ${status}`);
  }
});

const names = new Names(Object.fromEntries(
  DISGUISES.flatMap(({ becomes }) =>
    typeof becomes === "object" && "name" in becomes ? [[becomes.name, ["127.0.0.1"]]] : []
  ),
));

for (const before of ["/", "/http://", "/https://", "/https:/", "/https%3A/"]) {
  gateway(`no disguise is taken for anything but what it is: ${before}`, {
    settings: { policy: new SeenFrom(policy({ connectPorts: [{ first: 1, last: 65535 }] }), "9.9.9.9") },
    resolver: names.resolver,
  }, async ({ ask, origin, exchanges }) => {
    for (const { target, becomes } of DISGUISES) {
      names.asked.length = 0;
      const what = JSON.stringify(target);
      if (becomes !== "refused" && "address" in becomes && becomes.scope === "public") continue;
      const { status } = await ask(`${before}${text(new TextEncoder().encode(target))}/`);
      const { host } = await exchanges.next();
      if (becomes === "refused") assertEquals([status, host, names.asked.length], [400, "", 0], what);
      else if ("address" in becomes) assertEquals([status, host], [403, becomes.address], what);
      else assertEquals([status, host], [403, becomes.name], what);
    }
    await origin.assertNoFurtherConnection();
  });
}

Deno.test("targets in the ways in which programs put them together", () => {
  for (
    const [written, url, prefix] of [
      ["/https://a.example/x?y", "https://a.example/x?y", "/https://a.example"],
      ["/https:/a.example/x", "https://a.example/x", "/https:/a.example"],
      ["/https%3A//a.example%3A8443/x", "https://a.example:8443/x", "/https%3A//a.example%3A8443"],
      [
        "/https%3a/%5B2001:db8::1%5D%3A80?q",
        "https://[2001:db8::1]:80?q",
        "/https%3a/%5B2001:db8::1%5D%3A80",
      ],
      ["/a.example%3A8080", "http://a.example:8080", "/a.example%3A8080"],
      ["/ftp://a.example/", "ftp://a.example/", "/ftp://a.example"],
      // an encoded character elsewhere stays what it is
      ["/a%2Eexample/%3A", "http://a%2Eexample/%3A", "/a%2Eexample"],
      ["/a.example%2F@b/", "http://a.example%2F@b/", "/a.example%2F@b"],
      ["/https:///a/", "https:///a/", "/https://"],
      ["/https/a", "http://https/a", "/https"],
      ["/ftp:/a/", "http://ftp:/a/", "/ftp:"],
    ]
  ) {
    const target = targetOf(written);
    assertEquals([target.url, target.prefix], [url, prefix], written);
  }
});

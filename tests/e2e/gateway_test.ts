/** The gateway as curl and a browser use it. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { dumpPage } from "./browser.ts";
import { freePort, removeFolder, succeed } from "./programs.ts";
import { Weir } from "./weir.ts";

/** A site that redirects, sets cookies and has a page whose script would give it away. */
class Site implements AsyncDisposable {
  readonly cookies: (string | null)[] = [];
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    this.cookies.push(request.headers.get("cookie"));
    if (pathname === "/start") {
      return new Response(null, {
        status: 302,
        headers: { location: "/next", "set-cookie": "seen=yes; Path=/" },
      });
    }
    if (pathname === "/next") {
      return new Response(null, { status: 301, headers: { location: `${this.url}/page` } });
    }
    if (pathname === "/style.css") {
      return new Response("p { color: rgb(1, 2, 3) }", { headers: { "content-type": "text/css" } });
    }
    return new Response(
      `<!doctype html><link rel=stylesheet href=style.css><p id=said>as it was sent</p>` +
        `<script>document.getElementById("said").textContent = "a script ran"</script>` +
        `<p onclick="1">it is the page</p>`,
      { headers: { "content-type": "text/html" } },
    );
  });

  get authority(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  get url(): string {
    return `http://${this.authority}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

const CURL = ["-q", "-sS", "--noproxy", "*"];

Deno.test("curl follows redirects within the gateway, with the cookies of one site alone", async () => {
  await using site = new Site();
  await using other = new Site();
  const port = freePort();
  await using weir = await Weir.start(["--gateway", `127.0.0.1:${port}`]);
  const own = `http://127.0.0.1:${port}`;
  const folder = await Deno.makeTempDir({ prefix: "weir-gateway-" });
  try {
    const jar = ["-b", `${folder}/jar`, "-c", `${folder}/jar`];
    const effective = ["-o", "/dev/null", "-w", "%{http_code} %{url_effective} %{num_redirects}"];
    assertEquals(
      await succeed("curl", [...CURL, ...jar, "-L", ...effective, `${own}/${site.authority}/start`]),
      `200 ${own}/${site.authority}/page 2`,
    );
    assertEquals(site.cookies, [null, "seen=yes", "seen=yes"]);
    await succeed("curl", [...CURL, ...jar, `${own}/${other.authority}/page`]);
    assertEquals(other.cookies, [null]);
    const status = ["-o", "/dev/null", "-w", "%{http_code}"];
    assertEquals(await succeed("curl", [...CURL, ...status, `${own}/nowhere.invalid/`]), "404");
    const foreign = ["-H", "Origin: http://evil.example"];
    assertEquals(await succeed("curl", [...CURL, ...status, ...foreign, `${own}/${site.authority}/`]), "403");
    assertStringIncludes(await succeed("curl", [...CURL, own]), "This is a gateway");
  } finally {
    await removeFolder(folder);
  }
  assertStringIncludes(weir.stderr, `${own}/example.com/`);
  weir.assertHealthy();
});

Deno.test("Chromium shows a page without running its scripts, and no other page gets at it", async () => {
  await using site = new Site();
  const port = freePort();
  await using weir = await Weir.start(["--gateway", `127.0.0.1:${port}`]);
  const own = `http://127.0.0.1:${port}`;
  const page = `${own}/${site.authority}/start`;
  const dom = await chromium(page);
  assertStringIncludes(dom, "as it was sent");
  assertStringIncludes(dom, "it is the page");
  await weir.logged(
    "the style sheet",
    ({ target, status }) => target === `${site.url}/style.css` && status === 200,
  );
  // what another site's page gets to see of it: nothing
  await using evil = new Evil(`${own}/${site.authority}/page`);
  const seen = await chromium(evil.url);
  assertStringIncludes(seen, "fetch: TypeError");
  assertStringIncludes(seen, "no-cors: 0");
  await weir.logged("what is refused", ({ status }) => status === 403, 2);
  weir.assertHealthy();
});

/** A page of another site that asks the gateway for a page of a private network. */
class Evil implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(target: string) {
    const page = `<!doctype html><body><iframe src="${target}"></iframe><script type=module>
      const say = (text) => document.body.append(text + "; ");
      await fetch("${target}").then((r) => say("fetch: " + r.status), (e) => say("fetch: " + e.name));
      await fetch("${target}", { mode: "no-cors" }).then((r) => say("no-cors: " + r.status), () => say("no-cors: 0"));
    </script>`;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => new Response(page, { headers: { "content-type": "text/html" } }),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

async function chromium(url: string): Promise<string> {
  return (await dumpPage(url, ["--no-proxy-server", "--virtual-time-budget=5000"])).stdout;
}

/** weir's own pages as programs take them: curl, a shell, and Chromium with the file that is made for it. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { lookup } from "node:dns/promises";
import { dumpPage } from "./browser.ts";
import { succeed } from "./programs.ts";
import { Weir } from "./weir.ts";

/** A name without a dot, which is local therefore. */
const HERE = Deno.hostname();

/** Whether this machine finds itself by that name: it may have none but a longer one, or one of digits alone. */
const isFound = !HERE.includes(".") && URL.parse(`http://${HERE}/`)?.hostname === HERE &&
  await lookup(HERE, { family: 4 }).then(() => true, () => false);

/** Says by which way it was reached. */
class Site implements AsyncDisposable {
  readonly #server = Deno.serve({ hostname: "0.0.0.0", port: 0, onListen() {} }, (request) => {
    const via = request.headers.get("via");
    return new Response(via === null ? "direct" : "through weir");
  });

  get url(): string {
    return `http://${HERE}:${this.#server.addr.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

Deno.test("curl reads weir's own pages", async () => {
  await using weir = await Weir.start();
  const get = (path: string, ...more: string[]) => succeed("curl", ["-q", "-sS", ...more, weir.url + path]);
  assertEquals(await get("/-/healthy", "-f"), "ok\n");
  assertEquals(await get("/-/ready", "-f", "-0"), "ready\n");
  assertStringIncludes(await get("/", "-f"), `export http_proxy=${weir.url}\n`);
  assertStringIncludes(await get("/proxy.pac", "-f"), "FindProxyForURL");
  assertStringIncludes(await get("/", "-I"), "HTTP/1.1 200 OK");
  assertEquals(await get("/wpad.dat", "-o", "/dev/null", "-w", "%{http_code}"), "404");
  assertEquals(await get("/", "-H", "Host: evil.example", "-o", "/dev/null", "-w", "%{http_code}"), "400");
  weir.assertHealthy();
});

Deno.test("a shell that runs what the page says goes through weir", { ignore: !isFound }, async () => {
  await using site = new Site();
  await using weir = await Weir.start();
  const page = await succeed("curl", ["-q", "-sS", weir.url]);
  const lines = page.split("\n").filter((line) => line.startsWith("  export ")).join("\n");
  assertEquals(await succeed("sh", ["-c", `${lines}\ncurl -q -sS ${site.url}`]), "through weir");
});

Deno.test({
  name: "Chromium goes by /proxy.pac",
  ignore: !isFound,
  fn: goesByPac,
});

async function goesByPac(test: Deno.TestContext): Promise<void> {
  await using site = new Site();
  await test.step("past weir to what is local, and through it to all else", async () => {
    await using weir = await Weir.start();
    const pac = [`--proxy-pac-url=${weir.url}/proxy.pac`];
    assertStringIncludes((await dumpPage(site.url, pac)).stdout, "direct");
    await weir.logged("the file", ({ target, status }) => target === "/proxy.pac" && status === 200);
    await dumpPage("http://nowhere.invalid/", pac);
    await weir.logged("a foreign host", ({ target }) => target === "http://nowhere.invalid/");
    assertEquals(weir.log.filter(({ target }) => target === site.url), []);
    weir.assertHealthy();
  });
  await test.step("through weir to what is local where a rule names it", async () => {
    await using weir = await Weir.start(["--allow", HERE]);
    const { stdout } = await dumpPage(site.url, [`--proxy-pac-url=${weir.url}/proxy.pac`]);
    assertStringIncludes(stdout, "through weir");
    await weir.logged("the page", ({ target, status }) => target === site.url && status === 200);
    weir.assertHealthy();
  });
}

Deno.test("Chromium shows the front page as it is meant, and its policy holds nothing of it back", async () => {
  await using weir = await Weir.start();
  for (const [path, shown] of [["/", "This is a proxy"], ["/else", "Not Found"]]) {
    const { stdout, stderr } = await dumpPage(weir.url + path, []);
    assertStringIncludes(stdout, shown);
    assert(!/Content Security Policy|Refused to/i.test(stderr), stderr);
  }
  weir.assertHealthy();
});

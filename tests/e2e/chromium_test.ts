import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { Browser, HERE_ALONE, needBrowser, throughProxy } from "./browser.ts";
import { Origin } from "./origin.ts";
import { until } from "./programs.ts";
import { Weir } from "./weir.ts";

const PAGE = new URL("./page.html", import.meta.url);
/** A GIF of one transparent pixel. */
const PICTURE = Uint8Array.fromBase64("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7");

Deno.test("Chromium loads a page with many resources and a WebSocket", async (test) => {
  await needBrowser();
  await using origin = await Origin.start();
  await using weir = await Weir.start(HERE_ALONE);
  await Deno.copyFile(PAGE, `${origin.files}/page.html`);
  await Deno.writeFile(`${origin.files}/picture.gif`, PICTURE);
  const digest = createHash("sha256").update(new Uint8Array(3_000_000).fill(120)).digest("hex");

  for (const scheme of ["http", "https"] as const) {
    await test.step(`over ${scheme}`, async () => {
      const seen = origin.services.reports.length;
      await using _browser = new Browser(throughProxy(weir.url), `${origin[scheme]}/page.html`);
      const report = await until("the page's report", () => origin.services.reports[seen]);
      assertEquals(JSON.parse(report), { pictures: 120, digest, chunks: 290, echo: true });
    });
  }

  // Of plain requests the origin sees Via, of tunnels it does not: nothing went past weir.
  const pictures = origin.log.filter((line) => line.includes("/picture.gif?"));
  assertEquals(pictures.filter((line) => line.includes('"1.1 ')).length, 120);
  assertEquals(pictures.filter((line) => line.includes('"-" HTTP/2.0')).length, 120);
  const forwarded = await weir.logged(
    "pictures",
    (line) => String(line.target).includes("/picture.gif?"),
    120,
  );
  assertEquals(forwarded.every((line) => line.status === 200), true);
  // A browser opens tunnels for https:// and for WebSockets, and some of its own.
  for (const port of [origin.tlsPort, origin.port]) {
    const target = `127.0.0.1:${port}`;
    await weir.logged(`a tunnel to ${target}`, (line) => line.kind === "tunnel" && line.target === target);
  }
  weir.assertHealthy();
});

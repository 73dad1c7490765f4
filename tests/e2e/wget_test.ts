import { assertEquals } from "@std/assert";
import { Origin } from "./origin.ts";
import { succeed } from "./programs.ts";
import { Weir } from "./weir.ts";

Deno.test("wget", async (test) => {
  await using origin = await Origin.start();
  await using weir = await Weir.start();
  const wget = (...args: string[]) =>
    succeed("wget", ["--no-config", "-nv", "--tries=1", "--timeout=120", ...args], {
      env: { http_proxy: weir.url, https_proxy: weir.url, no_proxy: "" },
    });

  await Deno.mkdir(`${origin.files}/site/pictures`, { recursive: true });
  for (let page = 0; page < 20; page++) {
    const next = `<a href="page${page + 1}.html">next</a><img src="pictures/${page}">`;
    await Deno.writeTextFile(`${origin.files}/site/page${page}.html`, `<title>${page}</title>${next}`);
    await origin.randomFile(`site/pictures/${page}`, 50_000 * page);
  }
  await Deno.writeTextFile(`${origin.files}/site/page20.html`, "<p>The end.</p>");

  for (const scheme of ["http", "https"] as const) {
    await test.step(`mirrors a site over ${scheme}`, async () => {
      const mirror = `${origin.folder}/mirror-${scheme}`;
      await wget(
        ...["-r", "-l", "inf", "-np", "-nH", "-p", "-P", mirror],
        ...["--ca-certificate", origin.certificates.authority, `${origin[scheme]}/site/page0.html`],
      );
      assertEquals(await succeed("diff", ["-r", `${mirror}/site`, `${origin.files}/site`]), "");
    });
  }

  await test.step("continues a download that was cut short", async () => {
    const whole = `${origin.files}/site/pictures/19`;
    const part = `${origin.folder}/19`;
    await Deno.writeFile(part, (await Deno.readFile(whole)).subarray(0, 123_456));
    await wget("-c", "-O", part, `${origin.http}/site/pictures/19`);
    await succeed("cmp", [part, whole]);
  });

  weir.assertHealthy();
});

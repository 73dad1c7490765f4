/** README's recipe for CI, run as it stands there, with a weir that takes its time to start. */

import { assertEquals } from "@std/assert";
import { denoEnvironment, freePort, PATH, removeFolder, run } from "./programs.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

Deno.test("a job that follows README's recipe begins when weir listens", async () => {
  const readme = await Deno.readTextFile(`${ROOT}README.md`);
  const recipe = /```sh\n(weir --mode report [^`]*npm ci\n)```/.exec(readme)![1];
  const folder = await Deno.makeTempDir({ prefix: "weir-recipe-" });
  const port = String(freePort());
  const script = async (name: string, text: string) => {
    await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${text}\n`);
    await Deno.chmod(`${folder}/${name}`, 0o755);
  };
  const deno = `exec ${Deno.execPath()} run --allow-net --no-prompt ${ROOT}main.ts`;
  await script("weir", `echo $$ >${folder}/pid; sleep 2; ${deno} -l ${port} "$@" 2>${folder}/weir.err`);
  // what it asks for is asked of weir, or it fails
  await script("npm", "curl -sS -o /dev/null -w '%{http_code}' http://registry.invalid/");
  try {
    const job = recipe.replaceAll("8888", port);
    const env = { ...denoEnvironment(), PATH: `${folder}:${PATH}` };
    const { code, stdout } = await run("bash", ["-ec", job], { cwd: folder, env, seconds: 120 });
    assertEquals([code, stdout], [0, "ready\n502"]);
  } finally {
    await run("sh", ["-c", `kill $(cat ${folder}/pid)`]);
    await removeFolder(folder);
  }
});

/** Programs for Node, with the packages that they need installed by npm into a folder of the test's own. */

import { succeed } from "./programs.ts";

const PACKAGES = ["undici@7.30.2", "ws@8.23.0", "http-proxy-agent@7.0.2", "https-proxy-agent@7.0.4"];
/** A registry far away may fail for a moment. */
const OPTIONS = ["--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=5"];
const PROGRAMS = new URL("./programs/", import.meta.url);

/** Installs the packages into `folder` and copies the programs beside them. */
export async function installNodePrograms(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/package.json`, '{ "private": true }');
  // This is npm as the machine has it set up; nothing of it goes through weir.
  const env = Deno.env.toObject();
  await succeed("npm", ["install", ...OPTIONS, ...PACKAGES], {
    cwd: folder,
    env,
    seconds: 400,
  });
  for (const { name } of Deno.readDirSync(PROGRAMS)) {
    await Deno.copyFile(new URL(name, PROGRAMS), `${folder}/${name}`);
  }
}

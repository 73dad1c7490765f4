/**
 * Makes the executables of a release and their checksums in dist/.
 *
 *     deno task release                             all of them
 *     deno task release x86_64-unknown-linux-gnu    some of them
 */

import { createHash } from "node:crypto";
import { compile, ROOT } from "./compile.ts";

/** Target triples and the names that people know them by. */
const TARGETS: Record<string, string> = {
  "x86_64-unknown-linux-gnu": "linux-x86_64",
  "aarch64-unknown-linux-gnu": "linux-arm64",
  "x86_64-apple-darwin": "macos-x86_64",
  "aarch64-apple-darwin": "macos-arm64",
  "x86_64-pc-windows-msvc": "windows-x86_64.exe",
};

const unknown = Deno.args.find((target) => !(target in TARGETS));
if (unknown !== undefined) {
  console.error(`There is no target ${unknown}; there are ${Object.keys(TARGETS).join(", ")}.`);
  Deno.exit(2);
}

const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
const folder = `${ROOT}dist`;
await Deno.remove(folder, { recursive: true }).catch(() => {});
await Deno.mkdir(folder);
const sums: string[] = [];
for (const target of Deno.args.length > 0 ? Deno.args : Object.keys(TARGETS)) {
  const name = `weir-${version}-${TARGETS[target]}`;
  await compile({ output: `${folder}/${name}`, target }).catch(fail);
  const hash = createHash("sha256");
  using file = await Deno.open(`${folder}/${name}`);
  for await (const bytes of file.readable) hash.update(bytes);
  sums.push(`${hash.digest("hex")}  ${name}\n`);
  console.log(`dist/${name}`);
}
await Deno.writeTextFile(`${folder}/SHA256SUMS`, sums.join(""));
console.log("dist/SHA256SUMS");

function fail(error: Error): never {
  console.error(error.message);
  Deno.exit(1);
}

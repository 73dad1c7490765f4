/**
 * Makes the executable for this machine.
 *
 *     deno task compile               ./weir, which may use the network and files
 *     deno task compile:net           ./weir-net, which may use the network alone
 *     deno task compile --output FILE
 *
 * DENO_FOR_COMPILE names another deno to compile with. DENORT_BIN, which `deno compile` itself reads, names the
 * runtime to build upon, for machines that cannot download it.
 */

import { parseArgs } from "node:util";

/** The repository's root. */
export const ROOT = new URL("../", import.meta.url).pathname;

export interface CompileOptions {
  output: string;
  /** A target triple of Rust's, `aarch64-apple-darwin`; this machine when it is not given. */
  target?: string;
  /** Grant the network alone: no files, and so no configuration file by its name. */
  netOnly?: boolean;
}

/** Compiles `main.ts`. Throws when the compiler fails, which has then said why. */
export async function compile({ output, target, netOnly = false }: CompileOptions): Promise<void> {
  const permissions = netOnly ? ["--allow-net"] : ["--allow-net", "--allow-read", "--allow-write"];
  const bundled = await Deno.makeTempDir({ prefix: "weir-bundle-" });
  try {
    await bundle(bundled);
    await run(Deno.env.get("DENO_FOR_COMPILE") ?? Deno.execPath(), output, environment(target), [
      "compile",
      "--quiet",
      "--config",
      `${ROOT}deno.json`,
      "--frozen",
      // Whatever is not granted is refused: an executable never stops to ask.
      "--no-prompt",
      ...permissions,
      // Deno would keep compiled code under a name that anybody can guess in the folder for temporary files, and run
      // what it finds there, whoever wrote it. It would save 15 ms of a start.
      "--no-code-cache",
      // Requests leave little behind: a nursery of 4 MiB is enough for it, and saves megabytes under load.
      "--v8-flags=--max-semi-space-size=4",
      // What is loaded by its name alone.
      "--include",
      `${bundled}/worker.ts`,
      ...(target === undefined ? [] : ["--target", target]),
      "--output",
      output,
      `${bundled}/main.js`,
    ]);
  } finally {
    await Deno.remove(bundled, { recursive: true });
  }
}

/**
 * Puts modules together into a few files in a folder: what every start needs into one, what is loaded later into
 * some beside it. An executable starts a fifth sooner than with hundreds of modules, and takes 5 MB less.
 */
async function bundle(folder: string): Promise<void> {
  const worker = "src/cache/disk/worker";
  await run(Deno.execPath(), "The bundle, for which Deno fetches esbuild from npm,", Deno.env.toObject(), [
    "bundle",
    "--quiet",
    "--frozen",
    "--code-splitting",
    // The worker that hashes passwords imports it by this name, from no file.
    "--external",
    "bcryptjs",
    "--outdir",
    folder,
    "main.ts",
    `${worker}.ts`,
  ]);
  // The cache looks for its worker beside the file that it is in itself, and by now that is this folder.
  await Deno.writeTextFile(`${folder}/worker.ts`, `import "./${worker}.js";\n`);
}

/** Runs Deno in the repository. Throws when it fails, with what was to be made. */
async function run(deno: string, what: string, env: Record<string, string>, args: string[]): Promise<void> {
  const { success } = await new Deno.Command(deno, {
    args,
    cwd: ROOT,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
    clearEnv: true,
    env,
  }).output();
  if (!success) throw new Error(`${what} was not made.`);
}

/** The runtime that is at hand is this machine's, and no other target's. */
function environment(target = Deno.build.target): Record<string, string> {
  const { DENORT_BIN, ...others } = Deno.env.toObject();
  return DENORT_BIN === undefined || target !== Deno.build.target ? others : { ...others, DENORT_BIN };
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: { net: { type: "boolean", default: false }, output: { type: "string" } },
  });
  const suffix = Deno.build.os === "windows" ? ".exe" : "";
  const output = values.output ?? `${ROOT}${values.net ? "weir-net" : "weir"}${suffix}`;
  await compile({ output, netOnly: values.net }).catch((error) => {
    console.error(error.message);
    Deno.exit(1);
  });
  console.log(output);
}

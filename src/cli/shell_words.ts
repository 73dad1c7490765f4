/** Command lines as a person can paste them into a shell. */

import { withoutSecrets } from "../config/parent_url.ts";
import { shellWord } from "../programs/shell_word.ts";

/**
 * The line that starts this very program, with other permissions and arguments.
 *
 * @param permissions flags of `deno run` besides the network's, such as `--allow-read=weir.toml`; an executable
 * has its own built in
 */
export function startLine(permissions: readonly string[], args: readonly string[]): string {
  const program = Deno.build.standalone
    ? ["weir"]
    : ["deno", "run", "--allow-net", ...permissions, mainModule()];
  // what it is told in confidence is not repeated
  return [...program, ...args.map(withoutSecrets)].map(shellWord).join(" ");
}

/** The flag of `deno run` that permits this for these paths; for all, where one of them cannot be named so. */
export function permission(name: "read" | "write", paths: readonly string[]): string {
  return paths.some((path) => path.includes(",")) ? `--allow-${name}` : `--allow-${name}=${paths.join(",")}`;
}

function mainModule(): string {
  const url = new URL(Deno.mainModule);
  return url.protocol === "file:" ? pathOf(url) : url.href;
}

/** The path of a `file:` URL. */
export function pathOf(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? path.slice(1) : path;
}

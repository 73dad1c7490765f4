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

function mainModule(): string {
  const url = new URL(Deno.mainModule);
  if (url.protocol !== "file:") return url.href;
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? path.slice(1) : path;
}

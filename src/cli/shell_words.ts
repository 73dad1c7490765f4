/** Command lines as a person can paste them into a shell. */

/** A word as a POSIX shell reads it back, in quotes where it needs them. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_.,:/=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The line that starts this very program, with other permissions and arguments.
 *
 * @param permissions flags of `deno run`, such as `--allow-read=weir.toml`
 */
export function denoRun(permissions: readonly string[], args: readonly string[]): string {
  const words = ["deno", "run", "--allow-net", ...permissions, programName(), ...args];
  return words.map(shellWord).join(" ");
}

function programName(): string {
  const url = new URL(Deno.mainModule);
  if (url.protocol !== "file:") return url.href;
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? path.slice(1) : path;
}

import manifest from "../../deno.json" with { type: "json" };

/** The version of weir, as `deno.json` has it. */
export const VERSION: string = manifest.version;

/** What `--version` prints: the version, and in a second line what it runs on, for reports of faults. */
export function versionText(): string {
  return `weir ${VERSION}\nDeno ${Deno.version.deno}, V8 ${Deno.version.v8}, ${Deno.build.target}\n`;
}

/** Files that decide who may do what, and are more open than they should be. */

import { writableByOthers } from "../files/folder_trust.ts";

const OTHERS_READ = 0o004;

/**
 * @param deciding the configuration, lists of hosts, users and certificates
 * @param key the private key; `undefined` for none
 * @returns warnings, each in one line
 */
export function modeWarnings(deciding: readonly string[], key: string | undefined): string[] {
  const warnings = [...new Set(deciding)].filter((path) => has(path, writableByOthers)).map((path) =>
    `${path} can be changed by other users of this machine: chmod go-w ${path}`
  );
  if (key !== undefined && has(key, ({ mode }) => mode !== null && (mode & OTHERS_READ) !== 0)) {
    warnings.push(`the key in ${key} can be read by every user of this machine: chmod o-r ${key}`);
  }
  return warnings;
}

function has(path: string, what: (info: Deno.FileInfo) => boolean): boolean {
  try {
    const info = Deno.statSync(path);
    // pipes and what a shell passes by /dev/fd have modes that say nothing
    return info.isFile && what(info);
  } catch {
    // standard input, or gone meanwhile
    return false;
  }
}

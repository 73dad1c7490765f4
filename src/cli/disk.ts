/** Opens the folder in which responses are kept. */

import type { DiskStore } from "../cache/disk_store.ts";
import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import type { NoticeLevel } from "../proxy/observer.ts";
import { startLine } from "./shell_words.ts";

/**
 * The disk store of the configuration, or `null` when there is none. Where its folder cannot be used that is noticed,
 * and weir goes on without.
 *
 * @throws {ConfigError} when another process has the folder, when a newer weir wrote it, or a permission is missing
 */
export async function openDisk(
  { cacheFolder, cacheFolderSize, proxy }: Config,
  line: CommandLine,
  notice: (level: NoticeLevel, message: string) => void,
): Promise<DiskStore | null> {
  if (cacheFolder === null || proxy.cacheSize === 0) return null;
  await requireFolder(cacheFolder, line);
  const { DiskStore } = await import("../cache/disk_store.ts");
  const { FolderInUse } = await import("../cache/disk/lock.ts");
  try {
    return await DiskStore.open(cacheFolder, cacheFolderSize, notice);
  } catch (error) {
    if (error instanceof FolderInUse) throw new ConfigError([error.message]);
    throw error;
  }
}

/** Asks for nothing: says which permissions are missing, and how to give them. */
async function requireFolder(folder: string, line: CommandLine): Promise<void> {
  const states = await Promise.all(
    (["read", "write"] as const).map((name) => Deno.permissions.query({ name, path: folder })),
  );
  if (states.every(({ state }) => state === "granted")) return;
  const text = `${folder} cannot be used: that needs the permissions --allow-read and --allow-write`;
  if (Deno.build.standalone) throw new ConfigError([`${text}, which this executable was built without`]);
  throw new ConfigError([
    `${text}\n  give them:  ${startLine(["--allow-read", "--allow-write"], line.args)}`,
  ]);
}

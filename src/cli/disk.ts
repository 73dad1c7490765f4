/** Opens the folder in which responses are kept. */

import type { DiskStore } from "../cache/disk_store.ts";
import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import type { NoticeLevel } from "../proxy/observer.ts";
import { diskWorkerFolder, lacking } from "./permissions.ts";

/**
 * The disk store of the configuration, or `null` when there is none. Where its folder cannot be used that is noticed,
 * and weir goes on without.
 *
 * @param files what had to be read before, so that a line that gives the missing permissions gives those too
 * @throws {ConfigError} when another process has the folder, other users can write it, or a permission is missing
 */
export async function openDisk(
  { cacheFolder, cacheFolderSize, proxy }: Config,
  files: readonly string[],
  line: CommandLine,
  notice: (level: NoticeLevel, message: string) => void,
): Promise<DiskStore | null> {
  if (cacheFolder === null || proxy.cacheSize === 0) return null;
  await requireFolder(cacheFolder, ["read", "write"], [...diskWorkerFolder(), ...files], line);
  const { DiskStore } = await import("../cache/disk_store.ts");
  const { FolderInUse } = await import("../cache/disk/lock.ts");
  const { UnsafeFolder } = await import("../cache/disk/private_folder.ts");
  try {
    return await DiskStore.open(cacheFolder, cacheFolderSize, notice);
  } catch (error) {
    if (error instanceof FolderInUse || error instanceof UnsafeFolder) throw new ConfigError([error.message]);
    throw error;
  }
}

/**
 * Asks for nothing: says which permissions are missing for a cache's folder, and how to give them.
 *
 * @param names looking takes `read`, and changing `write` too
 * @param files what has to be read besides
 * @throws {ConfigError}
 */
export async function requireFolder(
  folder: string,
  names: readonly ("read" | "write")[],
  files: readonly string[],
  line: CommandLine,
): Promise<void> {
  const pathsOf = (name: "read" | "write") => name === "read" ? [folder, ...files] : [folder];
  const asked = names.flatMap((name) => pathsOf(name).map((path) => ({ name, path })));
  const states = await Promise.all(asked.map((each) => Deno.permissions.query(each)));
  if (states.every(({ state }) => state === "granted")) return;
  const more = { read: pathsOf("read"), write: names.includes("write") ? [folder] : [] };
  throw new ConfigError([lacking(`${folder} cannot be used: that`, names, line, more)]);
}

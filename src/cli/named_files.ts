/** Where the files lie that rules, routes and options name. */

import type { HostPattern } from "../policy/host_pattern.ts";

/** A rule or a route. */
interface WithHosts {
  readonly hosts: readonly HostPattern[] | null;
}

/** The rules with the files of their lists as the system finds them; as they were written they stay in `text`. */
export function resolveLists<Each extends WithHosts>(
  rules: readonly Each[],
  configFile: string | undefined,
): Each[] {
  const folder = configFile === undefined ? "" : folderOf(configFile);
  return rules.map((rule) => {
    if (rule.hosts?.some(({ kind }) => kind === "list") !== true) return rule;
    const hosts = rule.hosts.map((host) =>
      host.kind === "list" ? { ...host, file: fileIn(folder, host.file) } : host
    );
    return { ...rule, hosts };
  });
}

/** A file's path, seen from a folder that ends with a slash, or from the working folder, which is `""`. */
export function fileIn(folder: string, file: string): string {
  const isAbsolute = file.startsWith("/") ||
    (Deno.build.os === "windows" && /^(?:[A-Za-z]:)?[\\/]/.test(file));
  return isAbsolute ? file : folder + file;
}

/** What stands before a file's name, with its slash. */
export function folderOf(path: string): string {
  const slash = Math.max(path.lastIndexOf("/"), Deno.build.os === "windows" ? path.lastIndexOf("\\") : -1);
  return path.slice(0, slash + 1);
}

/** The folder of a file as permissions name it. */
export function folderAround(path: string): string {
  const folder = folderOf(path);
  return folder === "" ? "." : folder.length === 1 ? folder : folder.slice(0, -1);
}

/** The files that rules name, each once. */
export function listFilesOf(rules: readonly WithHosts[]): string[] {
  const files = new Set<string>();
  for (const { hosts } of rules) {
    for (const host of hosts ?? []) if (host.kind === "list") files.add(host.file);
  }
  return [...files];
}

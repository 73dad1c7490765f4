/**
 * What a command line needs besides the network, and the line that gives it. A line that is printed gives all that
 * this command line is known to need, so that whoever pastes it is not sent back for the next one.
 */

import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { formatAddress } from "../config/value.ts";
import { parseIp } from "../http/ip_address.ts";
import { folderAround, listFilesOf } from "./named_files.ts";
import { pathOf, permission, startLine } from "./shell_words.ts";

/** Files and folders. */
export interface Needs {
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/**
 * The line that starts the same again with every permission that is known to be needed.
 *
 * @param more what the command line does not say itself, such as the lists that a file names
 * @param args in place of those that were given
 */
export function permittedLine(
  line: CommandLine,
  more: Partial<Needs> = {},
  args: readonly string[] = line.args,
): string {
  const own = needsOf(line);
  const flags = (["read", "write"] as const).flatMap((name) => {
    const paths = [...new Set([...own[name], ...more[name] ?? []])];
    return paths.length === 0 ? [] : [permission(name, paths)];
  });
  return startLine(flags, args);
}

/**
 * What is said where permissions are missing, with the line that gives them. An executable has those that it was built
 * with, and no line changes that.
 *
 * @param what they are needed for, the beginning of a sentence that goes on with `needs`
 * @param more as for {@link permittedLine}
 */
export function lacking(
  what: string,
  names: readonly ("net" | "read" | "write")[],
  line: CommandLine,
  more: Partial<Needs> = {},
): string {
  const [permission, them] = names.length === 1 ? ["permission", "it"] : ["permissions", "them"];
  const text = `${what} needs the ${permission} ${names.map((name) => `--allow-${name}`).join(" and ")}`;
  if (Deno.build.standalone) return `${text}, which this executable was built without`;
  return `${text}\n  give ${them}:  ${permittedLine(line, more)}`;
}

/**
 * Asks for nothing: says how to give the permission to connect. A name takes that for the whole network, since it is
 * one of its addresses that is dialled.
 *
 * @param what it is needed for, the beginning of a sentence
 * @param more what has to be read besides
 * @throws {ConfigError}
 */
export async function requireConnect(
  what: string,
  { hostname, port }: { hostname: string; port: number },
  line: CommandLine,
  more: Partial<Needs> = {},
): Promise<void> {
  const asked: Deno.NetPermissionDescriptor = parseIp(hostname) === null
    ? { name: "net" }
    : { name: "net", host: formatAddress({ hostname, port }) };
  if ((await Deno.permissions.query(asked)).state === "granted") return;
  throw new ConfigError([lacking(what, ["net"], line, more)]);
}

/** What the command line says itself that it is going to read and write. */
export function needsOf(line: CommandLine): Needs {
  const read = [...policyFiles(line), ...logsOf(line)];
  const write: string[] = [];
  const { options, values, words } = line;
  const cache = values["cache-dir"];
  switch (line.command) {
    case "serve":
      read.push(
        ...[values.users, values["tls-cert"], values["tls-key"]].filter((file) => file !== undefined),
      );
      if (cache !== undefined && !line.check) {
        read.push(cache, ...diskWorkerFolder());
        write.push(cache);
      }
      break;
    case "why":
      if (cache !== undefined) read.push(cache);
      break;
    case "cache":
      if (cache !== undefined) read.push(cache);
      if (cache !== undefined && CHANGES_CACHE.includes(words[0])) write.push(cache);
      break;
    case "test":
      read.push(...words.filter((word) => word !== "-"));
      break;
    case "learn":
      if (options.into !== undefined) replaces(options.into, read, write);
      break;
    case "passwd":
      replaces(words[0], read, write);
      break;
    case "get":
      if (options.output !== undefined) write.push(options.output);
      break;
  }
  return { read, write };
}

const CHANGES_CACHE = ["purge", "clear"];

/** A file that is replaced whole takes its folder. */
function replaces(path: string, read: string[], write: string[]): void {
  read.push(folderAround(path));
  write.push(folderAround(path));
}

/** The files of `--config`, of lists that flags name, and of authorities. */
function policyFiles({ config, rules, values }: CommandLine): string[] {
  return [
    ...config === undefined || config === "-" ? [] : [config],
    ...listFilesOf(rules),
    ...values["origin-ca"] ?? [],
  ];
}

/** The files that a command line names as logs. */
export function logsOf({ command, words }: CommandLine): string[] {
  const reads = command === "learn" || command === "replay" || command === "report";
  return reads ? words.filter((word) => word !== "-") : [];
}

/** Where the modules of the disk's worker are, which `deno run` loads as files are read; an executable has them. */
export function diskWorkerFolder(): string[] {
  const url = new URL("../cache/disk", import.meta.url);
  return Deno.build.standalone || url.protocol !== "file:" ? [] : [pathOf(url)];
}

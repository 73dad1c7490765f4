/** Reads the files that a person names, and says in plain words why one cannot be read. */

import type { CommandLine } from "../config/flags.ts";
import { ConfigError } from "../config/errors.ts";
import { shellWord } from "../programs/shell_word.ts";
import { lacking, needsOf } from "./permissions.ts";
import { startLine } from "./shell_words.ts";

/**
 * Asks for nothing: says which permission is missing to read these files, and how to give it.
 *
 * @throws {ConfigError}
 */
export async function requireRead(paths: readonly string[], line: CommandLine): Promise<void> {
  const states = await Promise.all(paths.map((path) => Deno.permissions.query({ name: "read", path })));
  const missing = paths.filter((_, i) => states[i].state !== "granted");
  if (missing.length > 0) throw new ConfigError([withoutPermission(missing, paths, line)]);
}

/** Opening a pipe waits for somebody who writes into it, and what it held is gone once it was read. */
export async function isPipe(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFifo === true;
  } catch {
    // opening it says why
    return false;
  }
}

/**
 * For files that are read a second time.
 *
 * @throws {ConfigError} with those that are pipes
 */
export async function refusePipes(paths: readonly string[]): Promise<void> {
  const problems: string[] = [];
  for (const path of paths) {
    if (await isPipe(path)) problems.push(`${path} cannot be read again: it is a pipe`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

/**
 * Reads a whole file as UTF-8.
 *
 * @param limit bytes; a larger file is refused after that many
 * @throws {ConfigError}
 */
export async function readTextFile(path: string, limit: number, line: CommandLine): Promise<string> {
  const stream = await openFile(path, line);
  try {
    return await readText(stream, path, limit);
  } catch (error) {
    throw error instanceof ConfigError ? error : unreadable(path, error, line);
  }
}

/**
 * Opens a file of any size; it is closed when it has been read or cancelled.
 *
 * @throws {ConfigError}
 */
export async function openFile(path: string, line: CommandLine): Promise<ReadableStream<Uint8Array>> {
  try {
    const file = await Deno.open(path);
    const { isDirectory } = await file.stat();
    if (!isDirectory) return file.readable;
    file.close();
  } catch (error) {
    throw unreadable(path, error, line);
  }
  throw new ConfigError([`${path} cannot be read: it is a folder`]);
}

function unreadable(path: string, error: unknown, line: CommandLine): ConfigError {
  // files below /dev and /proc need more than --allow-read
  if (error instanceof Deno.errors.NotCapable) {
    return new ConfigError([withoutPermission([path], [path], line)]);
  }
  return new ConfigError([`${path} cannot be read: ${reason(error)}`]);
}

/**
 * Reads a whole stream as UTF-8.
 *
 * @param name what messages call it
 * @param limit bytes; a longer stream is refused after that many
 * @throws {ConfigError}
 */
export async function readText(
  stream: ReadableStream<Uint8Array>,
  name: string,
  limit: number,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of stream) {
    size += piece.length;
    if (size > limit) throw new ConfigError([`${name} is larger than ${limit / 2 ** 20} MiB`]);
    pieces.push(piece);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigError([`${name} is not UTF-8 text`]);
  }
}

function withoutPermission(missing: readonly string[], all: readonly string[], line: CommandLine): string {
  const text = lacking(`${missing.join(", ")} cannot be read: that`, ["read"], line, { read: all });
  const config = missing.find((path) => path === line.config);
  const fromInput = line.args.map((word) =>
    word === config
      ? "-"
      : word.replace(/^(--config=|-c=?)(.*)$/, (all, flag, path) => path === config ? `${flag}-` : all)
  );
  const others = [...needsOf(line).read, ...needsOf(line).write, ...all].filter((path) => path !== config);
  const alternative = config === undefined || others.length > 0
    ? ""
    : `\n  or, by the network alone:  ${startLine([], fromInput)} < ${shellWord(config)}`;
  return text + alternative;
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "this user may not read it";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  return error instanceof Error ? error.message : String(error);
}

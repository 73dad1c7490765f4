/** `weir passwd FILE USER`: gives a user a password, in the file that `--users` names. */

import type { Instance } from "../config/config.ts";
import { ConfigError, UsageError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { printable } from "../config/printable.ts";
import { withUser } from "../passwords/edit_file.ts";
import type { Scheme } from "../passwords/hash.ts";
import { MAX_FILE_SIZE, nameProblem, readPasswordFile } from "../passwords/password_file.ts";
import { hashPassword, passwordProblem } from "../passwords/verify.ts";
import type { Io } from "./io.ts";
import { hidden, processTerminal, type Terminal } from "./password_prompt.ts";
import { findFile, type FoundFile, replaceFile } from "./replace_file.ts";

/** Bytes of standard input that are looked at for a line. */
const LONGEST_LINE = 4096;
/** Exit code of what was broken off: 128 and the number of SIGINT. */
const BROKEN_OFF = 130;

/** There is no password to go on with. */
class NoPassword extends Error {
  constructor(message: string, readonly code = 1) {
    super(message);
  }
}

/**
 * Asks for a password twice, or reads it from standard input where that is no terminal, and writes its hash.
 *
 * @returns the exit code
 * @throws {UsageError} for a name that no user can have
 * @throws {ConfigError} when the file cannot be read or written
 */
export async function passwd(
  line: CommandLine,
  _instance: Instance,
  io: Io,
  terminal: () => Terminal = processTerminal,
): Promise<number> {
  const [path, user] = line.words;
  const problem = nameProblem(user);
  if (problem !== null) throw new UsageError([`${printable(user)} is ${problem}`]);
  const file = await findFile(path, MAX_FILE_SIZE, line);
  requireUsers(file);
  try {
    return line.options.delete === true
      ? await deleteUser(file, user, io)
      : await setPassword(file, user, line.options.bcrypt === true ? "bcrypt" : "scrypt", io, terminal);
  } catch (error) {
    if (!(error instanceof NoPassword)) throw error;
    io.err(`weir: ${error.message}; ${path} is as it was\n`);
    return error.code;
  }
}

/** @throws {ConfigError} for a file of something else, which was hardly meant */
function requireUsers({ path, text }: FoundFile): void {
  const lines = text.split("\n").map((each) => each.trim()).filter((each) => each !== "" && each[0] !== "#");
  if (lines.length === 0 || lines.some((each) => /^[^:=]+:\S+$/.test(each))) return;
  throw new ConfigError([`${path} is no file of users: none of its lines is user:hash; name another`]);
}

async function deleteUser(file: FoundFile, user: string, io: Io): Promise<number> {
  const { text, found } = withUser(file.text, user, null);
  if (!found) {
    io.err(`weir: there is no user ${user} in ${file.path}\n`);
    return 1;
  }
  await write(file, text, io);
  io.err(`weir: ${user} is no user any more\n`);
  return 0;
}

async function setPassword(
  file: FoundFile,
  user: string,
  scheme: Scheme,
  io: Io,
  terminal: () => Terminal,
): Promise<number> {
  const password = io.isTerminal("input") ? await ask(terminal(), user, io) : await firstLine(io.input);
  const problem = passwordProblem(password, scheme);
  if (problem !== null) throw new NoPassword(`the password ${problem}`);
  const { text, found } = withUser(file.text, user, (await hashPassword(password, scheme)).text);
  await write(file, text, io);
  io.err(`weir: ${user} ${found ? "has a new password" : "is a user now"}\n`);
  return 0;
}

async function write(file: FoundFile, text: string, io: Io): Promise<void> {
  if (new TextEncoder().encode(text).length > MAX_FILE_SIZE) {
    throw new ConfigError([`${file.path} would be larger than ${MAX_FILE_SIZE / 2 ** 20} MiB`]);
  }
  const remark = await replaceFile(file, text);
  if (remark !== null) io.err(`weir: ${remark}\n`);
  // a file of htpasswd is brought over user by user; until then it cannot be served
  for (const { line, message } of readPasswordFile(text).problems) {
    io.err(`weir: ${file.path}, line ${line}: ${message}\n`);
  }
}

function ask(terminal: Terminal, user: string, io: Io): Promise<string> {
  return hidden(terminal, async (input) => {
    const answer = async (question: string): Promise<string> => {
      io.err(question);
      const text = await input.line();
      io.err("\n");
      if (text === null) throw new NoPassword("broken off", BROKEN_OFF);
      return text;
    };
    const password = await answer(`New password of ${user}: `);
    if (await answer("The same again: ") !== password) {
      throw new NoPassword("the two passwords are not the same");
    }
    return password;
  });
}

/** The first line of a stream, without its end. */
async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const bytes: number[] = [];
  reading: for await (const piece of stream) {
    for (const byte of piece) {
      if (byte === 0x0a) break reading;
      bytes.push(byte);
      if (bytes.length > LONGEST_LINE) {
        throw new NoPassword(`the password has more than ${LONGEST_LINE} bytes`);
      }
    }
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes))
      .replace(/\r$/, "");
  } catch {
    throw new NoPassword("the password is not UTF-8 text");
  }
}

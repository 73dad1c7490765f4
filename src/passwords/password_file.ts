/** Reads files of users and their passwords, one `user:hash` a line, as Apache's htpasswd writes them. */

import { type Hash, readHash } from "./hash.ts";

/** Bytes of a file, and users in one. */
export const MAX_FILE_SIZE = 4 * 2 ** 20;
export const MAX_USERS = 100_000;

/** Characters of a name. */
const LONGEST_NAME = 256;
/** Problems that are told; a file of another kind would have one in each line. */
const MAX_PROBLEMS = 20;

export interface PasswordFile {
  readonly users: ReadonlyMap<string, Hash>;
  /** What is wrong, in the order of the lines. */
  readonly problems: readonly Problem[];
}

export interface Problem {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** One line of a file. `user` is `null` for empty lines and comments, which begin with `#`. */
export interface Line {
  readonly number: number;
  /** As it stands, without its end. */
  readonly text: string;
  readonly user: string | null;
}

/** Takes a text apart into its lines; they end in LF or CRLF, the last one may go without. */
function* linesOf(text: string): Generator<Line> {
  let number = 0;
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("\n", start);
    const next = end < 0 ? text.length : end;
    const line = text.slice(start, next > start && text[next - 1] === "\r" ? next - 1 : next);
    const passed = line.trim() === "" || line.startsWith("#");
    yield { number: ++number, text: line, user: passed ? null : line.split(":", 1)[0] };
    start = next + 1;
  }
}

/**
 * Reads a whole file. Users whose line is wrong are left out; nobody is let in by half a file, so that whoever gets
 * problems should not use it.
 */
export function readPasswordFile(text: string): PasswordFile {
  const users = new Map<string, Hash>();
  const problems: Problem[] = [];
  // some editors begin a file with a mark
  for (const line of linesOf(text.replace(/^\u{feff}/u, ""))) {
    if (problems.length >= MAX_PROBLEMS) break;
    if (line.user === null) continue;
    const found = readLine(line.text, line.user, users);
    if (typeof found === "string") problems.push({ line: line.number, message: found });
    else if (users.size >= MAX_USERS) {
      problems.push({ line: line.number, message: `there are more than ${MAX_USERS} users` });
      break;
    } else users.set(line.user, found);
  }
  return { users, problems };
}

/** @returns the hash, or what is wrong with the line, in which nothing is told that may be a password */
function readLine(text: string, user: string, users: ReadonlyMap<string, Hash>): Hash | string {
  if (text.length === user.length) return "this is no user:hash";
  const problem = nameProblem(user);
  if (problem !== null) return problem;
  if (users.has(user)) return `the user ${user} is there already`;
  const hash = readHash(text.slice(user.length + 1).trimEnd());
  if (typeof hash !== "string") return hash;
  return `the password of ${user} ${hash}; run weir passwd FILE ${user}`;
}

/** What is wrong with a user's name; `null` when it may be one. */
export function nameProblem(user: string): string | null {
  if (user === "") return "a user without a name";
  if (user.length > LONGEST_NAME) return `a user's name of more than ${LONGEST_NAME} characters`;
  if (user.includes(":")) return "a user's name with a colon";
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(user)) {
    return "a user's name with a character that cannot be seen";
  }
  if (user !== user.trim()) return "a user's name with a blank at its begin or end";
  if (user.startsWith("#")) return "a user's name with # at its begin, which begins a comment";
  return null;
}

/** `weir learn`: writes the policy that logs ask for, or adds to a policy what it lacks. */

import type { Instance } from "../config/config.ts";
import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { humanSize } from "../observe/quantities.ts";
import { Learning } from "../review/learn.ts";
import { LogReader } from "../review/log_reader.ts";
import { policyText, remarks, withNames } from "../review/policy_text.ts";
import type { Io } from "./io.ts";
import { type Addition, MAX_POLICY_SIZE, Merging } from "./learn_into.ts";
import { readLogs, tellPassedOver } from "./logs.ts";
import { findFile, type FoundFile, replaceFile } from "./replace_file.ts";

/**
 * Prints a policy; with `--into`, adds to the file and prints what was added.
 *
 * @returns the exit code
 * @throws {ConfigError} when a log or the file cannot be read, or the file cannot be added to
 */
export async function learn(line: CommandLine, _instance: Instance, io: Io): Promise<number> {
  const { options } = line;
  const file = options.into === undefined ? null : await findFile(options.into, MAX_POLICY_SIZE, line);
  const merging = file === null || file.text.trim() === ""
    ? null
    : await Merging.begin(file.path, file.text, line);
  const reader = new LogReader();
  const learning = new Learning({
    methods: options["by-method"] ?? false,
    clients: options["by-client"] ?? false,
    users: options["by-user"] ?? false,
  }, merging?.known ?? null);
  for await (const exchanges of readLogs(reader, line, io)) {
    for (const exchange of exchanges) learning.add(exchange);
  }
  tellPassedOver(reader, io);
  if (file !== null && merging !== null) {
    await add(file, await merging.add(learning.rules(), options.tests ?? false), learning, io);
    return 0;
  }
  const text = policyText(learning, withNames(learning.rules(), []), humanSize, options.tests ?? false);
  if (file !== null) await write(file, text, io);
  io.out(text);
  return 0;
}

async function add(file: FoundFile, addition: Addition, learning: Learning, io: Io): Promise<void> {
  const { rules, useless, text, diff } = addition;
  const through = `${learning.through} exchanges that went through`;
  if (rules.length === 0) {
    io.err(`weir: there is nothing to add to ${file.path}: it allows ${learning.covered} of ${through}\n`);
  } else {
    await write(file, text, io);
    const many = rules.length === 1 ? "1 rule" : `${rules.length} rules`;
    io.err(`weir: ${many} added to ${file.path}, which allowed ${learning.covered} of ${through}\n`);
    io.out(diff);
  }
  const notes = remarks(learning, rules);
  if (useless.length > 0) {
    notes.push([
      "Not added, since the policy would deny them all the same:",
      ...useless.map(({ rule, why }) => `  ${rule.hosts.join(", ")}:${rule.ports.join(",")}, ${why}`),
    ]);
  }
  io.out(notes.map((lines) => `\n${lines.map((each) => `# ${each}\n`).join("")}`).join(""));
}

async function write(file: FoundFile, text: string, io: Io): Promise<void> {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > MAX_POLICY_SIZE) {
    throw new ConfigError([
      `${file.path} would have ${humanSize(bytes)}, and is read up to ${humanSize(MAX_POLICY_SIZE)}`,
    ]);
  }
  const read = new TextEncoder().encode(file.text).length;
  // a byte order mark is passed over when the file is read, and stays
  const mark = file.info !== null && file.info.size === read + 3 ? "\ufeff" : "";
  const remark = await replaceFile(file, mark + text);
  if (remark !== null) io.err(`weir: ${remark}\n`);
}

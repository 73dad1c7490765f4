/** `weir env [PROGRAM]`: what makes a program use the proxy, ready to paste or to `eval`. */

import type { Instance } from "../config/config.ts";
import { ConfigError, UsageError, WrongValue } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { didYouMean } from "../config/nearest.ts";
import { DEFAULTS } from "../config/options.ts";
import { printable } from "../config/printable.ts";
import { formatAddress } from "../config/value.ts";
import type { ListenAddress } from "../net/listen.ts";
import { type Exception, USUAL_EXCEPTIONS } from "../programs/exceptions.ts";
import { type Program, PROGRAM_WORDS, programOf, PROGRAMS, type Setting } from "../programs/programs.ts";
import type { ProxyUrl } from "../programs/proxy_url.ts";
import { isLoopback } from "./banner.ts";
import { readExceptions } from "./env/read_exceptions.ts";
import { readProxyUrl } from "./env/read_proxy_url.ts";
import type { Io } from "./io.ts";
import { loadPolicy } from "./load.ts";

/** What is printed without a word: the same whether a person or `eval` reads it. */
const USUAL_PROGRAM = "sh";

/**
 * Prints to standard output what goes into a shell or a file, and nothing else; where it goes is told on standard
 * error, to a person alone, and always what could not be said in the program's way.
 *
 * @throws {UsageError} for a program or a value that is none
 * @throws {ConfigError} when the proxy's address has to be read from a configuration that is wrong
 */
export async function env(line: CommandLine, _instance: Instance, io: Io): Promise<number> {
  const program = requireProgram(line.words[0] ?? USUAL_PROGRAM);
  if (line.options.undo === true) return undo(program, io);
  const { proxy: url, "no-proxy": list } = line.options;
  const exceptions = list === undefined ? USUAL_EXCEPTIONS : read("--no-proxy", list, readExceptions);
  const policy = url === undefined ? await loadPolicy(line, io) : null;
  const proxy = policy === null
    ? read("--proxy", url!, readProxyUrl)
    : addressOf(policy.values.listen ?? DEFAULTS.listen);
  const setting: Setting = { proxy, exceptions };
  io.out(program.text(setting));
  const person = io.isTerminal("out");
  const remarks = [
    ...(person ? directions(program, setting) : []),
    ...(list === undefined ? [] : unsaidExceptions(program, exceptions)),
    ...unsaid(program, proxy),
    ...(policy === null || policy.spec.authentication === "none" ? [] : [
      `the policy has users: name one by --proxy ${proxy.text.replace("//", "//USER:PASSWORD@")}`,
    ]),
    ...(person && line.words.length === 0
      ? [`for one program: weir env ${PROGRAMS.map(({ name }) => name).join("|")}`]
      : []),
  ];
  tell(remarks, io);
  return 0;
}

/** Comments in every shell, so that they do no harm where all that stands on the screen is pasted. */
function tell(remarks: readonly string[], io: Io): void {
  io.err(remarks.map((remark) => `# ${remark}\n`).join(""));
}

function undo(program: Program, io: Io): number {
  if (program.undo === undefined) {
    tell([`there is no command for it: take the lines out of ${program.place}`], io);
    return 1;
  }
  io.out(program.undo());
  return 0;
}

/** Where the text goes, how to take it back, and what to do without it. */
function directions(program: Program, setting: Setting): string[] {
  const { name, place, note, once } = program;
  return [
    place === "shell" ? `run it: ${evaluation(name)}` : `into ${place}`,
    ...(note === undefined ? [] : [note]),
    ...(once === undefined ? [] : [`for one run: ${once(setting)}`]),
    ...(program.undo === undefined ? [] : [`back: weir env ${name} --undo`]),
  ];
}

/** How a shell runs what is printed. */
function evaluation(name: string): string {
  if (name === "fish") return "weir env fish | source";
  if (name === "powershell") return "weir env powershell | Out-String | Invoke-Expression";
  return `eval "$(weir env ${name})"`;
}

/** Which exceptions the program does not learn from the text; of the usual ones that is not worth a word. */
function unsaidExceptions(program: Program, exceptions: readonly Exception[]): string[] {
  if (exceptions.length === 0) return [];
  if (program.exceptions === null) {
    return [`${program.title} learns exceptions from the variable no_proxy alone: weir env sh sets it`];
  }
  const left = program.exceptions(exceptions).left.map(({ text }) => text);
  return left.length === 0 ? [] : [`left out, since ${program.title} has no word for it: ${left.join(", ")}`];
}

/** What else will not do, and what to do about it. */
function unsaid(program: Program, proxy: ProxyUrl): string[] {
  const remarks: string[] = [];
  if (program.withoutUser && proxy.hasUser) {
    remarks.push(`${program.title} takes no user and password from here: its programs have to bring them`);
  }
  if (program.elsewhere && isLoopback({ hostname: proxy.host })) {
    remarks.push(
      `${proxy.host} is the container itself, there: let weir listen on Docker's bridge as well` +
        ` (weir -l ${proxy.port} -l 172.17.0.1:${proxy.port}) and say --proxy http://172.17.0.1:${proxy.port}`,
    );
  }
  return remarks;
}

function requireProgram(word: string): Program {
  const program = programOf(word);
  if (program !== undefined) return program;
  const meant = didYouMean(word, PROGRAM_WORDS);
  const known = PROGRAMS.map(({ name }) => name).join(", ");
  throw new UsageError([`weir env knows no program ${printable(word)}${meant || `; it knows ${known}`}`]);
}

function read<T>(flag: string, text: string, reader: (text: string) => T): T {
  try {
    return reader(text);
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    throw new UsageError([`${flag}: ${error.message}`]);
  }
}

/** Where a program on this machine finds the proxy: the first listener, and loopback if that is on all addresses. */
export function addressOf([first]: readonly ListenAddress[]): ProxyUrl {
  if (first.port === 0) {
    throw new ConfigError([
      "listen: port 0 is another one at each start: say where the proxy is by --proxy URL",
    ]);
  }
  const everywhere = first.hostname === "0.0.0.0" || first.hostname === "::";
  const hostname = everywhere ? "127.0.0.1" : first.hostname;
  return readProxyUrl(`http://${formatAddress({ hostname, port: first.port })}`);
}

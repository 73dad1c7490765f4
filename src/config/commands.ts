/**
 * The one table of commands. What may stand behind `weir`, its help and what it is run with come from it; which
 * options a command takes stands with the options, and what runs it in `cli/run.ts`.
 */

export interface Command {
  /** The word that calls it. */
  readonly name: string;
  /** The words it takes, as help shows them: `FILE USER`; `[PROGRAM]` may be left out, `LOG…` may be several. */
  readonly words: string;
  /** What it does, in one line without a full stop. */
  readonly help: string;
  /** Command lines to begin with, at least one, and what each of them does. */
  readonly examples: readonly (readonly [line: string, help: string])[];
  /** What 0 and 1 mean, where it is not "done" and "failed", and others that it has. */
  readonly exit?: { readonly 0?: string; readonly 1?: string; readonly 4?: string; readonly 5?: string };
}

export const COMMANDS = [
  {
    name: "serve",
    words: "",
    help: "Run the proxy; so does no command at all",
    examples: [
      ["weir", "Listen on 127.0.0.1:8888"],
      ["weir -l 3128 --log-format json", "On port 3128, with a log for programs"],
      ["weir --check > weir.toml", "Write a file with all options"],
      ["weir -c weir.toml", "Run by that file"],
    ],
    exit: { 1: "Failed while running: a busy port, say" },
  },
  {
    name: "relay",
    words: "",
    help: "Relay TCP connections of any protocol to targets, and share them out",
    examples: [
      ["weir relay -l 6379 --to 10.0.0.5:6379 --to 10.0.0.6:6379", "By turns, and around one that is down"],
      ["weir relay -l 5432 --to db.internal:5432", "To each address that the name has"],
      ["weir relay -l 8443 --to 10.0.0.5:443 --send-proxy v2", "Targets learn who the client is"],
    ],
    exit: { 1: "Failed while running: a busy port, say" },
  },
  {
    name: "learn",
    words: "LOG…",
    help: "Write the least policy that allows what went through logs",
    examples: [
      ["weir learn weir.log > policy.toml", "From a log of --log-format json; Squid's are read too, and .gz"],
      ["weir learn weir.log --into policy.toml", "Add what a policy lacks, and print that"],
      ["weir learn weir.log --tests", "With a case for weir test for each rule"],
    ],
  },
  {
    name: "test",
    words: "[FILE…]",
    help: "Run the tests of a policy, without the network",
    examples: [
      ["weir test weir.toml", "What fails, with what was expected and what came"],
      ["weir test policies/*.toml", "Several, each by itself"],
    ],
    exit: { 0: "All tests pass", 1: "One fails" },
  },
  {
    name: "replay",
    words: "LOG…",
    help: "Judge logs by another policy, and print what would change",
    examples: [["weir replay weir.log --config new.toml", "- is standard input"]],
    exit: {
      0: "All is judged as it was, and goes the way that it went",
      1: "Something is judged otherwise, or goes another way",
    },
  },
  {
    name: "why",
    words: "URL|HOST:PORT",
    help: "Say what the policy would decide, why, and what would turn it",
    examples: [
      ["weir why https://example.com/ -c weir.toml", "As a client of this machine"],
      ["weir why example.com:443 --client 10.0.0.5", "As another one, by the flags alone"],
      ["weir why http://db.internal/ --address 10.0.0.9", "Without looking the name up"],
      ["weir why http://example.com/ --cache-dir DIR", "And what the cache would do"],
    ],
    exit: { 0: "It would be allowed", 1: "It would be denied" },
  },
  {
    name: "report",
    words: "LOG…",
    help: "Sum logs up: hosts, bytes, denials and what would allow them",
    examples: [
      ["weir report weir.log", "For a terminal; - is standard input, and a log of weir relay will do"],
      ['weir report weir.log --markdown >> "$GITHUB_STEP_SUMMARY"', "For the page of a CI job"],
      [
        "weir report weir.log --fail-on-denied",
        "End the job when anything was denied, or nothing went through weir at all",
      ],
    ],
    exit: {
      1: "With --fail-on-denied: something was denied, nothing asked for any host, or the log lacks numbers",
    },
  },
  {
    name: "get",
    words: "URL",
    help: "Fetch a URL through the proxy, and show the exchange in words",
    examples: [
      ["weir get http://example.com/", "Head, body, and what proxies and caches say"],
      ["weir get -I -v https://example.com/", "Both heads, and what each field means"],
      ["weir get http://example.com/ --repeat 3", "The cache at work, a line for each answer"],
      ["weir get http://example.com/a.tgz -o a.tgz", "Into a new file"],
      ["weir get http://example.com/ --direct", "Without the proxy; -x asks another one"],
    ],
    exit: {
      0: "The answer is one of 2xx or 3xx",
      1: "There is no answer, or not a whole one",
      4: "The answer is one of 4xx",
      5: "The answer is one of 5xx; with --repeat, the worst of all counts",
    },
  },
  {
    name: "cache",
    words: "ACTION [PATTERN]",
    help: "Look into a cache's folder: list, show, purge, clear, stats",
    examples: [
      [
        "weir cache list --cache-dir DIR",
        "What is stored, with sizes, ages and hits (those from memory too)",
      ],
      ["weir cache show URL --cache-dir DIR", "All of one, and why it would be fetched again"],
      ["weir cache purge 'http://example.com/*' --cache-dir DIR", "Also a URL, a host or *.example.com"],
      ["weir cache clear --cache-dir DIR", "Everything; no weir may be using the folder, nor for purge"],
      ["weir cache stats --cache-dir DIR --json", "Sums"],
    ],
    exit: { 1: "Nothing is stored for that URL" },
  },
  {
    name: "passwd",
    words: "FILE USER",
    help: "Give a user a password, in the file of --users",
    examples: [
      ["weir passwd users alice", "Ask for it twice; the file is made when there is none"],
      ["pwgen -s 20 1 | weir passwd users ci", "Read it from standard input"],
      ["weir passwd --delete users alice", "Take her out"],
    ],
  },
  {
    name: "env",
    words: "[PROGRAM]",
    help: "Print what makes a program use the proxy",
    examples: [
      ['eval "$(weir env)"', "All programs of this shell that look at the environment; so does weir env sh"],
      ["weir env docker", "A file's contents; where it belongs is told beside it"],
      ["weir env git | sh", "Commands of a shell"],
      ['eval "$(weir env --undo)"', "And back"],
      ["weir env apt --proxy http://10.0.0.5:3128", "A proxy on another machine"],
    ],
  },
  {
    name: "help",
    words: "[COMMAND]",
    help: "Print the help of all, or of one command",
    examples: [["weir help serve", "What the proxy can be told"]],
  },
] as const satisfies readonly Command[];

export type CommandName = (typeof COMMANDS)[number]["name"];

/** What runs when no word says otherwise. */
export const DEFAULT_COMMAND = "serve" satisfies CommandName;

const BY_NAME: ReadonlyMap<string, Command & { readonly name: CommandName }> = new Map(
  COMMANDS.map((command) => [command.name, command]),
);

/** The command of a name, or `undefined` when there is none. */
export function commandOf(name: string): (Command & { readonly name: CommandName }) | undefined {
  return BY_NAME.get(name);
}

/** How a command is written: `weir passwd FILE USER`. */
export function usageOfCommand({ name, words }: Command): string {
  return words === "" ? `weir ${name}` : `weir ${name} ${words}`;
}

/** How many words a command takes, and what help calls them. */
export function wordsOf({ words }: Command): { least: number; most: number; names: string[] } {
  const names = words === "" ? [] : words.split(" ");
  return {
    least: names.filter((name) => !name.startsWith("[")).length,
    most: names.some((name) => name.includes("…")) ? Infinity : names.length,
    names,
  };
}

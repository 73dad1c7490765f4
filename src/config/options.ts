/**
 * The one table of options. The flags, the file's keys, what either may hold, `--help`, the README's table and
 * the types of the values all come from it: an option is added here and nowhere else.
 */

import type { ListenAddress } from "../net/listen.ts";
import type { Group, Option } from "./option.ts";
import { rateOptions } from "./rates.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const TIB = 1024 * 1024 * MIB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** The longest time: beyond about 24 days a timer of the platform would wrap around and fire at once. */
const WEEK = 7 * 24 * HOUR;

/** The group of flags that single commands alone take, and that the file does not hold. */
export const OWN_GROUP = "Commands";

export const GROUPS: readonly Group[] = [
  { title: "General", section: "" },
  { title: "Policy", section: "policy" },
  { title: "Rates of each client", section: "client-rates" },
  { title: "Rates of each user", section: "user-rates" },
  { title: "Cache", section: "cache" },
  { title: "Log", section: "log" },
  { title: "Limits", section: "limits" },
  { title: "Timeouts", section: "timeouts" },
  { title: "Pool", section: "pool" },
  { title: "Forwarding", section: "forwarding" },
  { title: OWN_GROUP, section: "" },
];

/** Those that judge requests by the policy. */
const JUDGES = ["serve", "test", "replay", "why"];

export const OPTIONS = [
  {
    flag: "listen",
    short: "l",
    key: "listen",
    group: "General",
    type: "addresses",
    word: "ADDRESS",
    default: [{ hostname: "127.0.0.1", port: 8888 }],
    help: "Where to listen: 8888, :8888 (on all addresses), 127.0.0.1:8888, [::1]:8888",
    commands: ["serve", "env"],
  },
  {
    flag: "config",
    short: "c",
    group: "General",
    type: "file",
    repeatable: false,
    word: "FILE",
    help: "Read options from a TOML file; - is standard input. Flags win over it",
    commands: ["env", ...JUDGES],
  },
  {
    flag: "check",
    group: "General",
    type: "boolean",
    default: false,
    help: "Judge the options, print them as a file that --config takes, and exit",
  },
  {
    flag: "help",
    short: "h",
    group: "General",
    type: "boolean",
    default: false,
    help: "Print this help and exit",
    commands: "all",
  },
  {
    flag: "version",
    short: "V",
    group: "General",
    type: "boolean",
    default: false,
    help: "Print the version and exit",
    commands: "all",
  },

  {
    flag: "mode",
    key: "policy.mode",
    group: "Policy",
    type: "choice",
    word: "MODE",
    choices: ["enforce", "report"],
    default: "enforce",
    help: "Whether denials are refused, or only reported",
    commands: JUDGES,
  },
  {
    flag: "allow",
    group: "Policy",
    type: "rule",
    action: "allow",
    word: "HOST[:PORTS]",
    help: "Allow hosts: example.com, *.example.com:443, 10.0.0.0/8, @file",
    commands: JUDGES,
  },
  {
    flag: "deny",
    group: "Policy",
    type: "rule",
    action: "deny",
    word: "HOST[:PORTS]",
    help: "Deny hosts; the first --allow or --deny that matches decides, the file's rules come after them",
    commands: JUDGES,
  },
  {
    flag: "default-action",
    key: "policy.default",
    group: "Policy",
    type: "choice",
    word: "ACTION",
    choices: ["auto", "allow", "deny"],
    default: "auto",
    help: "What becomes of what no rule matches, where auto denies once a rule allows something",
    commands: JUDGES,
  },
  {
    flag: "tls-check",
    key: "policy.tls",
    group: "Policy",
    type: "choice",
    word: "HOW",
    choices: ["auto", "any", "match", "require"],
    default: "auto",
    help: "Whether the TLS in a tunnel has to name the tunnel's host, where auto is match by default deny",
    commands: JUDGES,
  },
  {
    flag: "private-networks",
    key: "policy.private-networks",
    group: "Policy",
    type: "networks",
    alone: ["own", "deny", "allow"],
    word: "NETWORK",
    default: ["own"],
    help: "Private addresses that may be reached: own (none more private than the client's), deny, allow, " +
      "or 10.0.0.0/8, loopback, private",
    commands: JUDGES,
  },
  {
    flag: "clients",
    key: "policy.clients",
    group: "Policy",
    type: "networks",
    word: "NETWORK",
    defaultInWords: "all that reach a listener of this machine or its network",
    help: "Who may use the proxy: 192.168.0.0/16, loopback, private, all",
    commands: JUDGES,
  },
  {
    flag: "connect-ports",
    key: "policy.connect-ports",
    group: "Policy",
    type: "ports",
    word: "PORTS",
    defaultInWords: "all for this machine, 443 for others",
    help: 'Ports for tunnels where no rule names them: 443, 8000-8999, "*"',
    commands: JUDGES,
  },
  {
    flag: "users",
    key: "policy.users",
    group: "Policy",
    type: "file",
    repeatable: false,
    word: "FILE",
    help: "Users and their passwords; weir passwd writes it",
    commands: JUDGES,
  },
  {
    flag: "authentication",
    key: "policy.authentication",
    group: "Policy",
    type: "choice",
    word: "WHEN",
    choices: ["always", "by-rule"],
    default: "always",
    help: "Who has to say who they are, once there are users",
    commands: JUDGES,
  },

  ...rateOptions("client", "Rates of each client"),
  ...rateOptions("user", "Rates of each user"),

  {
    flag: "cache",
    key: "cache.memory",
    group: "Cache",
    type: "size",
    word: "SIZE",
    default: 64 * MIB,
    least: 0,
    most: TIB,
    zero: "no cache",
    help: "Responses that are kept in memory, bytes in all; one may take an eighth",
  },
  {
    flag: "no-cache",
    group: "Cache",
    type: "boolean",
    default: false,
    help: "Keep no responses",
  },
  {
    flag: "cache-dir",
    key: "cache.dir",
    group: "Cache",
    type: "file",
    repeatable: false,
    word: "DIR",
    help: "Keep responses in this folder too, where they outlive a restart",
    commands: ["serve", "cache"],
  },
  {
    flag: "cache-disk",
    key: "cache.disk",
    group: "Cache",
    type: "size",
    word: "SIZE",
    default: 1024 * MIB,
    least: 4 * MIB,
    most: 1024 * TIB,
    help: "Bytes of its files in all",
  },
  {
    flag: "cache-shared",
    key: "cache.shared",
    group: "Cache",
    type: "boolean",
    default: false,
    help: "Let users share what is kept; without it each has a cache of their own",
  },

  {
    flag: "log-format",
    key: "log.format",
    group: "Log",
    type: "choice",
    word: "FORMAT",
    choices: ["pretty", "hops", "json", "common", "combined", "squid", "none"],
    default: "pretty",
    help: "The access log on standard output",
  },
  {
    flag: "log-level",
    key: "log.level",
    group: "Log",
    type: "choice",
    word: "LEVEL",
    choices: ["debug", "info", "warning", "error"],
    default: "info",
    help: "The least that is worth a line on standard error",
  },
  {
    flag: "log-color",
    key: "log.color",
    group: "Log",
    type: "choice",
    word: "WHEN",
    choices: ["auto", "always", "never"],
    default: "auto",
    help: "Colours, where auto is a terminal without NO_COLOR",
    commands: "all",
  },

  {
    flag: "max-connections",
    key: "limits.connections",
    group: "Limits",
    type: "integer",
    word: "N",
    default: 10_000,
    least: 1,
    most: 1_000_000,
    help: "Connections from clients, in all",
  },
  {
    flag: "max-connections-per-client",
    key: "limits.connections-per-client",
    group: "Limits",
    type: "integer",
    word: "N",
    default: 0,
    least: 0,
    most: 1_000_000,
    zero: "no limit",
    help: "Connections from one client address",
  },
  {
    flag: "max-head-size",
    key: "limits.head-size",
    group: "Limits",
    type: "size",
    word: "SIZE",
    default: 64 * KIB,
    // a request line of 8,000 octets has to fit (RFC 9112 §3)
    least: 8 * KIB,
    most: MIB,
    help: "Bytes of a whole head: start line and fields",
  },
  {
    flag: "max-fields",
    key: "limits.fields",
    group: "Limits",
    type: "integer",
    word: "N",
    default: 256,
    least: 16,
    most: 10_000,
    help: "Fields in one head",
  },
  {
    flag: "max-body-size",
    key: "limits.body-size",
    group: "Limits",
    type: "size",
    word: "SIZE",
    default: 0,
    least: 0,
    most: 1024 * TIB,
    zero: "no limit",
    help: "Bytes of a request's body",
  },

  {
    flag: "head-timeout",
    key: "timeouts.head",
    group: "Timeouts",
    type: "duration",
    word: "TIME",
    default: 30 * SECOND,
    least: 1,
    most: WEEK,
    help: "Time for a client to send a whole head",
  },
  {
    flag: "connect-timeout",
    key: "timeouts.connect",
    group: "Timeouts",
    type: "duration",
    word: "TIME",
    default: 10 * SECOND,
    least: 1,
    most: WEEK,
    help: "Time to reach an origin: name, connection and TLS",
  },
  {
    flag: "response-timeout",
    key: "timeouts.response",
    group: "Timeouts",
    type: "duration",
    word: "TIME",
    // long polls are held for minutes by design
    default: 5 * MINUTE,
    least: 1,
    most: WEEK,
    help: "Time for an origin to begin its response",
  },
  {
    flag: "body-timeout",
    key: "timeouts.body",
    group: "Timeouts",
    type: "duration",
    word: "TIME",
    // an event stream is a body too, and silent for as long as nothing happens
    default: 5 * MINUTE,
    least: 1,
    most: WEEK,
    help: "Silence in the middle of a body",
  },
  {
    flag: "keep-alive-timeout",
    key: "timeouts.keep-alive",
    group: "Timeouts",
    type: "duration",
    word: "TIME",
    default: MINUTE,
    least: 1,
    most: WEEK,
    help: "Silence between two requests of a client",
  },
  {
    flag: "tunnel-timeout",
    key: "timeouts.tunnel",
    group: "Timeouts",
    type: "duration",
    word: "TIME",
    default: 15 * MINUTE,
    least: 1,
    most: WEEK,
    help: "Silence in a tunnel, both ways",
  },
  {
    flag: "half-closed-timeout",
    key: "timeouts.half-closed",
    group: "Timeouts",
    type: "duration",
    word: "TIME",
    default: 5 * SECOND,
    least: 1,
    most: WEEK,
    help: "Silence once a client has closed its sending side",
  },
  {
    flag: "grace",
    key: "timeouts.grace",
    group: "Timeouts",
    type: "duration",
    word: "TIME",
    default: 10 * SECOND,
    least: 0,
    most: HOUR,
    zero: "cut at once",
    help: "Time for exchanges in flight to finish on a stop",
  },

  {
    flag: "pool-per-origin",
    key: "pool.per-origin",
    group: "Pool",
    type: "integer",
    word: "N",
    default: 512,
    least: 0,
    most: 100_000,
    zero: "keep none",
    help: "Idle connections kept to one origin",
  },
  {
    flag: "pool-size",
    key: "pool.size",
    group: "Pool",
    type: "integer",
    word: "N",
    default: 2048,
    least: 0,
    most: 100_000,
    zero: "keep none",
    help: "Idle connections kept in all",
  },
  {
    flag: "pool-timeout",
    key: "pool.timeout",
    group: "Pool",
    type: "duration",
    word: "TIME",
    default: 30 * SECOND,
    least: 1,
    most: WEEK,
    help: "Time that an idle connection is kept",
  },

  {
    flag: "forwarded-for",
    key: "forwarding.forwarded-for",
    group: "Forwarding",
    type: "choice",
    word: "WHAT",
    choices: ["leave", "delete", "set", "append"],
    default: "leave",
    help: "What becomes of X-Forwarded-For and Forwarded",
  },
  {
    flag: "pseudonym",
    key: "forwarding.pseudonym",
    group: "Forwarding",
    type: "text",
    word: "NAME",
    // a token of HTTP (RFC 9110 §7.6.3) that is a token of structured fields too (RFC 8941 §3.3.4)
    pattern: /^[A-Za-z][A-Za-z0-9._-]{0,63}$/,
    patternInWords: "up to 64 letters, digits, dots, hyphens and underscores, a letter first",
    defaultInWords: "weir- and four random hex digits",
    help: "Name in Via and Proxy-Status, unlike any other proxy's on the way",
  },
  {
    flag: "show-version",
    key: "forwarding.show-version",
    group: "Forwarding",
    type: "boolean",
    default: false,
    help: "Tell the version in answers of weir's own",
  },
  {
    flag: "origin-ca",
    key: "forwarding.origin-ca",
    group: "Forwarding",
    type: "file",
    repeatable: true,
    word: "FILE",
    help: "Trust these certificates too (PEM) when fetching https://",
  },
  // what one command alone takes stands here, with its name in `commands` and without `key`
  {
    flag: "proxy",
    group: "Commands",
    type: "text",
    word: "URL",
    defaultInWords: "the first listener",
    help: "Where programs find the proxy: http://127.0.0.1:8888, http://user:password@proxy:3128",
    commands: ["env"],
  },
  {
    flag: "no-proxy",
    group: "Commands",
    type: "text",
    word: "LIST",
    defaultInWords: "localhost,127.0.0.1,::1",
    help: "Hosts that programs reach without it: example.com,.example.com,10.0.0.0/8",
    commands: ["env"],
  },
  {
    flag: "client",
    group: "Commands",
    type: "text",
    word: "ADDRESS",
    defaultInWords: "127.0.0.1",
    help: "Who asks",
    commands: ["why"],
  },
  {
    flag: "user",
    group: "Commands",
    type: "text",
    word: "NAME",
    defaultInWords: "nobody",
    help: "Who has proved to ask",
    commands: ["why"],
  },
  {
    flag: "method",
    group: "Commands",
    type: "text",
    word: "METHOD",
    // a token (RFC 9110 §9.1)
    pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/,
    patternInWords: "a method such as GET",
    defaultInWords: "GET for http://, CONNECT for all else",
    help: "How it is asked for",
    commands: ["why"],
  },
  {
    flag: "address",
    group: "Commands",
    type: "text",
    word: "LIST",
    defaultInWords: "what the name resolves to",
    help: "Addresses to judge, with commas; nothing is looked up then",
    commands: ["why"],
  },
  {
    flag: "undo",
    group: "Commands",
    type: "boolean",
    default: false,
    help: "Print what takes it back",
    commands: ["env"],
  },
  {
    flag: "bcrypt",
    group: "Commands",
    type: "boolean",
    default: false,
    help: "Write bcrypt, which other programs read too, instead of scrypt",
    commands: ["passwd"],
  },
  {
    flag: "delete",
    group: "Commands",
    type: "boolean",
    default: false,
    help: "Take the user out of the file",
    commands: ["passwd"],
  },
  {
    flag: "into",
    group: "Commands",
    type: "file",
    repeatable: false,
    word: "FILE",
    help: "Add to this policy what it lacks; the rest of it stays as it is",
    commands: ["learn"],
  },
  {
    flag: "tests",
    group: "Commands",
    type: "boolean",
    default: false,
    help: "Write a [[test]] for each rule too",
    commands: ["learn"],
  },
  {
    flag: "by-method",
    group: "Commands",
    type: "boolean",
    default: false,
    help: "Allow only the methods that were seen, host by host",
    commands: ["learn"],
  },
  {
    flag: "by-client",
    group: "Commands",
    type: "boolean",
    default: false,
    help: "Allow only the clients that were seen, host by host",
    commands: ["learn"],
  },
  {
    flag: "by-user",
    group: "Commands",
    type: "boolean",
    default: false,
    help: "Allow only the users that were seen, host by host",
    commands: ["learn"],
  },
  {
    flag: "markdown",
    group: "Commands",
    type: "boolean",
    default: false,
    help: "Print it as GitHub-flavoured Markdown, for the page of a CI job",
    commands: ["report"],
  },
  {
    flag: "fail-on-denied",
    group: "Commands",
    type: "boolean",
    default: false,
    help: "Exit with 1 when anything was denied, be it refused or only reported",
    commands: ["report"],
  },
  {
    flag: "sort",
    group: OWN_GROUP,
    type: "choice",
    word: "BY",
    choices: ["url", "size", "age", "left", "hits", "used"],
    default: "url",
    help: "The order of a list: left is what is left of the freshness, used when it was used last",
    commands: ["cache"],
  },
  {
    flag: "json",
    group: OWN_GROUP,
    type: "boolean",
    default: false,
    help: "Print it as JSON, one object a line",
    commands: ["cache"],
  },
] as const satisfies readonly Option[];

type Row = (typeof OPTIONS)[number];
type InFile = Extract<Row, { key: string }>;
type ValueOf<O> = O extends { type: "size" | "duration" | "integer" } ? number
  : O extends { type: "choice"; choices: readonly (infer Choice)[] } ? Choice
  : O extends { type: "boolean" } ? boolean
  : O extends { type: "addresses" } ? readonly ListenAddress[]
  : O extends { type: "networks" | "ports" } ? readonly string[]
  : O extends { repeatable: true } ? readonly string[]
  : string;

/** Values by flag, of the options that the file may hold too. What is absent was not given. */
export type Values = { [O in InFile as O["flag"]]?: ValueOf<O> };

/** The options that are the command line's business and no command's. */
type OfTheLine = "config" | "check" | "help" | "version";

/** Values by flag, of what the command line alone may say to a command. What is absent was not given. */
export type CommandOptions = {
  [O in Exclude<Row, InFile | { flag: OfTheLine } | { type: "rule" }> as O["flag"]]?: ValueOf<O>;
};

/** The values of options that were not given, where the table knows them. */
export type Defaults = { [O in Extract<InFile, { default: unknown }> as O["flag"]]: ValueOf<O> };

/** The options that the file may hold. */
export const OPTIONS_IN_FILE: readonly (Option & { readonly key: string })[] = OPTIONS.filter((option) =>
  "key" in option
);

export const DEFAULTS = Object.fromEntries(
  OPTIONS_IN_FILE.flatMap((option) =>
    "default" in option && option.default !== undefined ? [[option.flag, option.default]] : []
  ),
) as Defaults;

/** `weir get URL`: a client that shows the exchange, and what the proxies and caches on the way say of it. */

import type { Instance } from "../config/config.ts";
import { UsageError, WrongValue } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { DEFAULTS, type Values } from "../config/options.ts";
import { exchange, noTimes, type Outcome } from "../get/exchange.ts";
import { fieldIn } from "../get/answer_head.ts";
import type { GetSettings, ProxyRoute, Times } from "../get/connecting.ts";
import { GetFailure } from "../get/failure.ts";
import { redirected, redirectedTo } from "../get/redirect.ts";
import { type FieldLine, type GetRequest, type GetTarget, targetOf } from "../get/target.ts";
import { isToken } from "../http/characters.ts";
import { HttpError } from "../http/error.ts";
import { printable } from "../observe/printable.ts";
import { readAsked } from "../policy/asked.ts";
import type { ProxyUrl } from "../programs/proxy_url.ts";
import { addressOf } from "./env.ts";
import { readProxyUrl } from "./env/read_proxy_url.ts";
import { BodyOutput } from "./get_body.ts";
import { OutputFile } from "./get_file.ts";
import { type RepeatedRow, repeatedRow, repeatedSummary } from "./get_repeat_text.ts";
import { Showing } from "./get_text.ts";
import { type Io, wantsColor } from "./io.ts";
import { loadPolicy, readCertificates } from "./load.ts";
import { requireConnect } from "./permissions.ts";
import { EXIT_AT_ONCE } from "./serve.ts";
import { listenForSignals } from "./signals.ts";
import { VERSION } from "./version.ts";

const MAX_REDIRECTS = 10;
const LONGEST_MESSAGE = 500;

/** Fields that are made here of what the command line says in other words. */
const MADE_HERE: ReadonlyMap<string, string> = new Map([
  ["content-length", "it is counted here"],
  ["transfer-encoding", "the body goes with its length"],
  ["proxy-authorization", "write -x http://USER:PASSWORD@HOST:PORT"],
]);

/** What is asked, by whom it goes, and what becomes of the answer. */
interface Job {
  readonly request: GetRequest;
  readonly settings: GetSettings;
  /** Whether the proxy is the one that nobody named. */
  readonly usualProxy: boolean;
}

/**
 * @returns 0 for an answer of 2xx or 3xx, 4 and 5 for one of 4xx and 5xx, 1 for none or not a whole one
 * @throws {UsageError} for flags that do not go together, or hold what they cannot
 * @throws {ConfigError} when a file cannot be read or written
 */
export async function get(line: CommandLine, _instance: Instance, io: Io): Promise<number> {
  const { options } = line;
  requireSense(options);
  const job = await jobOf(line, io);
  if (options.repeat !== undefined) return await repeat(job, options.repeat, line, io);
  if (options.output === undefined) return await fetchOnce(job, null, line, io, new AbortController().signal);

  const file = await OutputFile.create(options.output, line);
  // what is half there goes away, also when Ctrl-C ends it
  const stopped = new AbortController();
  const stop = (signal: Deno.Signal) => stopped.abort(signal);
  const unlisten = listenForSignals({ stop, hangup: () => stop("SIGHUP") });
  try {
    return await fetchOnce(job, file, line, io, stopped.signal);
  } finally {
    file.drop();
    unlisten();
  }
}

/** The exchange, and those that redirects lead to if they are to be followed. */
async function fetchOnce(
  { request: first, settings, usualProxy }: Job,
  file: OutputFile | null,
  line: CommandLine,
  io: Io,
  signal: AbortSignal,
): Promise<number> {
  const { verbose = false, head = false, follow = false } = line.options;
  const output = new BodyOutput(file, io);
  // where a body goes into a pipe there is nothing else in it
  const aside = !head && file === null && !io.isTerminal("out");
  const print = (text: string) => aside ? io.err(text) : io.out(text);
  const color = wantsColor(line.values["log-color"] ?? "auto", aside ? "err" : "out", io);
  let request = first;
  for (let redirects = 0;; redirects++) {
    const showing = new Showing(print, color, verbose, Date.now());
    let next = null as string | null;
    const times = noTimes();
    let outcome: Outcome;
    try {
      outcome = await exchange(
        request,
        settings,
        {
          asked: (lines) => showing.asked(lines),
          answered(answer, last) {
            showing.answered(answer, last);
            if (!last) return;
            next = redirectedTo(answer.status, fieldIn(answer, "location"), request.target);
            output.begin(answer, follow && next !== null);
          },
          body: (bytes) => output.push(bytes),
        },
        times,
        signal,
      );
      output.end(outcome.whole);
    } catch (error) {
      output.end(false);
      if (!(error instanceof GetFailure)) throw error;
      if (signal.aborted) return EXIT_AT_ONCE[signal.reason as Deno.Signal] ?? 1;
      tellFailure(error, times, usualProxy, io);
      return 1;
    }
    showing.summary(outcome, output.note);
    if (output.problem !== null) {
      io.err(`weir: ${printable(output.problem, LONGEST_MESSAGE)}\n`);
      return 1;
    }
    if (next === null || !follow) {
      if (next !== null) showing.note(`it redirects to ${next}: -L follows`);
      return exitCode(outcome.head.status);
    }
    if (redirects === MAX_REDIRECTS) {
      io.err(`weir: more than ${MAX_REDIRECTS} redirects\n`);
      return 1;
    }
    // what looks like a host and a port may be another scheme
    const target = /^https?:\/\//.test(next) ? readTarget(next) : next;
    if (typeof target === "string") {
      io.err(`weir: it redirects to where nobody can follow: ${printable(target, LONGEST_MESSAGE)}\n`);
      return 1;
    }
    request = redirected(request, outcome.head.status, target);
    print("\n");
  }
}

/** The same several times, a line each. */
async function repeat(job: Job, count: number, line: CommandLine, io: Io): Promise<number> {
  const color = wantsColor(line.values["log-color"] ?? "auto", "out", io);
  const rows: RepeatedRow[] = [];
  let code = 0;
  for (let number = 1; number <= count; number++) {
    const times = noTimes();
    try {
      const watcher = { asked() {}, answered() {}, body: () => true };
      const { head, bytes } = await exchange(job.request, job.settings, watcher, times, NEVER);
      const row = { status: head.status, cache: fieldIn(head, "cache-status"), time: times.whole, bytes };
      rows.push(row);
      io.out(repeatedRow(number, count, row, color));
      // the worst of them: no answer, then the server's fault, then ours
      if (code !== 1) code = Math.max(code, exitCode(head.status));
    } catch (error) {
      if (!(error instanceof GetFailure)) throw error;
      tellFailure(error, times, job.usualProxy, io);
      code = 1;
      if (error.refused) break;
    }
  }
  const tunnelled = job.settings.proxy !== null && job.request.target.scheme === "https";
  if (rows.length > 0) io.out(repeatedSummary(rows, tunnelled, color));
  return code;
}

const NEVER = new AbortController().signal;

function tellFailure(error: GetFailure, { whole }: Times, usualProxy: boolean, io: Io): void {
  const hint = error.refused && usualProxy
    ? "; is weir running there? -x names another proxy, --direct asks without one"
    : "";
  const after = whole >= 1000 ? ` (after ${(whole / 1000).toFixed(1)} s)` : "";
  io.err(`weir: ${printable(error.message, LONGEST_MESSAGE)}${after}${hint}\n`);
}

function exitCode(status: number): number {
  if (status >= 500) return 5;
  return status >= 400 ? 4 : 0;
}

/** @throws {UsageError} */
function requireSense(options: CommandLine["options"]): void {
  const problems: string[] = [];
  const apart = (one: string, other: string) => problems.push(`--${one} and --${other} do not go together`);
  if (options.proxy !== undefined && options.direct) apart("proxy", "direct");
  if (options.head) {
    for (const other of ["data", "request", "output"] as const) {
      if (options[other] !== undefined) apart("head", other);
    }
  }
  if (options.repeat !== undefined) {
    if (options.output !== undefined) apart("repeat", "output");
    if (options.verbose) apart("repeat", "verbose");
    if (options.follow) apart("repeat", "follow");
  }
  if (options.request === "CONNECT") {
    problems.push("--request: tunnels are opened for https:// without a word");
  }
  for (const text of options.header ?? []) {
    const [name, value] = fieldOf(text);
    const instead = MADE_HERE.get(name.toLowerCase());
    // deno-lint-ignore no-control-regex
    if (!isToken(name) || !text.includes(":") || /[\x00-\x08\x0a-\x1f\x7f]/.test(value)) {
      problems.push(
        `--header: must be a field such as 'Accept: text/html', not "${
          printable(name.split(/\s/, 1)[0], 60)
        }…"`,
      );
    } else if (instead !== undefined) {
      problems.push(`--header: ${name} is not given that way: ${instead}`);
    }
  }
  if (problems.length > 0) throw new UsageError(problems);
}

function fieldOf(text: string): FieldLine {
  const colon = text.indexOf(":");
  return [colon < 0 ? text : text.slice(0, colon), colon < 0 ? "" : text.slice(colon + 1).trim()];
}

/** @throws {UsageError} {ConfigError} */
async function jobOf(line: CommandLine, io: Io): Promise<Job> {
  const { options, words: [text] } = line;
  const target = readTarget(text);
  if (typeof target === "string") throw new UsageError([target]);
  const body = options.data === undefined ? null : new TextEncoder().encode(options.data);
  const request: GetRequest = {
    target,
    method: options.request ?? (options.head ? "HEAD" : body === null ? "GET" : "POST"),
    fields: (options.header ?? []).map(fieldOf),
    body,
  };
  const { values, files = [] } = line.config === undefined
    ? { values: line.values }
    : await loadPolicy(line, io);
  const proxy = options.direct ? null : routeOf(options.proxy, values);
  const authorities = values["origin-ca"] ?? [];
  const pem = await certificates(authorities, line);
  const { host: hostname, port } = proxy ?? target.authority;
  await requireConnect("asking over the network", { hostname, port }, line, {
    read: [...files, ...authorities],
  });
  return {
    request,
    settings: {
      proxy,
      agent: `weir/${VERSION}`,
      certificates: pem,
      connectTimeout: values["connect-timeout"] ?? DEFAULTS["connect-timeout"],
      responseTimeout: values["response-timeout"] ?? DEFAULTS["response-timeout"],
      bodyTimeout: values["body-timeout"] ?? DEFAULTS["body-timeout"],
      originTolerance: values["origin-tolerance"] ?? DEFAULTS["origin-tolerance"],
      maxHeadSize: DEFAULTS["max-head-size"],
      maxFields: DEFAULTS["max-fields"],
    },
    usualProxy: !options.direct && options.proxy === undefined,
  };
}

async function certificates(files: readonly string[], line: CommandLine): Promise<string[]> {
  if (files.length === 0) return [];
  const { requireRead } = await import("./read_file.ts");
  await requireRead([...files], line);
  return await readCertificates(files, line);
}

/** A target, or what is wrong with the text. */
function readTarget(text: string): GetTarget | string {
  try {
    // a fragment stays with the client, which this is
    const { target, authority } = readAsked(text.replace(/#.*/s, ""), "GET");
    return targetOf(target, authority);
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return error.message;
  }
}

/** @throws {UsageError} {ConfigError} */
function routeOf(text: string | undefined, values: Values): ProxyRoute {
  try {
    return asRoute(text === undefined ? addressOf(values.listen ?? DEFAULTS.listen) : readProxyUrl(text));
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    throw new UsageError([`--proxy: ${error.message}`]);
  }
}

function asRoute({ text, host, port }: ProxyUrl): ProxyRoute {
  const { username, password } = new URL(text);
  if (username === "" && password === "") return { host, port: Number(port), authorization: null };
  let credentials: string;
  try {
    credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  } catch {
    throw new WrongValue("user and password hold a % that stands for nothing: write %25");
  }
  const bytes = new TextEncoder().encode(credentials);
  return { host, port: Number(port), authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

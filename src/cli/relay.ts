/** `weir relay`: relays TCP connections to targets until a signal ends it. */

import type { Instance } from "../config/config.ts";
import { requireDistinctPlaces } from "../config/entrance.ts";
import { ConfigError, UsageError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { DEFAULTS, OPTIONS } from "../config/options.ts";
import { formatDuration } from "../config/quantity.ts";
import { formatAddress } from "../config/value.ts";
import { type Authority, parseAuthority } from "../http/authority.ts";
import { type ListenAddress, ListenError } from "../net/listen.ts";
import { BOLD, DIM, paint, YELLOW } from "../observe/colors.ts";
import { configureDiagnostics, type Diagnostics } from "../observe/diagnostics.ts";
import { relayLog, type RelayLogFormat } from "../observe/relay_log.ts";
import { Networks, parseNetworks } from "../policy/network.ts";
import { RelayServer } from "../relay/relay_server.ts";
import type { RelaySettings } from "../relay/settings.ts";
import { watchForFaults } from "./faults.ts";
import { type Io, wantsColor } from "./io.ts";
import { isPublic } from "./public_listener.ts";
import { EXIT_AT_ONCE, requireNet } from "./serve.ts";
import { permittedLine } from "./permissions.ts";
import { ignoredText, listenForSignals } from "./signals.ts";
import { VERSION } from "./version.ts";

/**
 * @returns the exit code
 * @throws {UsageError} {ConfigError} before anything is bound
 */
export async function relay(line: CommandLine, _instance: Instance, io: Io): Promise<number> {
  const settings = settingsOf(line);
  const format = formatOf(line);
  const listen = [...line.values.listen ?? DEFAULTS.listen];
  requireDistinctPlaces([["--listen", listen]]);
  requireClients(listen, line);
  await requireNet(listen, line);
  const color = line.values["log-color"] ?? DEFAULTS["log-color"];
  const diagnostics = await configureDiagnostics(line.values["log-level"] ?? DEFAULTS["log-level"], {
    color: wantsColor(color, "err", io),
  });
  const log = relayLog(format, {
    color: wantsColor(color, "out", io),
    notice: (level, message) => diagnostics(level, message),
  });
  const server = new RelayServer(settings, {
    finished: (relayed) => log.finished(relayed),
    notice: (level, message) => diagnostics(level, message),
  });
  const ended = Promise.withResolvers<number>();
  const stopper = new Stopper(server, settings.grace, diagnostics, ended, () => log.flush());
  const onTerminal = io.isTerminal("input");
  const unwatch = watchForFaults((message) => diagnostics("error", message));
  const unlisten = listenForSignals({
    stop: (signal) => stopper.stop(signal),
    hangup() {
      if (onTerminal && !io.isTerminal("input")) return stopper.stop("SIGHUP");
      diagnostics("warning", "SIGHUP: nothing to reload, a relay has no file");
    },
    unused: (signal) => diagnostics("warning", ignoredText(signal)),
  });
  try {
    const listening = server.listen(listen).then(async (addresses) => {
      const answers = await within(server.answering, FIRST_ANSWER);
      io.err(banner(addresses, settings, wantsColor(color, "err", io), answers));
      if (answers) return;
      diagnostics("warning", "not ready: no target answers; clients are relayed as soon as one does");
      void server.firstAnswer.then(() => diagnostics("info", "ready: a target answers"));
    });
    return await Promise.race([listening.then(() => ended.promise), ended.promise]);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    io.err(`weir: ${error.message}\n`);
    return 1;
  } finally {
    unlisten();
    unwatch();
  }
}

/** How long the start waits for a target to answer, ms. */
const FIRST_ANSWER = 1_000;

/** False when the answer does not come in time, ms. */
async function within(answer: Promise<boolean>, time: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), time);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** What the signals do: the first lets connections end, the second ends them. */
class Stopper {
  #stopping = false;

  constructor(
    readonly server: RelayServer,
    readonly grace: number,
    readonly notice: Diagnostics,
    readonly ended: PromiseWithResolvers<number>,
    readonly flush: () => Promise<void>,
  ) {}

  stop(signal: Deno.Signal): void {
    if (this.#stopping) {
      this.server.stop();
      this.ended.resolve(EXIT_AT_ONCE[signal] ?? 1);
      return;
    }
    this.#stopping = true;
    const { active } = this.server;
    if (active > 0) {
      const what = active === 1 ? "1 connection" : `${active} connections`;
      this.notice(
        "info",
        `${signal}: stopping; ${what} may take ${formatDuration(this.grace)}, a second signal ends them`,
      );
    }
    this.#drain().then(this.ended.resolve, this.ended.reject);
  }

  async #drain(): Promise<number> {
    await this.server.drain();
    await this.flush();
    await this.notice.flush();
    return 0;
  }
}

/** @throws {UsageError} */
function settingsOf({ values, options }: CommandLine): RelaySettings {
  const all = { ...DEFAULTS, ...values };
  const { to: places = [], balance, "check-targets": checkTargets, "send-proxy": sendProxy } = options;
  if (places.length === 0) throw new UsageError(["weir relay needs a target: --to HOST:PORT"]);
  const to = new Map<string, Authority>();
  for (const place of places) {
    const authority = parseAuthority(place, null);
    to.set(authority.text, authority);
  }
  return {
    to: [...to.values()],
    balance: balance ?? "round-robin",
    checkInterval: checkTargets ?? CHECK_TARGETS.default,
    sendProxy: sendProxy === undefined ? null : sendProxy === "v1" ? 1 : 2,
    clients: values.clients === undefined ? null : new Networks(values.clients.flatMap(parseNetworks)),
    maxConnections: all["max-connections"],
    maxConnectionsPerClient: all["max-connections-per-client"],
    maxConnectionsPerLocalClient: values["max-connections-per-client"] ?? 0,
    connectTimeout: all["connect-timeout"],
    idleTimeout: all["tunnel-timeout"],
    lifetime: all["tunnel-lifetime"],
    grace: all.grace,
  };
}

const CHECK_TARGETS = OPTIONS.find((option) => option.flag === "check-targets")!;

function formatOf({ values }: CommandLine): RelayLogFormat {
  const format = values["log-format"] ?? DEFAULTS["log-format"];
  if (format === "pretty" || format === "json" || format === "none") return format;
  throw new UsageError([
    `--log-format: ${format} is made of requests, of which a relay knows nothing: write pretty, json or none`,
  ]);
}

/** Refuses to relay for everybody where nobody said so. */
function requireClients(listen: readonly ListenAddress[], line: CommandLine): void {
  const open = listen.filter(isPublic);
  if (line.values.clients !== undefined || open.length === 0) return;
  const end = line.args.includes("--") ? line.args.indexOf("--") : line.args.length;
  const fix = (clients: string) => permittedLine(line, {}, line.args.toSpliced(end, 0, "--clients", clients));
  throw new ConfigError([
    `${
      open.map(formatAddress).join(", ")
    } may be reached from anywhere: whoever finds it could reach the targets\n` +
    `  say who may:  ${fix("loopback,192.168.0.0/16")}\n` +
    `  or that all may:  ${fix("all")}`,
  ]);
}

function banner(
  addresses: readonly Deno.NetAddr[],
  settings: RelaySettings,
  color: boolean,
  answers: boolean,
): string {
  const { to, balance, checkInterval, sendProxy } = settings;
  const row = (name: string, text: string) => `  ${paint(color, DIM, name.padEnd(10))}${text}\n`;
  const checks = checkInterval === 0 ? "only as clients connect" : `every ${formatDuration(checkInterval)}`;
  return `${paint(color, BOLD, `weir ${VERSION}`)} relays ${addresses.map(formatAddress).join(", ")}\n` +
    row("to", to.map(({ text }) => text).join(", ")) +
    row("balance", balance) +
    row("checks", checks) +
    (answers ? "" : `  ${paint(color, YELLOW, "not ready".padEnd(10))}no target answers\n`) +
    (sendProxy === null ? "" : row("header", `PROXY protocol v${sendProxy}`)) +
    row("stop", "Ctrl-C");
}

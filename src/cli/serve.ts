/** `weir serve`: runs the proxy until a signal ends it. */

import type { DiskStore } from "../cache/disk_store.ts";
import type { Config, Instance } from "../config/config.ts";
import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { formatDuration } from "../config/quantity.ts";
import { formatAddress } from "../config/value.ts";
import { ListenError } from "../net/listen.ts";
import { loadAuthorities } from "../net/tls.ts";
import { type AccessLog, accessLog } from "../observe/access_log.ts";
import { configureDiagnostics, type Diagnostics } from "../observe/diagnostics.ts";
import type { PolicySpec } from "../policy/spec.ts";
import type { Exchange } from "../proxy/exchange.ts";
import type { NoticeLevel, Observer } from "../proxy/observer.ts";
import { Proxy } from "../proxy/proxy.ts";
import { banner } from "./banner.ts";
import { openDisk } from "./disk.ts";
import { watchForFaults } from "./faults.ts";
import { type Io, wantsColor } from "./io.ts";
import { Known, load, type Loaded, placesOf } from "./load.ts";
import { requireAdmission } from "./public_listener.ts";
import { ignoredText, listenForSignals } from "./signals.ts";

/** Exit codes of a second signal: 128 and its number, as shells have it. */
export const EXIT_AT_ONCE: Partial<Record<Deno.Signal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/**
 * @returns the exit code
 * @throws {ConfigError} before anything is bound
 */
export async function serve(line: CommandLine, instance: Instance, io: Io): Promise<number> {
  const known = new Known();
  const loaded = await load(line, instance, io, known);
  await requireNet(placesOf(loaded.config), line, loaded.files);
  for (const warning of loaded.warnings) io.err(`weir: warning: ${warning}\n`);
  const diagnostics = await diagnosticsOf(loaded.config, io);
  const disk = await openDisk(loaded.config, loaded.files, line, diagnostics);
  const serving = new Serving(line, instance, io, known, loaded, diagnostics, disk);
  try {
    return await serving.run();
  } finally {
    await disk?.close();
  }
}

class Serving implements Observer {
  #line: CommandLine;
  #instance: Instance;
  #io: Io;
  #known: Known;
  #loaded: Loaded;
  #config: Config;
  #unwatchUsers: (() => Promise<void>) | null = null;
  #diagnostics: Diagnostics;
  #log: AccessLog;
  #proxy: Proxy;
  #onTerminal: boolean;
  #ended = Promise.withResolvers<number>();
  #stopping = false;
  /** The reload that is under way, or the last one. */
  #reloading = Promise.resolve();
  /** Whether one more is to come. */
  #reloadWaits = false;

  constructor(
    line: CommandLine,
    instance: Instance,
    io: Io,
    known: Known,
    loaded: Loaded,
    diagnostics: Diagnostics,
    disk: DiskStore | null,
  ) {
    const { config } = loaded;
    this.#known = known;
    this.#loaded = loaded;
    this.#line = line;
    this.#instance = instance;
    this.#io = io;
    this.#config = config;
    this.#diagnostics = diagnostics;
    this.#onTerminal = io.isTerminal("input");
    this.#log = this.#accessLog(config);
    this.#proxy = new Proxy(config.proxy, this, undefined, disk);
  }

  finished(exchange: Exchange): void {
    this.#log.finished(exchange);
  }

  notice(level: NoticeLevel, message: string): void {
    this.#diagnostics(level, message);
  }

  async run(): Promise<number> {
    const unwatch = watchForFaults((message) => this.notice("error", message));
    const unlisten = listenForSignals({
      stop: (signal) => this.#stop(signal),
      hangup: () => this.#hangup(),
      unused: (signal) => this.notice("warning", ignoredText(signal)),
    });
    try {
      this.#watchUsers();
      const { listen, listenTls, gateways } = this.#config;
      const addresses = this.#proxy.listen(listen, listenTls, gateways);
      loadAuthorities();
      const firstGateway = listen.length + listenTls.length;
      this.#io.err(
        banner(
          addresses.slice(0, listen.length),
          this.#config.policy,
          wantsColor(this.#config.log.color, "err", this.#io),
          addresses.slice(listen.length, firstGateway),
          this.#loaded.parents,
          addresses.slice(firstGateway),
          this.#loaded.users,
          this.#config.proxy.cacheSize === 0 ? null : {
            memory: this.#config.proxy.cacheSize,
            folder: this.#config.cacheFolder,
            disk: this.#config.cacheFolderSize,
          },
        ),
      );
      return await this.#ended.promise;
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      this.#io.err(`weir: ${error.message}\n`);
      return 1;
    } finally {
      unlisten();
      unwatch();
      await this.#unwatchUsers?.();
    }
  }

  #accessLog(config: Config): AccessLog {
    return accessLog(config.log.format, {
      color: wantsColor(config.log.color, "out", this.#io),
      notice: (level, message) => this.notice(level, message),
    });
  }

  #stop(signal: Deno.Signal): void {
    if (this.#stopping) {
      this.#proxy.stop();
      this.#ended.resolve(EXIT_AT_ONCE[signal] ?? 1);
      return;
    }
    this.#stopping = true;
    const { active } = this.#proxy;
    if (active > 0) {
      const grace = formatDuration(this.#config.proxy.grace);
      const what = active === 1 ? "1 exchange" : `${active} exchanges`;
      this.notice(
        "info",
        `${signal}: stopping; ${what} in flight may take ${grace}, a second signal ends them`,
      );
    }
    this.#drain().then(this.#ended.resolve, this.#ended.reject);
  }

  /** @returns the exit code, unless a second signal comes first */
  async #drain(): Promise<number> {
    await this.#proxy.drain();
    await this.#log.flush();
    await this.#diagnostics.flush();
    return 0;
  }

  /** SIGHUP says one of two things: that the terminal is gone, or that the operator has changed the file. */
  #hangup(): void {
    if (this.#onTerminal && !this.#io.isTerminal("input")) return this.#stop("SIGHUP");
    // one after the other, so that the last file wins; those that wait would all read the same
    if (this.#reloadWaits) return;
    this.#reloadWaits = true;
    this.#reloading = this.#reloading.then(() => {
      this.#reloadWaits = false;
      return this.#reload();
    });
  }

  async #reload(): Promise<void> {
    const { config } = this.#line;
    if (config === "-") {
      return this.notice("warning", "SIGHUP: nothing to reload, standard input cannot be read again");
    }
    if (this.#loaded.files.length === 0) {
      return this.notice("warning", "SIGHUP: nothing to reload, there is no --config");
    }
    try {
      const next = await load(this.#line, this.#instance, this.#io, this.#known);
      // the listeners stay what they are
      const behindProxy = next.config.proxy.trustedProxies !== null;
      requireAdmission(placesOf(this.#config), next.spec, this.#line, next.files, behindProxy);
      const before = this.#loaded;
      await this.#apply(next);
      for (const warning of next.warnings) this.notice("warning", `SIGHUP: ${warning}`);
      const changes = changesInWords(before.spec, next.spec, this.#known.lists.read);
      this.notice("info", `SIGHUP: ${config ?? "what the flags name"} is in force${changes}`);
    } catch (error) {
      const problems = error instanceof ConfigError ? error.problems : [(error as Error).stack];
      // one with a line to run has lines
      for (const line of problems.join("\n").split("\n")) this.notice("error", `SIGHUP: ${line.trim()}`);
      this.notice("error", "SIGHUP: the old configuration stays in force");
    }
  }

  async #apply(loaded: Loaded): Promise<void> {
    const { listen, listenTls, gateways } = this.#config;
    const { config: next } = loaded;
    const places = (config: Config) =>
      [config.listen, config.listenTls, config.gateways].map((list) => list.map(formatAddress)).join(" ");
    if (places(this.#config) !== places(next)) {
      this.notice("warning", "SIGHUP: other addresses to listen on wait for the next start");
    }
    if (this.#config.cacheFolder !== next.cacheFolder) {
      this.notice("warning", "SIGHUP: another folder for the cache waits for the next start");
    }
    // the old ones first, so that lines stay in their order
    await this.#log.flush();
    await this.#diagnostics.flush();
    this.#diagnostics = await diagnosticsOf(next, this.#io);
    this.#log = this.#accessLog(next);
    this.#proxy.update(next.proxy);
    this.#config = { ...next, listen, listenTls, gateways, cacheFolder: this.#config.cacheFolder };
    const { users } = this.#loaded;
    this.#loaded = loaded;
    if (users !== loaded.users) {
      await this.#unwatchUsers?.();
      this.#watchUsers();
    }
  }

  #watchUsers(): void {
    this.#unwatchUsers = this.#loaded.users?.watch((level, message) => this.notice(level, message)) ?? null;
  }
}

/** What another policy changes, in a few words, with what joins them to a sentence. */
function changesInWords(before: PolicySpec, after: PolicySpec, listsRead: number): string {
  const changes: string[] = [];
  if (before.rules.length !== after.rules.length) {
    changes.push(`rules ${before.rules.length} → ${after.rules.length}`);
  }
  if (before.defaultAction !== after.defaultAction) {
    changes.push(`default ${before.defaultAction} → ${after.defaultAction}`);
  }
  if (before.mode !== after.mode) changes.push(`mode ${before.mode} → ${after.mode}`);
  if (before.authentication !== after.authentication) {
    changes.push(`authentication ${before.authentication} → ${after.authentication}`);
  }
  if (listsRead > 0) changes.push(`${listsRead === 1 ? "1 list" : `${listsRead} lists`} read again`);
  return changes.length === 0 ? "" : `: ${changes.join(", ")}`;
}

function diagnosticsOf(config: Config, io: Io): Promise<Diagnostics> {
  return configureDiagnostics(config.log.level, { color: wantsColor(config.log.color, "err", io) });
}

/** Never asks: without the permission to listen, says how to give it; `files` are those that have been read. */
export async function requireNet(
  listen: Config["listen"],
  line: CommandLine,
  files: readonly string[] = [],
): Promise<void> {
  for (const address of listen) {
    const host = formatAddress(address);
    const { state } = await Deno.permissions.query({ name: "net", host });
    if (state === "granted") continue;
    const { lacking } = await import("./permissions.ts");
    throw new ConfigError([lacking(`listening on ${host}`, ["net"], line, { read: files })]);
  }
}

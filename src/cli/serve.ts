/** `weir serve`: runs the proxy until a signal ends it. */

import type { Config, Instance } from "../config/config.ts";
import { ConfigError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { formatDuration } from "../config/quantity.ts";
import { formatAddress } from "../config/value.ts";
import { ListenError } from "../net/listen.ts";
import { accessLog } from "../observe/access_log.ts";
import type { Observer } from "../proxy/observer.ts";
import { Proxy } from "../proxy/proxy.ts";
import { banner } from "./banner.ts";
import { watchForFaults } from "./faults.ts";
import { type Io, wantsColor } from "./io.ts";
import { load } from "./load.ts";
import { Notices } from "./notices.ts";
import { listenForSignals } from "./signals.ts";

/** How long the last lines of the log may take to be written, ms: whoever reads them may have stopped reading. */
const FLUSH_TIMEOUT = 2000;
/** When the diagnostics are loaded if no notice wanted them before, ms after the start. */
const DIAGNOSTICS_DELAY = 1000;

const EXIT_OF_SECOND: Partial<Record<Deno.Signal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/**
 * @returns the exit code
 * @throws {ConfigError} before anything is bound
 */
export async function serve(line: CommandLine, instance: Instance, io: Io): Promise<number> {
  const { config } = await load(line, instance, io);
  await requireNet(config, line);
  return await new Serving(line, instance, io, config).run();
}

class Serving implements Observer {
  #line: CommandLine;
  #instance: Instance;
  #io: Io;
  #config: Config;
  #notices: Notices;
  #log: ReturnType<typeof accessLog>;
  #proxy: Proxy;
  #onTerminal: boolean;
  #ended = Promise.withResolvers<number>();
  #stopping = false;
  /** The reload that is under way, or the last one. */
  #reloading = Promise.resolve();

  constructor(line: CommandLine, instance: Instance, io: Io, config: Config) {
    this.#line = line;
    this.#instance = instance;
    this.#io = io;
    this.#config = config;
    this.#onTerminal = io.isTerminal("input");
    this.#notices = new Notices(config.log.level, wantsColor(config.log.color, "err", io), io);
    this.#log = this.#accessLog(config);
    this.#proxy = new Proxy(config.proxy, this);
  }

  finished: Observer["finished"] = (exchange) => this.#log.finished(exchange);

  notice: Observer["notice"] = (level, message) => this.#notices.notice(level, message);

  async run(): Promise<number> {
    const unwatch = watchForFaults((message) => this.notice("error", message));
    const unlisten = listenForSignals({
      stop: (signal) => this.#stop(signal),
      hangup: () => this.#hangup(),
    });
    // what is loaded late is loaded while files can still be opened
    const timer = setTimeout(() => this.#notices.load(), DIAGNOSTICS_DELAY);
    try {
      const addresses = this.#proxy.listen(this.#config.listen);
      this.#io.err(banner(addresses, wantsColor(this.#config.log.color, "err", this.#io)));
      return await this.#ended.promise;
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      this.#io.err(`weir: ${error.message}\n`);
      return 1;
    } finally {
      clearTimeout(timer);
      unlisten();
      unwatch();
    }
  }

  #accessLog(config: Config): ReturnType<typeof accessLog> {
    return accessLog(config.log.format, { color: wantsColor(config.log.color, "out", this.#io) });
  }

  #stop(signal: Deno.Signal): void {
    if (this.#stopping) {
      this.#proxy.stop();
      this.#ended.resolve(EXIT_OF_SECOND[signal] ?? 1);
      return;
    }
    this.#stopping = true;
    const active = this.#proxy.active;
    if (active > 0) {
      const grace = formatDuration(this.#config.proxy.grace);
      this.notice(
        "info",
        `${signal}: ${active} in flight may take ${grace} more; a second signal ends them at once`,
      );
    }
    this.#ended.resolve(this.#drain());
  }

  async #drain(): Promise<number> {
    await this.#proxy.drain();
    await this.#flush();
    return 0;
  }

  /** Waits until the logs are written, as long as somebody reads them. */
  async #flush(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, FLUSH_TIMEOUT));
    await Promise.race([this.#log.flush(), late]);
    clearTimeout(timer);
  }

  /** SIGHUP says two things: that the terminal is gone, or that the operator has changed the file. */
  #hangup(): void {
    if (this.#onTerminal && !this.#io.isTerminal("input")) return this.#stop("SIGHUP");
    // one after the other, so that the last file wins
    this.#reloading = this.#reloading.then(() => this.#reload());
  }

  async #reload(): Promise<void> {
    const file = this.#line.config;
    if (file === undefined || file === "-") {
      const why = file === "-" ? "standard input cannot be read again" : "it was started without --config";
      this.notice("warning", `SIGHUP: nothing is reloaded, ${why}`);
      return;
    }
    let next: Config;
    try {
      next = (await load(this.#line, this.#instance, this.#io)).config;
    } catch (error) {
      const why = error instanceof ConfigError ? error.message : (error as Error).stack;
      this.notice("error", `SIGHUP: the old configuration stays, the new one is wrong\n${why}`);
      return;
    }
    await this.#apply(next);
    this.notice("info", `SIGHUP: ${file} is in force`);
  }

  async #apply(next: Config): Promise<void> {
    const { listen, log } = this.#config;
    if (listen.map(formatAddress).join() !== next.listen.map(formatAddress).join()) {
      this.notice("warning", "SIGHUP: other addresses to listen on take effect with the next start");
    }
    if (log.format !== next.log.format || log.color !== next.log.color) {
      await this.#flush();
      this.#log = this.#accessLog(next);
    }
    this.#notices.level = next.log.level;
    this.#proxy.update(next.proxy);
    this.#config = { ...next, listen };
  }
}

/** Never asks: without the permission to listen, says how to give it. */
async function requireNet(config: Config, line: CommandLine): Promise<void> {
  for (const address of config.listen) {
    const host = formatAddress(address);
    const { state } = await Deno.permissions.query({ name: "net", host });
    if (state === "granted") continue;
    const { denoRun } = await import("./shell_words.ts");
    throw new ConfigError([
      `listening on ${host} needs the permission --allow-net\n  give it:  ${denoRun([], line.args)}`,
    ]);
  }
}

/** weir as a program of its own, the way people start it, looked at from outside. */

import { denoEnvironment, until } from "./programs.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** How weir is started; WEIR_COMMAND, split at spaces, puts another executable in its place. */
const COMMAND = Deno.env.get("WEIR_COMMAND")?.split(" ") ??
  [Deno.execPath(), "run", "--allow-net", "--no-prompt", MAIN];

/** One exchange of the JSON access log. */
export type LogLine = Record<string, unknown>;

export interface WeirOptions {
  /** `127.0.0.1:port`; a free port when it is not given. */
  listen?: string;
  /** The highest number of open files, as `ulimit -n` sets it. */
  descriptors?: number;
  /** What is run instead of {@link COMMAND}. */
  command?: string[];
  cwd?: string;
}

export class Weir implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  #stdout = "";
  #stderr = "";
  #ended = false;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    child.status.then(() => this.#ended = true);
    this.#read = Promise.all([
      collect(child.stdout, (text) => this.#stdout += text),
      collect(child.stderr, (text) => this.#stderr += text),
    ]);
  }

  /** Starts weir with `options` of its own on its command line and waits until it says where it listens. */
  static async start(args: string[] = [], options: WeirOptions = {}): Promise<Weir> {
    const command = [
      ...options.command ?? COMMAND,
      ...["--listen", options.listen ?? "127.0.0.1:0", "--log-format", "json", ...args],
    ];
    // exec keeps the process's id, so that /proc/PID is weir's and not the shell's.
    const limit = options.descriptors === undefined ? "" : `ulimit -n ${options.descriptors}; `;
    const weir = new Weir(
      new Deno.Command("sh", {
        args: ["-c", `${limit}exec "$0" "$@"`, ...command],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        cwd: options.cwd,
        clearEnv: true,
        // What Deno needs to find its cache; the executable needs nothing.
        env: options.command === undefined ? denoEnvironment() : {},
      }).spawn(),
    );
    try {
      await until("weir's banner", () => {
        if (weir.#ended) throw new Error("weir ended at its start.");
        return weir.#address() !== undefined;
      });
    } catch (error) {
      await weir.kill();
      throw new Error(`${(error as Error).message}\n${weir.stderr}`);
    }
    return weir;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get port(): number {
    return Number(this.#address());
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The access log so far. It is written in batches: wait for a line with {@link logged}. */
  get log(): LogLine[] {
    const whole = this.#stdout.slice(0, this.#stdout.lastIndexOf("\n") + 1);
    return whole.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  }

  /** Waits for the exchanges of which `wanted` is true to be at least `count` in the access log. */
  logged(what: string, wanted: (line: LogLine) => boolean, count = 1): Promise<LogLine[]> {
    return until(`${count} of ${what} in the access log`, () => {
      const lines = this.log.filter(wanted);
      return lines.length >= count && lines;
    }).catch((error: Error) => {
      const last = this.log.slice(-20).map((line) => JSON.stringify(line)).join("\n");
      throw new Error(`${error.message} Its last lines:\n${last}`);
    });
  }

  /** Waits until `text` stands in what weir says on standard error. */
  async said(text: string): Promise<void> {
    try {
      await until(`weir to say ${text}`, () => this.#stderr.includes(text));
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.stderr}`);
    }
  }

  /** Open descriptors. */
  get descriptors(): number {
    return [...Deno.readDirSync(`/proc/${this.pid}/fd`)].length;
  }

  /** Resident memory, bytes. */
  get residentBytes(): number {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(Deno.readTextFileSync(`/proc/${this.pid}/status`))![1]) * 1024;
  }

  /** CPU time used so far, seconds. */
  get cpuSeconds(): number {
    const stat = Deno.readTextFileSync(`/proc/${this.pid}/stat`);
    const [user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13);
    return (Number(user) + Number(system)) / 100;
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Asks weir to finish and waits until it has; its exit code. Throws when it takes longer than `seconds`. */
  async stop(signal: Deno.Signal = "SIGTERM", seconds = 60): Promise<number> {
    this.#child.kill(signal);
    await until("weir to end", () => this.#ended, seconds);
    const { code } = await this.#child.status;
    await this.#read;
    return code;
  }

  /** Ends weir as a crash would. */
  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* It has ended already. */ }
    await this.#child.status;
    await this.#read;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  /** Throws when weir has died or has complained of something that it did not expect. */
  assertHealthy(): void {
    if (this.#ended) throw new Error(`weir has ended.\n${this.stderr}`);
    this.assertExpected();
  }

  /** Throws when weir has complained of something that it did not expect. */
  assertExpected(): void {
    if (/unhandled|uncaught|panicked|\bat .*\.ts:\d+/i.test(this.stderr)) {
      throw new Error(`weir did not expect something:\n${this.stderr}`);
    }
  }

  #address(): string | undefined {
    // Only of a whole banner: what has come of a number so far may be a part of it.
    if (!/^ +stop +Ctrl-C$/m.test(this.#stderr)) return undefined;
    return /weir \S+ (?:listens on|relays) [^]*?127\.0\.0\.1:(\d+)/.exec(this.#stderr)?.[1];
  }
}

async function collect(stream: ReadableStream<Uint8Array>, add: (text: string) => void): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) add(text);
}

/** weir as a program of its own, started as README says, and looked at from outside. */

const MAIN = new URL("../../main.ts", import.meta.url);

export interface Ended {
  code: number;
  out: string;
  err: string;
}

export interface StartOptions {
  /** Permissions besides the network. */
  permissions?: string[];
  /** What standard input holds; nothing by default. */
  input?: string;
  /** Variables besides those of the test. */
  env?: Record<string, string>;
}

/** Runs weir with arguments that end it by themselves. */
export async function runWeir(args: string[], options: StartOptions = {}): Promise<Ended> {
  const child = spawn(args, options);
  const [{ code }, out, err] = await Promise.all([child.status, text(child.stdout), text(child.stderr)]);
  return { code, out, err };
}

/** A weir that listens. Dispose of it, or end it by {@link signal}. */
export class Weir implements AsyncDisposable {
  #child: Deno.ChildProcess;
  #reading: Promise<unknown>;
  #changed = Promise.withResolvers<void>();
  out = "";
  err = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#reading = Promise.all([
      this.#collect(child.stdout, (more) => this.out += more),
      this.#collect(child.stderr, (more) => this.err += more),
    ]);
  }

  /** Starts weir on a free port and waits for its banner. */
  static async start(args: string[] = [], options: StartOptions = {}): Promise<Weir> {
    const weir = new Weir(spawn(["--listen", "127.0.0.1:0", ...args], options));
    await weir.said("Ctrl-C\n");
    return weir;
  }

  /** The port of 127.0.0.1 that the banner tells. */
  get port(): number {
    return Number(/127\.0\.0\.1:([0-9]+)/.exec(this.err)?.[1]);
  }

  /** Waits until standard error has a text after a place in it; resolves with the place behind it. */
  async said(wanted: string, from = 0): Promise<number> {
    while (true) {
      const at = this.err.indexOf(wanted, from);
      if (at >= 0) return at + wanted.length;
      const ended = await Promise.race([this.#changed.promise, this.#child.status]);
      if (ended !== undefined) {
        await this.#reading;
        if (!this.err.includes(wanted, from)) throw new Error(`weir never said ${wanted}, but:\n${this.err}`);
      }
    }
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for the end. */
  async ended(): Promise<Ended> {
    const { code } = await this.#child.status;
    await this.#reading;
    return { code, out: this.out, err: this.err };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.ended();
  }

  async #collect(stream: ReadableStream<Uint8Array>, add: (more: string) => void): Promise<void> {
    for await (const more of stream.pipeThrough(new TextDecoderStream())) {
      add(more);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}

/** A folder of its own for a test, removed in the end. Another process makes it: tests may not write. */
export class Folder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(): Promise<Folder> {
    return new Folder(await evaluate("console.log(Deno.makeTempDirSync())", []));
  }

  /** Writes a file and gives its path. */
  async write(name: string, content: string): Promise<string> {
    const path = `${this.path}/${name}`;
    // Deno 2.6 would take a content that begins with a dash for a flag of its own
    await evaluate("Deno.writeTextFileSync(Deno.args[0], JSON.parse(Deno.args[1]))", [
      path,
      JSON.stringify(content),
    ]);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await evaluate("Deno.removeSync(Deno.args[0], { recursive: true })", [this.path]);
  }
}

async function evaluate(code: string, args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args: ["eval", code, ...args] });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

function spawn(args: string[], { permissions = [], input, env }: StartOptions): Deno.ChildProcess {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", ...permissions, "--no-prompt", MAIN.pathname, ...args],
    env,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (input !== undefined) void give(child.stdin, input);
  return child;
}

async function give(stdin: WritableStream<Uint8Array>, input: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  } catch {
    // it has read enough
  }
}

function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

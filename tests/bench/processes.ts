/** Programs that run beside the bench: started in a group of their own, measured through /proc, always ended. */

const CLOCK_TICKS = 100;
const running = new Set<Program>();

/** One started program, with everything that it started itself. */
export class Program {
  readonly pid: number;
  readonly #child: Deno.ChildProcess;
  #ended = false;

  private constructor(readonly name: string, readonly log: string, child: Deno.ChildProcess) {
    this.#child = child;
    this.pid = child.pid;
    running.add(this);
    child.status.then(() => this.#ended = true);
  }

  /**
   * Starts a program whose standard output and error go to files beside each other: `log` and `log`.err.
   * `setsid` makes it the leader of a process group, so that ending it ends its children too.
   */
  static start(name: string, command: string[], log: string, cwd?: string): Program {
    const child = new Deno.Command("setsid", {
      args: ["sh", "-c", 'exec "$@" >>"$0" 2>>"$0.err"', log, ...command],
      stdin: "null",
      stdout: "null",
      stderr: "null",
      cwd,
    }).spawn();
    return new Program(name, log, child);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** CPU time used so far by the program and its children, living and dead, in seconds (10 ms steps). */
  cpuSeconds(): number {
    let ticks = 0;
    for (const pid of this.#group()) {
      const fields = statOf(pid);
      if (fields === undefined) continue;
      // utime, stime, cutime and cstime are the fields 14 to 17 of proc(5).
      for (const field of fields.slice(11, 15)) ticks += Number(field);
    }
    return ticks / CLOCK_TICKS;
  }

  /** Resident memory of the program and its living children, bytes. */
  residentBytes(): number {
    let bytes = 0;
    for (const pid of this.#group()) {
      const match = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`));
      if (match !== null) bytes += Number(match[1]) * 1024;
    }
    return bytes;
  }

  /** Resident memory once two readings 250 ms apart agree within 1 %, or after 5 s. */
  async settledBytes(): Promise<number> {
    let before = this.residentBytes();
    for (let reading = 0; reading < 20; reading++) {
      await delay(250);
      const now = this.residentBytes();
      if (Math.abs(now - before) <= before / 100) return now;
      before = now;
    }
    return before;
  }

  /** Ends the program and its children: asks first, and kills what is left after 3 s. */
  async end(): Promise<void> {
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), 3000);
    await this.#child.status;
    clearTimeout(timer);
    this.#signal("SIGKILL");
    running.delete(this);
  }

  #signal(signal: Deno.Signal): void {
    try {
      Deno.kill(-this.pid, signal);
    } catch { /* The whole group has ended already. */ }
  }

  /** What the program wrote last, to explain why it did not start. */
  lastWords(): string {
    return (read(this.log) + read(`${this.log}.err`)).trim().split("\n").slice(-8).join("\n");
  }

  /** The program and those whose process group is its own. */
  #group(): number[] {
    const pids: number[] = [];
    for (const entry of Deno.readDirSync("/proc")) {
      const pid = Number(entry.name);
      if (!Number.isInteger(pid)) continue;
      if (pid === this.pid || Number(statOf(pid)?.[2]) === this.pid) pids.push(pid);
    }
    return pids;
  }
}

/** Ends every program that is still running; for the end of the bench, however it comes. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((program) => program.end()));
}

/** The fields of /proc/PID/stat after the name, from the state on; the group is the third. */
function statOf(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text === "" ? undefined : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** A port of the loopback interface that is free now. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Where a program is on the PATH or among the administrator's programs; `undefined` when it is not installed. */
export function installed(name: string): string | undefined {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => `${folder}/${name}`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** Waits until `port` accepts; throws with the program's last words when it ends or takes longer than 15 s. */
export async function listening(program: Program, port: number): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline && !program.ended) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await delay(2);
    }
  }
  throw new Error(`${program.name} does not listen on 127.0.0.1:${port}.\n${program.lastWords()}`);
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

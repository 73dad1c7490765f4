/** Programs that nobody here wrote: found or asked for, run with a deadline, and what they print. */

/** What to install when a program is missing, by Debian's names. */
const PACKAGES: Record<string, string> = {
  chromium: "chromium",
  curl: "curl",
  danted: "dante-server",
  git: "git",
  microsocks: "microsocks",
  haproxy: "haproxy",
  nc: "netcat-openbsd",
  nginx: "nginx",
  node: "nodejs",
  npm: "npm",
  openssl: "openssl",
  psql: "postgresql",
  "redis-benchmark": "redis-tools",
  "redis-cli": "redis-tools",
  "redis-server": "redis-server",
  ssh: "openssh-client",
  squid: "squid",
  tinyproxy: "tinyproxy",
  wget: "wget",
};

export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  /** Added to a nearly empty environment, so that no proxy or configuration of this machine leaks in. */
  env?: Record<string, string>;
  /** The program is killed after this many seconds. */
  seconds?: number;
}

const PATH = `${Deno.env.get("PATH")}:/usr/sbin`;

/** Runs a program to its end, whatever its exit code. Throws when it is not installed or takes too long. */
export async function run(program: string, args: string[], options: RunOptions = {}): Promise<Output> {
  const { seconds = 60, cwd, env } = options;
  const signal = AbortSignal.timeout(seconds * 1000);
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(program, {
      args,
      cwd,
      signal,
      stdin: "null",
      clearEnv: true,
      env: { PATH, HOME: "/nonexistent", LC_ALL: "C", ...env },
    }).output();
  } catch (error) {
    throw error instanceof Deno.errors.NotFound ? new Error(missing(program)) : error;
  }
  const decoder = new TextDecoder();
  const [stdout, stderr] = [decoder.decode(output.stdout), decoder.decode(output.stderr)];
  if (signal.aborted) throw new Error(`${program} took longer than ${seconds} s.\n${stdout}\n${stderr}`);
  return { code: output.code, stdout, stderr };
}

/** Like {@link run}, but a failure throws with what the program said; gives its standard output. */
export async function succeed(program: string, args: string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code !== 0) {
    throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${stderr}\n${stdout}`);
  }
  return stdout;
}

function missing(program: string): string {
  return `This test needs ${program}: apt-get install ${PACKAGES[program] ?? program}`;
}

/** Polls until `condition` gives something other than `undefined` and `false`; throws after `seconds`. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  seconds = 15,
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    if (performance.now() > deadline) throw new Error(`Waited ${seconds} s for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A port of the loopback interface that is free now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Programs that nobody here wrote: found or asked for, run with a deadline, and what they print. */

export { freePort } from "../net/ports.ts";

/** What to install when a program is missing, by Debian's names. */
const PACKAGES: Record<string, string> = {
  "apt-get": "apt",
  chromium: "chromium",
  curl: "curl",
  danted: "dante-server",
  "dpkg-deb": "dpkg",
  git: "git",
  microsocks: "microsocks",
  haproxy: "haproxy",
  nc: "netcat-openbsd",
  nginx: "nginx",
  node: "nodejs",
  npm: "npm",
  openssl: "openssl",
  psql: "postgresql",
  python3: "python3-pip",
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
  /** The program is killed after this many seconds; by default as many as only one that hangs would take. */
  seconds?: number;
}

/** Where programs are looked for: servers are not always on a user's own path. */
export const PATH = `${Deno.env.get("PATH")}:/usr/sbin`;

let folderOfDeno: string | undefined;

/** What another Deno needs in an otherwise empty environment to find what this one has downloaded. */
export function denoEnvironment(): Record<string, string> {
  if (folderOfDeno === undefined) {
    const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"], stderr: "null" })
      .outputSync();
    folderOfDeno = JSON.parse(new TextDecoder().decode(stdout)).denoDir as string;
  }
  return { PATH, DENO_DIR: folderOfDeno, DENO_NO_UPDATE_CHECK: "1" };
}

/** Runs a program to its end, whatever its exit code. Throws when it is not installed or takes too long. */
export async function run(program: string, args: string[], options: RunOptions = {}): Promise<Output> {
  const { seconds = 240, cwd, env } = options;
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

/**
 * Polls until `condition` gives something other than `undefined` and `false`; throws after `seconds`, which is
 * far more than even a slow and busy machine takes: who waits in vain has found a fault.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  seconds = 60,
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    if (performance.now() > deadline) throw new Error(`Waited ${seconds} s for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether anybody accepts connections at a port of the loopback interface. */
export async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** Removes a folder in which programs that were told to end may still be writing. */
export async function removeFolder(path: string): Promise<void> {
  await until(`${path} to be removed`, async () => {
    try {
      await Deno.remove(path, { recursive: true });
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return true;
      // ENOTEMPTY has no class of its own
      if ((error as { code?: string }).code === "ENOTEMPTY") return false;
      throw error;
    }
  });
}

/** The public tests for HTTP caches: installed by npm where the run keeps its files, and run by Node. */

import { listening, Program } from "../bench/processes.ts";
import { succeed } from "../e2e/programs.ts";
import { freePort } from "../net/ports.ts";
import { EDITION, type Group, type Result } from "./outcome.ts";

const CLIENT = new URL("programs/client.mjs", import.meta.url);

export interface Run {
  groups: Group[];
  results: Record<string, Result>;
}

/** Where the client sends its requests. */
export interface Address {
  /** Port of the cache, on 127.0.0.1. */
  port: number;
  /** Whether it is asked as a forward proxy: targets in absolute-form. */
  absolute: boolean;
}

export interface RunOptions {
  /** Identifiers of the tests to run; all when it is `null`. */
  only: string[] | null;
  /** Tests at the same time. Most of their time they sleep. */
  concurrency: number;
  /** Whether each request and response is printed. */
  dump?: boolean;
}

/** Installs the suite into `folder`, which must not exist yet. */
export async function installSuite(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/package.json`, '{ "private": true }');
  const options = ["--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=5"];
  // This is npm as the machine has it set up; nothing of it goes through a cache under test.
  await succeed("npm", ["install", ...options, `http-cache-tests@${EDITION}`], {
    cwd: folder,
    env: Deno.env.toObject(),
    seconds: 400,
  });
  await Deno.copyFile(CLIENT, `${folder}/client.mjs`);
}

/** The suite's server, which plays the origin that each test asks for. */
export class Origin implements AsyncDisposable {
  readonly #folder: string;
  readonly #program: Program;

  private constructor(folder: string, program: Program, readonly port: number) {
    this.#folder = folder;
    this.#program = program;
  }

  /** Starts the server of the suite that {@link installSuite} put into `folder`, on a free port. */
  static async start(folder: string): Promise<Origin> {
    const port = freePort();
    const settings = { protocol: "http", port: `${port}`, pidfile: `${folder}/server.pid` };
    const words = Object.entries(settings).map(([name, value]) => `npm_config_${name}=${value}`);
    const server = `${folder}/node_modules/http-cache-tests/server/server.mjs`;
    const program = Program.start("origin", ["env", ...words, "node", server], `${folder}/origin.log`);
    await listening(program, port);
    return new Origin(folder, program, port);
  }

  /**
   * Runs the suite's tests against the cache at `address`, in front of this server. Throws when nothing came of
   * some of them.
   */
  async run(address: Address, { only, concurrency, dump = false }: RunOptions): Promise<Run> {
    const report = `${this.#folder}/report.json`;
    const origin = `http://127.0.0.1:${this.port}`;
    const settings = { origin, proxy: address.port, absolute: address.absolute, report };
    const client = [`${this.#folder}/client.mjs`, JSON.stringify({ ...settings, only, concurrency, dump })];
    const printed = await succeed("node", ["--no-warnings", ...client], { seconds: 600 });
    if (dump) console.log(`${printed}\n${await Deno.readTextFile(`${this.#folder}/origin.log`)}`);
    const run: Run = JSON.parse(await Deno.readTextFile(report));
    const expected = only ?? run.groups.flatMap(({ tests }) => tests.map(({ id }) => id));
    const lost = expected.filter((id) => run.results[id] === undefined);
    if (lost.length > 0) throw new Error(`Nothing came of the tests ${lost.join(", ")}: are there such?`);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.end();
  }
}

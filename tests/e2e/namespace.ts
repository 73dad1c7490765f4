/** A network namespace with a name server and a web server, for what needs ports or files of `/etc` of its own. */

import { denoEnvironment, run, succeed } from "./programs.ts";
import { Weir } from "./weir.ts";

const NAME_SERVER = new URL("./name_server.ts", import.meta.url).pathname;
const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** Namespaces take root, and the program that makes them. */
export const CAN = Deno.build.os === "linux" && Deno.uid() === 0 &&
  (await run("ip", ["netns", "list"]).then(({ code }) => code === 0, () => false));

export interface World {
  /** What the name server knows. */
  names: Record<string, string>;
  /** Lines of `resolv.conf`, besides the server. */
  settings?: string;
  hosts?: string;
}

/** A namespace with a name server and a web server, and files of `/etc` of its own. */
export class Namespace implements AsyncDisposable {
  readonly name = `weir-${Deno.pid}-${crypto.randomUUID().slice(0, 4)}`;
  #server: Deno.ChildProcess | null = null;

  static async make({ names, settings = "", hosts = "" }: World): Promise<Namespace> {
    const made = new Namespace();
    const folder = `/etc/netns/${made.name}`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(`${folder}/resolv.conf`, `nameserver 127.0.0.1\n${settings}`);
    await Deno.writeTextFile(`${folder}/hosts`, `127.0.0.1 localhost\n${hosts}`);
    await succeed("ip", ["netns", "add", made.name]);
    await succeed("ip", ["-n", made.name, "link", "set", "lo", "up"]);
    const [program, ...args] = made.inside(Deno.execPath(), "run", "-A", NAME_SERVER, JSON.stringify(names));
    made.#server = new Deno.Command(program, { args, stdout: "piped", stderr: "inherit" }).spawn();
    const reader = made.#server.stdout.getReader();
    await reader.read();
    await reader.cancel();
    return made;
  }

  inside(...command: string[]): string[] {
    const environment = Object.entries(denoEnvironment()).map(([name, value]) => `${name}=${value}`);
    return ["ip", "netns", "exec", this.name, "env", ...environment, ...command];
  }

  weir(...args: string[]): Promise<Weir> {
    const command = this.inside(
      Deno.execPath(),
      "run",
      "--allow-net",
      "--allow-read=/tmp",
      "--no-prompt",
      MAIN,
    );
    return Weir.start(args, { command });
  }

  async curl(...args: string[]): Promise<string> {
    const [program, ...rest] = this.inside(
      "curl",
      "-q",
      "-s",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      ...args,
    );
    return (await run(program, rest)).stdout;
  }

  /** Begins to fetch and says how to end it. */
  begin(...args: string[]): Deno.ChildProcess {
    const [program, ...rest] = this.inside(
      "curl",
      "-q",
      "-s",
      "-o",
      "/dev/null",
      "--no-progress-meter",
      ...args,
    );
    return new Deno.Command(program, { args: rest, stdout: "null", stderr: "null" }).spawn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server?.kill();
    await this.#server?.status;
    await succeed("ip", ["netns", "del", this.name]);
    await Deno.remove(`/etc/netns/${this.name}`, { recursive: true });
  }
}

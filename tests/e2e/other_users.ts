/** weir run by root and by another user of the same machine, in folders of either. */

import { type Output, PATH, removeFolder, run } from "./programs.ts";
import { denoEnvironment } from "./programs.ts";

/** Of nobody, on all systems that have such a user. */
export const NOBODY = 65534;

/** Other users' folders can be made, and their programs be started, by root alone. */
export const isRoot = Deno.build.os === "linux" && Deno.uid() === 0;

const ROOT = new URL("../../", import.meta.url).pathname;

/** Sources and packages where every user may read them, and room for folders, removed in the end. */
export class OtherUsers implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(): Promise<OtherUsers> {
    const path = await Deno.makeTempDir({ prefix: "weir-users-" });
    await Deno.chmod(path, 0o755);
    const made = new OtherUsers(path);
    await made.#copy();
    return made;
  }

  /** The sources, and what Deno has downloaded for them, which lies where other users may not look. */
  async #copy(): Promise<void> {
    const { DENO_DIR } = denoEnvironment();
    const sources = ["main.ts", "deno.json", "deno.lock", "src"].map((name) => ROOT + name);
    await Deno.mkdir(`${this.path}/weir`);
    await Deno.mkdir(`${this.path}/deno`);
    await run("cp", ["-r", ...sources, `${this.path}/weir`]);
    await run("cp", ["-r", `${DENO_DIR}/npm`, `${this.path}/deno`]);
    await run("chmod", ["-R", "a+rX", `${this.path}/weir`, `${this.path}/deno`]);
    await run("chown", ["-R", String(NOBODY), `${this.path}/deno`]);
  }

  /** A folder of a user, with this mode. */
  async folder(name: string, uid: number, mode: number, gid = uid): Promise<string> {
    const path = `${this.path}/${name}`;
    await Deno.mkdir(path);
    await Deno.chown(path, uid, gid);
    await Deno.chmod(path, mode);
    return path;
  }

  async file(path: string, text: string, uid: number, mode: number): Promise<string> {
    await Deno.writeTextFile(path, text);
    await Deno.chown(path, uid, uid);
    await Deno.chmod(path, mode);
    return path;
  }

  /** Command line and environment of weir as a user. */
  command(uid: number, args: string[], permissions = ["--allow-read", "--allow-write"]): string[] {
    const as = uid === 0 ? [] : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
    const deno = [Deno.execPath(), "run", "--no-prompt", "--allow-net", ...permissions];
    return [
      ...["env", "-i", `PATH=${PATH}`, `DENO_DIR=${this.path}/deno`, "DENO_NO_UPDATE_CHECK=1", "NO_COLOR=1"],
      ...[...as, ...deno, `${this.path}/weir/main.ts`, ...args],
    ];
  }

  /** Runs weir to its end, with a line on standard input. */
  async weir(uid: number, args: string[], input = "open sesame"): Promise<Output> {
    const script = 'umask 000; printf "%s\\n" "$0" | exec "$@"';
    return await run("sh", ["-c", script, input, ...this.command(uid, args)], { cwd: this.path });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeFolder(this.path);
  }
}

/** `600 65534` */
export function modeAndOwner(path: string): string {
  const { mode, uid } = Deno.lstatSync(path);
  return `${(mode! & 0o7777).toString(8)} ${uid}`;
}

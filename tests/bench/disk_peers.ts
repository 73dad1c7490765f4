/** The caches on disk that are compared: how each is started, with next to nothing in memory. */

import { chosen, type Peer, squidWith, WEIR_LIMITS } from "./peers.ts";
import type { Origin } from "./origin.ts";
import { delay, freePort, installed } from "./processes.ts";

/** Its folder is given to all that it does: what it keeps is there. */
export interface DiskPeer extends Peer {
  /** Makes what the program wants to find in its folder. */
  prepare(folder: string, origin: Origin): Promise<void>;
  /** Resolves when it knows all that it has kept. */
  ready(folder: string): Promise<void>;
  /** Answers that it had in memory, as its log says. */
  fromMemory(folder: string): Promise<number>;
}

/** weir as `command` runs it, and Squid with each of its stores that need no processes of their own. */
export function chooseDisks(command: string[], only: string[]): DiskPeer[] {
  return chosen([
    weir(command),
    squid("ufs", "cache_dir ufs FOLDER/store 4096 16 256"),
    squid("rock", "cache_dir rock FOLDER/store 4096"),
  ], only);
}

function weir(command: string[]): DiskPeer {
  const words = command.flatMap((word) =>
    word === "--allow-net" ? [word, "--allow-read", "--allow-write"] : [word]
  );
  return {
    name: "weir",
    tunnels: true,
    prepare: () => Promise.resolve(),
    // of thousands of objects that are asked for one after another it holds some forty: none is asked for next
    command: (folder, port) =>
      Promise.resolve([
        ...[...words, "--listen", `127.0.0.1:${port}`, "--log-format", "squid", ...WEIR_LIMITS],
        ...["--cache", "64k", "--cache-dir", `${folder}/store`, "--cache-disk", "4g"],
      ]),
    ready: () => Promise.resolve(),
    fromMemory: () => Promise.resolve(0),
  };
}

function squid(kind: string, store: string): DiskPeer {
  const { command, ...peer } = squidWith(`cache_mem 0\nmaximum_object_size 8 MB\n${store}`);
  return {
    ...peer,
    name: `squid-${kind}`,
    async prepare(folder, origin) {
      await Deno.mkdir(`${folder}/store`);
      await Deno.chmod(`${folder}/store`, 0o777);
      const [name, ...args] = await command(folder, freePort(), origin);
      const { success, stderr } = await new Deno.Command(installed(name)!, { args: [...args, "-z"] })
        .output();
      if (!success) throw new Error(`squid -z: ${new TextDecoder().decode(stderr)}`);
    },
    command,
    async ready(folder) {
      // it answers while it still reads what it has
      for (let time = 0; time < 600; time++) {
        const log = await Deno.readTextFile(`${folder}/squid.cache.log`);
        const started = log.slice(log.lastIndexOf("Starting Squid Cache"));
        if (started.includes("Finished rebuilding storage from disk")) return;
        await delay(100);
      }
      throw new Error("squid does not get ready");
    },
    async fromMemory(folder) {
      const log = await Deno.readTextFile(`${folder}/squid.access.log`);
      return log.split("TCP_MEM_HIT").length - 1;
    },
  };
}

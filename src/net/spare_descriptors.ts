/**
 * Descriptors that are held back for the moment in which none is left, so that clients can still be told so.
 *
 * They are sockets for datagrams, bound to the loopback address, that nothing reads: of what the platform can open
 * with the right to use the network alone, it is that which nobody can connect to.
 */

/** Connections that can be told at a time. */
const COUNT = 8;

interface Closable {
  close(): void;
}

export class SpareDescriptors {
  readonly #held: Closable[] = [];
  readonly #open: () => Closable;

  /** @param open takes one descriptor, and throws when there is none */
  constructor(open: () => Closable = openSocket) {
    this.#open = open;
  }

  /** How many they are. */
  readonly count = COUNT;

  /** Whether all of them are held. */
  get complete(): boolean {
    return this.#held.length === COUNT;
  }

  /** Takes what is missing of them. False when not all can be had, and then none is held that was not before. */
  take(): boolean {
    const before = this.#held.length;
    try {
      while (this.#held.length < COUNT) this.#held.push(this.#open());
      return true;
    } catch {
      for (const each of this.#held.splice(before)) each.close();
      return false;
    }
  }

  /** Gives all of them up. False when none was held. */
  release(): boolean {
    const held = this.#held.splice(0);
    for (const each of held) each.close();
    return held.length > 0;
  }
}

function openSocket(): Closable {
  // the platform would ask at the terminal for a right to this one address
  if (Deno.permissions.querySync({ name: "net" }).state !== "granted") throw new Error("not permitted");
  return Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
}

/** Whether accepting failed because the process or the system has no descriptor left. */
export function isLackOfDescriptors(error: Error): boolean {
  const { code } = error as Error & { code?: string };
  return code === "EMFILE" || code === "ENFILE";
}

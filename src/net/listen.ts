/** Where connections come in. */

export interface ListenAddress {
  /** An address without brackets, or a name of this machine. */
  hostname: string;
  /** 0–65535; 0 lets the system choose. */
  port: number;
}

/** An address cannot be listened on; the message says why and what to do. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/**
 * Reads an address as people write it: `8888` (this machine alone), `:8888` (all addresses), `127.0.0.1:8888`,
 * `[::1]:8888`, `localhost:8888`.
 *
 * @throws {Error} with what is wrong and what to write
 */
export function parseListenAddress(text: string): ListenAddress {
  const wrong = (what: string) =>
    new Error(`"${text}" ${what}: write 8888, :8888, 127.0.0.1:8888 or [::1]:8888`);
  const match = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]\s]*)):)?([0-9]+)$/.exec(text);
  if (match === null) throw wrong("is not an address to listen on");
  const [, ipv6, name, digits] = match;
  const port = Number(digits);
  if (port > 65535) throw wrong("has a port above 65535");
  if (ipv6 !== undefined) return { hostname: ipv6.toLowerCase(), port };
  if (name === undefined) return { hostname: "127.0.0.1", port };
  if (name === "") return { hostname: "::", port };
  return { hostname: name.toLowerCase(), port };
}

/**
 * Listens on an address. `::` takes IPv4 as well; on a machine without IPv6 it stands for all IPv4 addresses.
 *
 * @throws {ListenError}
 */
export function listen(address: ListenAddress): Deno.TcpListener {
  const { hostname, port } = address;
  try {
    return Deno.listen({ hostname, port });
  } catch (error) {
    if (hostname === "::" && isWithoutIpv6(error)) return listen({ hostname: "0.0.0.0", port });
    throw asListenError(address, error);
  }
}

function isWithoutIpv6(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  return code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL";
}

function asListenError({ hostname, port }: ListenAddress, error: unknown): ListenError {
  const where = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  if (error instanceof Deno.errors.AddrInUse) {
    return new ListenError(
      `${where} is taken by another program: stop that one, or pick another port with --listen ${
        where.slice(0, where.lastIndexOf(":"))
      }:${port < 65535 ? port + 1 : port - 1}`,
    );
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new ListenError(
      port > 0 && port < 1024
        ? `Port ${port} needs rights that this user lacks: pick one from 1024 up, such as --listen 8888`
        : `The system does not let this user listen on ${where}`,
    );
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return new ListenError(
      `${hostname} is no address of this machine: try 127.0.0.1, or :${port} for all addresses`,
    );
  }
  return new ListenError(`Cannot listen on ${where}: ${error instanceof Error ? error.message : error}`);
}

export interface AcceptOptions {
  /** Accepting failed for want of something, and goes on after a pause. */
  onTrouble(error: Error): void;
  /**
   * Asked before each connection is taken. A promise holds the next one off until it resolves, and the system's
   * queue in front of the listener fills up meanwhile.
   */
  gate?(): Promise<void> | undefined;
  /** Waits between attempts, ms. */
  pause?: (ms: number) => Promise<void>;
}

/**
 * Takes connections until the listener is closed; returns then, and never throws.
 *
 * A failing accept (above all: no file descriptor left) is tried again after 10 ms, then 20, up to 500.
 */
export async function acceptLoop(
  listener: Pick<Deno.TcpListener, "accept">,
  onConnection: (conn: Deno.TcpConn) => void,
  options: AcceptOptions,
): Promise<void> {
  const { pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms)) } = options;
  let delay = 0;
  // Deno answers an accept at once while connections are queued, so that this loop takes the whole queue without
  // going back to the event loop. Only one accept may be pending.
  while (true) {
    let conn: Deno.TcpConn;
    try {
      const gate = options.gate?.();
      if (gate !== undefined) await gate;
      conn = await listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      options.onTrouble(error as Error);
      delay = delay === 0 ? 10 : Math.min(delay * 2, 500);
      await pause(delay);
      continue;
    }
    delay = 0;
    onConnection(conn);
  }
}

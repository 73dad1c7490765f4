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
 * @throws {Error} with what is wrong and what to write, to go on after the text
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]*)):)?([0-9]{1,6})$/.exec(text);
  if (match === null) {
    throw new Error("is no address to listen on: write 8888, :8888, 127.0.0.1:8888 or [::1]:8888");
  }
  const [, ipv6, name, digits] = match;
  const port = Number(digits);
  if (port > 65535) throw new Error("has a port above 65535, which is the last one");
  if (ipv6 !== undefined) return { hostname: ipv6.toLowerCase(), port };
  if (name === undefined) return { hostname: "127.0.0.1", port };
  if (name === "") return { hostname: ALL_ADDRESSES, port };
  return { hostname: name.toLowerCase(), port };
}

/** `::` takes IPv4 connections too, except on Windows, where a socket is for one family alone. */
const ALL_ADDRESSES = Deno.build.os === "windows" ? "0.0.0.0" : "::";

/** Connections that the system completes ahead of us; more than it allows are cut down to what it does. */
const BACKLOG = 4096;

/**
 * Listens on an address. On a machine without IPv6, `::` stands for all IPv4 addresses.
 *
 * @throws {ListenError}
 */
export function listen(address: ListenAddress): Deno.TcpListener;
/** @param bind binds in another way */
export function listen<Listener>(
  address: ListenAddress,
  bind: (options: Deno.TcpListenOptions) => Listener,
): Listener;
export function listen(
  address: ListenAddress,
  bind: (options: Deno.TcpListenOptions) => unknown = Deno.listen,
): unknown {
  const { hostname, port } = address;
  try {
    return bind({ hostname, port, tcpBacklog: BACKLOG });
  } catch (error) {
    const denied = error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.PermissionDenied;
    if (hostname === "::" && !denied) return listen({ hostname: "0.0.0.0", port }, bind);
    throw asListenError(address, error);
  }
}

function asListenError({ hostname, port }: ListenAddress, error: unknown): ListenError {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  const where = `${host}:${port}`;
  if (error instanceof Deno.errors.AddrInUse) {
    const another = `--listen ${host}:${port < 65535 ? port + 1 : port - 1}`;
    return new ListenError(
      `${where} is taken by another program: stop that one, or pick another port with ${another}`,
    );
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new ListenError(
      port > 0 && port < 1024
        ? `Port ${port} needs rights that this user lacks: pick one from 1024 up, such as --listen ${host}:8888`
        : `The system does not let this user listen on ${where}`,
    );
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return new ListenError(
      `${hostname} is no address of this machine: use 127.0.0.1, or :${port} for all addresses`,
    );
  }
  return new ListenError(`Cannot listen on ${where}: ${error instanceof Error ? error.message : error}`);
}

export interface AcceptOptions {
  /** Accepting failed for want of something and goes on after a pause. Called at most some times a second. */
  onTrouble(error: Error): void;
  /**
   * Asked before each accept. A promise holds it off until it resolves; new connections wait in the system's queue
   * meanwhile. It has to resolve for the loop to notice that the listener was closed.
   */
  gate?(): Promise<void> | undefined;
  /** Waits that many ms. */
  pause?(ms: number): Promise<void>;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Takes connections until the listener is closed, and returns then. It never throws: what `onConnection` throws
 * goes to `onTrouble`.
 *
 * A failing accept (above all: no file descriptor is left) is tried again after 10 ms, then 20, up to 500.
 */
export async function acceptLoop<Conn extends Deno.Conn>(
  listener: { accept(): Promise<Conn> },
  onConnection: (conn: Conn) => void,
  options: AcceptOptions,
): Promise<void> {
  const { onTrouble, pause = sleep } = options;
  let delay = 0;
  // Deno answers an accept at once while connections are queued: this loop takes the whole queue without a turn of
  // the event loop between two, and tokio makes it let others go first after each 128. Deno allows one accept at a
  // time, so that there is nothing to win by several.
  while (true) {
    let conn: Conn;
    try {
      const gate = options.gate?.();
      if (gate !== undefined) await gate;
      conn = await listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      // A client that has gone before it was its turn, as health checks do that end by a reset. Some systems report it,
      // and Deno finds that nobody is there any more when it asks who came; it is no trouble of ours, and whoever does
      // it again and again must not hold up others.
      if (error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.NotConnected) {
        continue;
      }
      onTrouble(error as Error);
      delay = delay === 0 ? 10 : Math.min(delay * 2, 500);
      await pause(delay);
      continue;
    }
    delay = 0;
    try {
      onConnection(conn);
    } catch (error) {
      onTrouble(error as Error);
    }
  }
}

/**
 * TLS within TLS: Deno makes TLS of a TCP connection alone. So what is said through a tunnel that is TLS itself goes
 * through a TCP connection of this process with itself.
 */

import { SMALL } from "../../net/buffers.ts";
import { Connection } from "../../net/connection.ts";
import { relay } from "../../net/relay.ts";
import type { Parents } from "./parents.ts";
import type { Upstream } from "../upstream.ts";

/** ms; who uses the connection has deadlines of their own, and closing it ends the bridge. */
const FOR_EVER = 2 ** 40;

/**
 * A TCP connection that leads to where `up` does, which is the bridge's from now on: where there is none, for want of
 * descriptors above all, `up` is closed.
 */
export async function bridged(up: Upstream, parents: Parents): Promise<Deno.TcpConn> {
  let ends: { own: Deno.TcpConn; near: Deno.TcpConn };
  try {
    ends = await bothEnds();
  } catch (error) {
    up.release();
    throw error;
  }
  const { own, near } = ends;
  own.setNoDelay(true);
  near.setNoDelay(true);
  const connection = new Connection(near, up.clock, SMALL, 0);
  const over = relay(connection, up, FOR_EVER).then(() => {
    connection.release();
    up.release();
  });
  parents.inBackground(over, () => up.close());
  return own;
}

/** A connection of this process with itself. */
async function bothEnds(): Promise<{ own: Deno.TcpConn; near: Deno.TcpConn }> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const own = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  try {
    for (;;) {
      const near = await listener.accept();
      if (near.remoteAddr.port === own.localAddr.port) return { own, near };
      // a stranger of this machine was quicker
      near.close();
    }
  } catch (error) {
    own.close();
    throw error;
  }
}

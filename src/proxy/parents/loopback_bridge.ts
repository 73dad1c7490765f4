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

/** A TCP connection that leads to where `up` does, which is the bridge's from now on. */
export async function bridged(up: Upstream, parents: Parents): Promise<Deno.TcpConn> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let near: Deno.TcpConn | null = null;
  let own: Deno.TcpConn;
  try {
    own = await Deno.connect({ hostname: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port });
    const { port } = own.localAddr as Deno.NetAddr;
    while (near === null) {
      const next = await listener.accept();
      // a stranger of this machine was quicker
      if ((next.remoteAddr as Deno.NetAddr).port === port) near = next;
      else next.close();
    }
  } finally {
    listener.close();
  }
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

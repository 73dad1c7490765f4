import { assert, assertEquals, assertRejects } from "@std/assert";
import { Clock } from "../../../src/net/clock.ts";
import { SMALL } from "../../../src/net/buffers.ts";
import { bridged } from "../../../src/proxy/parents/loopback_bridge.ts";
import type { Parents } from "../../../src/proxy/parents/parents.ts";
import { Upstream } from "../../../src/proxy/upstream.ts";

Deno.test("where no bridge can be made, what it was to lead to is closed", async () => {
  const far = { closed: 0, close: () => void far.closed++ };
  const clock = new Clock();
  const stream = {
    ...far,
    close: far.close,
    read: () => Promise.resolve(null),
    write: () => Promise.resolve(0),
    closeWrite: () => Promise.resolve(),
  };
  const { listen } = Deno;
  for (let failing = 0; failing < 2; failing++) {
    far.closed = 0;
    const up = new Upstream(stream, clock, SMALL, 0);
    Deno.listen = ((options: Deno.TcpListenOptions) => {
      if (failing === 0) throw new Error("no descriptors");
      const listener = listen(options);
      listener.accept = () => Promise.reject(new Error("no descriptors"));
      return listener;
    }) as typeof Deno.listen;
    try {
      await assertRejects(() => bridged(up, {} as Parents), Error, "no descriptors");
    } finally {
      Deno.listen = listen;
    }
    assert(up.closed);
    assertEquals([far.closed, clock.size], [1, 0]);
  }
});

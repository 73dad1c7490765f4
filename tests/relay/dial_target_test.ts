import { assertEquals, assertRejects } from "@std/assert";
import { Clock } from "../../src/net/clock.ts";
import { DialError } from "../../src/net/dial.ts";
import { OwnListeners } from "../../src/policy/own_listeners.ts";
import { SignalDeadline } from "../../src/net/signal_deadline.ts";
import { dialTarget, isWithItself } from "../../src/relay/dial_target.ts";

const address = (hostname: string, port: number): Deno.NetAddr => ({ transport: "tcp", hostname, port });

Deno.test("a connection with itself is told from all others (RFC 9293 §3.5)", () => {
  const one = address("127.0.0.1", 40_002);
  for (
    const [remoteAddr, itself] of [
      [address("127.0.0.1", 40_002), true],
      [address("127.0.0.1", 40_003), false],
      [address("127.0.0.2", 40_002), false],
    ] as const
  ) assertEquals(isWithItself({ localAddr: one, remoteAddr }), itself);
});

Deno.test("a listener on all addresses is not dialled through any of this machine's", async () => {
  using listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const { port } = listener.addr;
  const own = new OwnListeners();
  own.set([{ hostname: "0.0.0.0", port }]);
  const deadline = SignalDeadline.in(new Clock(), 10_000);
  const error = await assertRejects(() => dialTarget("127.0.0.9", port, own, deadline.signal), DialError);
  assertEquals([error.kind, error.message], ["refused", "is this relay itself"]);
  deadline.lift();
  (await listener.accept()).close();
});

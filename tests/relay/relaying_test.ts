/** What goes through a relay, and how connections end. */

import { assert, assertEquals } from "@std/assert";
import { Networks, parseNetworks } from "../../src/policy/network.ts";
import { CAN_RESET, turn } from "../proxy/peer.ts";
import { relayed, ResettableTarget, withRelay } from "./harness.ts";

relayed(
  "what either side sends goes to the other, at once in both directions",
  async ({ pair, records, address }) => {
    const [client, server] = await pair();
    await Promise.all([client.send("ping\0\xff"), server.send("+greeting\r\n")]);
    assertEquals(await server.exactly(6), "ping\0\xff");
    assertEquals(await client.exactly(11), "+greeting\r\n");
    client.close();
    assertEquals(await server.restAndEnding(), ["", "end"]);
    server.close();
    const record = await records.next();
    assertEquals(
      [record.bytesUp, record.bytesDown, record.details, record.truncated, record.verdict, record.skipped],
      [6, 11, "", false, "allow", 0],
    );
    assertEquals(record.listener, `127.0.0.1:${address.port}`);
    assertEquals([record.clientAddress, record.originAddress], ["127.0.0.1", "127.0.0.1"]);
    assert(record.connectedAt >= record.began && record.connectedAt <= record.endedAt);
  },
);

relayed("a target that speaks first is heard before the client has said a word", async ({ pair }) => {
  const [client, server] = await pair();
  await server.send("SSH-2.0-weir\r\n");
  assertEquals(await client.exactly(14), "SSH-2.0-weir\r\n");
});

relayed("megabytes arrive whole, both ways at once", async ({ pair, records }) => {
  const [client, server] = await pair();
  const block = new Uint8Array(3_000_000).map((_, i) => i * 7 + (i >> 8));
  const sending = Promise.all([
    client.send(block).then(() => client.closeWrite()),
    server.send(block).then(() => server.closeWrite()),
  ]);
  const [up, down] = await Promise.all([server.rest(), client.rest()]);
  await sending;
  for (const text of [up, down]) {
    assertEquals(text.length, block.length);
    assert(block.every((byte, i) => text.charCodeAt(i) === byte));
  }
  const record = await records.next();
  assertEquals([record.bytesUp, record.bytesDown], [block.length, block.length]);
});

relayed("a client that has ended its sending still gets the answer", async ({ pair, records }) => {
  const [client, server] = await pair();
  await client.send("question");
  await client.closeWrite();
  assertEquals(await server.restAndEnding(), ["question", "end"]);
  await server.send("answer");
  assertEquals(await client.exactly(6), "answer");
  server.close();
  assertEquals(await client.restAndEnding(), ["", "end"]);
  assertEquals((await records.next()).truncated, false);
});

relayed("a target that has ended its sending still hears the client", async ({ pair, records }) => {
  const [client, server] = await pair();
  await server.send("that is all");
  await server.closeWrite();
  assertEquals(await client.restAndEnding(), ["that is all", "end"]);
  await client.send("thanks");
  assertEquals(await server.exactly(6), "thanks");
  client.close();
  assertEquals(await server.restAndEnding(), ["", "end"]);
  assertEquals((await records.next()).truncated, false);
});

relayed(
  "a client that sends and ends before a target is reached loses nothing",
  async ({ connect, targets }) => {
    const client = await connect();
    await client.send("early");
    await client.closeWrite();
    const server = await targets[0].accept();
    assertEquals(await server.restAndEnding(), ["early", "end"]);
    await server.send("late");
    server.close();
    assertEquals(await client.rest(), "late");
  },
);

Deno.test({
  name: "a target that resets ends its client's connection, and no other",
  ignore: !CAN_RESET,
  async fn() {
    await using target = await ResettableTarget.start();
    await withRelay({ to: () => [target.authority] }, async ({ connect, records, relay }) => {
      const [client, other] = [await connect(), await connect()];
      const servers = [await target.accept(), await target.accept()];
      await client.send("a");
      await other.send("b");
      const said = await Promise.all(servers.map((server) => server.exactly(1)));
      servers[said.indexOf("a")].reset();
      assertEquals(await client.rest(), "");
      const record = await records.next();
      assertEquals(
        [record.error, record.details, record.truncated],
        ["connection_terminated", "the target reset the connection", true],
      );
      await servers[said.indexOf("b")].send("still here");
      assertEquals(await other.exactly(10), "still here");
      assertEquals(relay.active, 1);
    });
  },
});

relayed(
  "a client that resets ends the connection to the target",
  { ignore: !CAN_RESET },
  async ({ connect, targets, records }) => {
    const client = await connect({ resettable: true });
    const server = await targets[0].accept();
    await client.send("x");
    assertEquals(await server.exactly(1), "x");
    client.reset();
    assertEquals(await server.rest(), "");
    const record = await records.next();
    assertEquals([record.details, record.truncated], ["the client reset the connection", true]);
  },
);

relayed(
  "a connection through which nothing comes is ended, one that is used by either side is not",
  { settings: { idleTimeout: 60_000 } },
  async ({ pair, records, time }) => {
    const [client, server] = await pair();
    await client.send("begin");
    assertEquals(await server.exactly(5), "begin");
    for (let i = 0; i < 4; i++) {
      time.pass(40_000);
      await server.send(".");
      assertEquals(await client.exactly(1), ".");
    }
    time.passDeadline(60_000);
    assertEquals(await client.restAndEnding(), ["", "end"]);
    assertEquals(await server.rest(), "");
    assertEquals((await records.next()).details, "nothing came through for too long");
  },
);

relayed(
  "a target that stops taking what the client sends slows the client down, and is ended when it stays so",
  { settings: { idleTimeout: 60_000 } },
  async ({ pair, records, time }) => {
    const [client, server] = await pair();
    await client.send("begin");
    assertEquals(await server.exactly(5), "begin");
    let taken = 0;
    const sending = (async () => {
      const block = new Uint8Array(100_000);
      try {
        for (; taken < 1000; taken++) await client.send(block);
      } catch {
        // closed, as it has to be
      }
    })();
    while (records.all.length === 0) {
      time.pass(1000);
      await turn();
    }
    await sending;
    assert(taken < 1000, "100 MB are more than the buffers on the way hold");
    const record = await records.next();
    assertEquals([record.details, record.truncated], ["nothing came through for too long", true]);
    server.close();
  },
);

relayed(
  "a half-closed connection is not ended for it, but when it is idle",
  async ({ pair, time, records }) => {
    const [client, server] = await pair();
    await client.closeWrite();
    assertEquals(await server.rest(), "");
    time.pass(600_000);
    await server.send("slow answer");
    assertEquals(await client.exactly(11), "slow answer");
    time.passDeadline(900_000);
    assertEquals(await client.rest(), "");
    assertEquals((await records.next()).truncated, true);
  },
);

relayed(
  "more connections than the limit are closed, and room is given back",
  { settings: { maxConnections: 2 } },
  async ({ pair, connect, records }) => {
    const [first, firstServer] = await pair();
    await pair();
    assertEquals(await (await connect()).rest(), "");
    assertEquals(records.notices, ["warning: a connection was refused: more than 2 connections are open"]);
    first.close();
    firstServer.close();
    await records.next();
    const [client, server] = await pair();
    await client.send("room");
    assertEquals(await server.exactly(4), "room");
    assertEquals(records.all.length, 1, "one over the limit is told in a notice alone");
  },
);

relayed(
  "a connection that has had all its time is ended, whatever comes through it",
  { settings: { lifetime: 60_000 } },
  async ({ pair, records, time }) => {
    const [client, server] = await pair();
    for (let i = 0; i < 5; i++) {
      await server.send(".");
      assertEquals(await client.exactly(1), ".");
      time.pass(10_000);
    }
    time.passDeadline(10_000);
    assertEquals(await client.restAndEnding(), ["", "end"]);
    assertEquals(await server.rest(), "");
    const { details, truncated } = await records.next();
    assertEquals([details, truncated], ["it has been open for as long as a connection may be", true]);
  },
);

relayed(
  "more connections of one client than its limit are closed",
  { settings: { maxConnectionsPerLocalClient: 1 } },
  async ({ pair, connect, records }) => {
    await pair();
    assertEquals(await (await connect()).rest(), "");
    assertEquals(records.notices, [
      "warning: a connection was refused: more than 1 connections of one client are open",
    ]);
  },
);

relayed(
  "who is not among the clients reaches nothing, and is in the log",
  { settings: { clients: new Networks(parseNetworks("192.0.2.0/24")) } },
  async ({ connect, records, targets }) => {
    assertEquals(await (await connect()).rest(), "");
    const record = await records.next();
    assertEquals(
      [record.verdict, record.details, record.originAddress],
      ["deny", "127.0.0.1 is not among the clients", ""],
    );
    await targets[0].assertNoFurtherConnection();
  },
);

relayed(
  "who is among the clients is let in, also as an IPv4-mapped address",
  {
    settings: { clients: new Networks(parseNetworks("127.0.0.0/8")) },
    listen: { hostname: "::", port: 0 },
  },
  async ({ connect, targets, address, records }) => {
    const client = await connect({ to: { ...address, hostname: "127.0.0.1" } });
    const server = await targets[0].accept();
    await client.send("x");
    assertEquals(await server.exactly(1), "x");
    client.close();
    server.close();
    assertEquals((await records.next()).clientAddress, "127.0.0.1");
  },
);

relayed(
  "a stop waits for connections to end, and takes no new ones",
  async ({ pair, relay, connect, records }) => {
    const [client, server] = await pair();
    const drained = relay.drain();
    let refused = false;
    await connect().then((late) => late.rest(), () => refused = true);
    assert(refused);
    await server.send("last words");
    assertEquals(await client.exactly(10), "last words");
    client.close();
    server.close();
    await drained;
    assertEquals((await records.next()).truncated, false);
  },
);

relayed(
  "what a stop has waited for too long is ended",
  { settings: { grace: 1 } },
  async ({ pair, relay, records }) => {
    const [client, server] = await pair();
    await relay.drain();
    assertEquals(await client.rest(), "");
    assertEquals(await server.rest(), "");
    assertEquals((await records.next()).details, "the relay was stopped");
  },
);

relayed(
  "many connections at once are each their own",
  { count: 3 },
  async ({ connect, targets, records }) => {
    for (const target of targets) {
      target.serve(async (server) => {
        await server.send(`${target.port}:${await server.upTo("\n")}`);
        server.close();
      });
    }
    const answers = await Promise.all(Array.from({ length: 90 }, async (_, i) => {
      const client = await connect();
      await client.send(`${i}\n`);
      const answer = await client.rest();
      client.close();
      return answer;
    }));
    const counts = targets.map(({ port }) =>
      answers.filter((answer) => answer.startsWith(`${port}:`)).length
    );
    assertEquals(counts, [30, 30, 30]);
    assertEquals(answers.map((answer) => answer.split(":")[1]), answers.map((_, i) => `${i}\n`));
    await records.until(() => records.all.length === 90);
    await turn();
  },
);

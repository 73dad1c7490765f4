/** Targets that are not there, go, or come back. */

import { assert, assertEquals } from "@std/assert";
import { Origin } from "../proxy/harness.ts";
import { CAN_RESET, type Peer, turn } from "../proxy/peer.ts";
import { deadPlace, relayed, SilentPlace, withRelay } from "./harness.ts";

const onLinux = Deno.build.os === "linux";

/** Opens a connection, says something, and gives both ends. */
async function exchange(client: Peer, target: Origin): Promise<Peer> {
  await client.send("hello");
  const server = await target.accept();
  assertEquals(await server.exactly(5), "hello");
  return server;
}

/** Opens a connection that goes to a target, and ends it from both sides. */
async function passBy(connect: () => Promise<Peer>, target: Origin): Promise<void> {
  const client = await connect();
  const server = await exchange(client, target);
  client.close();
  server.close();
}

const dead = deadPlace();

relayed(
  "a target that refuses is passed over for the same client before a byte is lost, and goes out",
  { to: ([target]) => [dead.authority, target.authority] },
  async ({ connect, targets, records }) => {
    const client = await connect();
    const server = await exchange(client, targets[0]);
    assertEquals(records.notices, [
      `warning: target ${dead.authority} is out: it refused a connection; 1 of 2 is left`,
    ]);
    client.close();
    server.close();
    const record = await records.next();
    assertEquals([record.skipped, record.originPort, record.error], [1, targets[0].port, ""]);
    // the next ones do not even try
    for (let i = 0; i < 3; i++) {
      await passBy(connect, targets[0]);
      assertEquals((await records.next()).skipped, 0);
    }
  },
);

Deno.test({
  name: "a target that does not answer in time is passed over for the same client, and goes out",
  ignore: !onLinux,
  async fn() {
    using silent = await SilentPlace.open();
    await withRelay(
      { to: ([target]) => [silent.authority, target.authority], settings: { connectTimeout: 2000 } },
      async ({ connect, targets, records, time, relay }) => {
        const client = await connect();
        await client.send("he");
        while (relay.active === 0) await turn();
        await turn();
        time.passDeadline(2000);
        await client.send("llo");
        const server = await targets[0].accept();
        assertEquals(await server.exactly(5), "hello");
        assertEquals(records.notices, [
          `warning: target ${silent.authority} is out: it gave no answer; 1 of 2 is left`,
        ]);
      },
    );
  },
});

relayed(
  "when no target takes it the connection is closed, and the log says what each one's end was",
  { to: () => [dead.authority, "127.0.0.1:1"] },
  async ({ connect, records }) => {
    const client = await connect();
    assertEquals(await client.rest(), "");
    const record = await records.next();
    assertEquals(
      [record.error, record.details, record.truncated, record.skipped, record.connectedAt],
      [
        "connection_refused",
        "none of 2 targets took the connection; last, 127.0.0.1:1 refused a connection",
        true,
        2,
        -1,
      ],
    );
    assertEquals(
      records.notices.at(-1),
      "warning: target 127.0.0.1:1 is out: it refused a connection; no other is left",
    );
  },
);

relayed(
  "when all are out they are tried all the same, and one that answers is back at once",
  { to: () => [dead.authority] },
  async ({ connect, records }) => {
    assertEquals(await (await connect()).rest(), "");
    const peers: Peer[] = [];
    const back = await comeBack(peers);
    try {
      const client = await connect();
      const server = await exchange(client, back);
      assertEquals(records.notices.length, 2);
      assertEquals(records.notices[1], `info: target ${dead.authority} is back after 1 s`);
      server.close();
    } finally {
      for (const peer of peers) peer.close();
      await back.close();
    }
  },
);

/** A target at the place where nobody was. */
async function comeBack(peers: Peer[]): Promise<Origin> {
  for (;;) {
    try {
      const origin = new Origin(peers, "127.0.0.1", dead.port);
      return origin;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      await turn();
    }
  }
}

relayed(
  "without checks one client at a time tries a target whose pause is over",
  { to: ([target]) => [dead.authority, target.authority] },
  async ({ connect, targets, records, time }) => {
    await passBy(connect, targets[0]);
    assertEquals((await records.next()).skipped, 1);
    time.pass(500);
    await passBy(connect, targets[0]);
    assertEquals((await records.next()).skipped, 0, "the pause is not over");
    time.pass(1000);
    await passBy(connect, targets[0]);
    assertEquals((await records.next()).skipped, 1, "it is tried");
    time.pass(1500);
    await passBy(connect, targets[0]);
    assertEquals((await records.next()).skipped, 0, "the next pause is twice as long");
    const peers: Peer[] = [];
    const back = await comeBack(peers);
    try {
      time.pass(1000);
      const client = await connect();
      const server = await exchange(client, back);
      assertEquals(records.notices.at(-1), `info: target ${dead.authority} is back after 4 s`);
      server.close();
    } finally {
      for (const peer of peers) peer.close();
      await back.close();
    }
  },
);

relayed(
  "checks find out that a target is gone before a client does, and that it is back",
  { to: ([target]) => [dead.authority, target.authority], settings: { checkInterval: 5000 } },
  async ({ connect, targets, records, time }) => {
    time.pass(250);
    await records.until(() => records.notices.length === 1);
    assertEquals(records.notices, [
      `warning: target ${dead.authority} is out: it refused a connection; 1 of 2 is left`,
    ]);
    const [checked, checkedEnd] = await (await targets[0].accept()).restAndEnding();
    assertEquals([checked, checkedEnd], ["", "end"], "a check connects and goes");
    await passBy(connect, targets[0]);
    assertEquals((await records.next()).skipped, 0);

    const peers: Peer[] = [];
    const back = await comeBack(peers);
    try {
      time.pass(2000);
      await records.until(() => records.notices.length === 2);
      assertEquals(
        records.notices[1].replace(/\d+ s/, "N s"),
        `info: target ${dead.authority} is back after N s`,
      );
      assertEquals(await (await back.accept()).rest(), "");
    } finally {
      for (const peer of peers) peer.close();
      await back.close();
    }
  },
);

relayed(
  "with checks no client tries a target that is out while another is in",
  { to: ([target]) => [dead.authority, target.authority], settings: { checkInterval: 3_600_000 } },
  async ({ connect, targets, records, time }) => {
    time.pass(250);
    await records.until(() => records.notices.length === 1);
    (await targets[0].accept()).close();
    for (let i = 0; i < 5; i++) {
      await passBy(connect, targets[0]);
      assertEquals((await records.next()).skipped, 0);
    }
  },
);

Deno.test({
  name: "a client that resets while a target is silent ends the attempt, and the target is not blamed",
  ignore: !onLinux || !CAN_RESET,
  async fn() {
    using silent = await SilentPlace.open();
    await withRelay({ count: 0, to: () => [silent.authority] }, async ({ connect, records, relay }) => {
      const client = await connect({ resettable: true });
      while (relay.active === 0) await turn();
      await turn();
      client.reset();
      const record = await records.next();
      assertEquals([record.details, record.error], ["the client reset the connection", ""]);
      assertEquals(records.notices, []);
    });
  },
});

Deno.test({
  name: "a stop does not wait for a silent target",
  ignore: !onLinux,
  async fn() {
    using silent = await SilentPlace.open();
    await withRelay(
      { count: 0, to: () => [silent.authority], settings: { checkInterval: 5000 } },
      async ({ connect, records, relay, time }) => {
        const client = await connect();
        while (relay.active === 0) await turn();
        time.pass(250);
        await relay.stop();
        assertEquals(await client.rest(), "");
        assertEquals((await records.next()).details, "the relay was stopped");
        assertEquals(records.notices, []);
      },
    );
  },
});

relayed(
  "a target that dies takes its own connections with it, and no client of another notices",
  { count: 2 },
  async ({ pair, connect, targets, records }) => {
    const [first, firstServer] = await pair(targets[0]);
    const [second, secondServer] = await pair(targets[1]);
    firstServer.close();
    await targets[0].close();
    assertEquals(await first.rest(), "");
    await second.send("still");
    assertEquals(await secondServer.exactly(5), "still");
    for (let i = 0; i < 4; i++) {
      const client = await connect();
      const server = await exchange(client, targets[1]);
      await server.send("welcome");
      assertEquals(await client.exactly(7), "welcome");
    }
    assertEquals(records.notices.length, 1);
    assert(records.notices[0].includes(`${targets[0].authority} is out`));
  },
);

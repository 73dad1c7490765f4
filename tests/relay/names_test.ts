/** Targets that are names, targets that are the relay itself, and what targets are told. */

import { assertEquals, assertRejects } from "@std/assert";
import { ListenError } from "../../src/net/listen.ts";
import { RelayServer } from "../../src/relay/relay_server.ts";
import { parseAuthority } from "../../src/http/authority.ts";
import { bytes } from "../http/reading.ts";
import { deadPlace, Records, relayed, SETTINGS } from "./harness.ts";

/** The port under which all addresses of the name are asked. */
const atName = (targets: readonly { port: number }[]) => [`db.example:${targets[0].port}`];

let answer: string[] = [];

relayed(
  "each address of a name is a target of its own",
  {
    to: atName,
    resolver: { lookup: () => Promise.resolve(["127.0.0.1", "127.0.0.2"]) },
  },
  async ({ connect, targets, records }) => {
    using other = Deno.listen({ hostname: "127.0.0.2", port: targets[0].port });
    const clients = [await connect(), await connect()];
    const servers = await Promise.all([targets[0].accept(), other.accept()]);
    (servers[1] as Deno.TcpConn).close();
    for (const client of clients) client.close();
    (servers[0] as { close(): void }).close();
    const reached = [await records.next(), await records.next()];
    assertEquals(reached.map(({ originAddress }) => originAddress).sort(), ["127.0.0.1", "127.0.0.2"]);
    assertEquals(reached[0].target, `db.example:${targets[0].port}`);
  },
);

relayed(
  "a name is looked up again every 5 s; connections to an address that it has no longer go on",
  {
    to: atName,
    resolver: { lookup: () => Promise.resolve(answer), now: () => Infinity, lifetime: 0 },
  },
  async ({ connect, pair, targets, records, time }) => {
    assertEquals(await (await connect()).rest(), "", "the name has no address yet");
    const { port } = targets[0];
    assertEquals(records.notices, [`warning: target db.example:${port}: db.example has no address`]);
    assertEquals((await records.next()).details, "no target has an address");

    answer = ["127.0.0.1"];
    time.passDeadline(5000);
    await settledLookup();
    const [client, server] = await pair();

    answer = ["127.0.0.2"];
    time.passDeadline(5000);
    await settledLookup();
    assertEquals(
      records.notices[1],
      `info: target db.example:${port} now is 127.0.0.2 too, and no longer is 127.0.0.1`,
    );
    await client.send("on");
    assertEquals(await server.exactly(2), "on");
    using other = Deno.listen({ hostname: "127.0.0.2", port });
    const next = await connect();
    const nextServer = await other.accept();
    next.close();
    nextServer.close();
    assertEquals((await records.next()).originAddress, "127.0.0.2");

    answer = [];
    time.passDeadline(5000);
    await settledLookup();
    assertEquals(
      records.notices[2],
      `warning: target db.example:${port}: db.example has no address; the addresses that are known stay`,
    );
    const last = await connect();
    (await other.accept()).close();
    last.close();
  },
);

async function settledLookup(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("a relay that would lead to itself does not begin", async () => {
  const own = deadPlace();
  for (const hostname of ["127.0.0.1", "0.0.0.0", "::"]) {
    const to = [parseAuthority("127.0.0.1:1", null), parseAuthority(own.authority, null)];
    const relay = new RelayServer({ ...SETTINGS, to }, new Records());
    const error = await assertRejects(() => relay.listen([{ hostname, port: own.port }]), ListenError);
    assertEquals(
      error.message,
      `${own.authority} is this relay itself: connections would go round in circles`,
    );
    await relay.stop();
    // nothing stays bound
    Deno.listen({ hostname: "127.0.0.1", port: own.port }).close();
  }
});

const self = deadPlace();

relayed(
  "a name that leads to the relay itself is not followed, whatever else it leads to",
  {
    count: 0,
    to: () => [`self.example:${self.port}`],
    listen: { hostname: "0.0.0.0", port: self.port },
    resolver: { lookup: () => Promise.resolve(["127.0.0.1", "0.0.0.0", "::ffff:127.0.0.1"]) },
    settings: { checkInterval: 5000 },
  },
  async ({ connect, records, address, time }) => {
    time.pass(250);
    const client = await connect({ to: { ...address, hostname: "127.0.0.1" } });
    assertEquals(await client.rest(), "");
    const record = await records.next();
    assertEquals([record.error, record.details], [
      "proxy_loop_detected",
      "every target is this relay itself",
    ]);
    assertEquals([records.all.length, records.notices], [1, []]);
  },
);

relayed(
  "a check says in a header of version 2 that it is nobody's connection",
  { settings: { sendProxy: 2, checkInterval: 5000 } },
  async ({ targets, time }) => {
    time.pass(250);
    const header = bytes(await (await targets[0].accept()).rest());
    assertEquals([...header.subarray(12)], [0x20, 0, 0, 0]);
  },
);

for (const version of [1, 2] as const) {
  relayed(
    `a target is told who the client is, in version ${version} of the PROXY protocol, before anything else`,
    { settings: { sendProxy: version } },
    async ({ connect, targets, address, records }) => {
      const client = await connect();
      await client.send("first words");
      const server = await targets[0].accept();
      const expected = version === 1 ? await server.upTo("\r\n") : await server.exactly(28);
      const { port } = (client.stream as Deno.TcpConn).localAddr as Deno.NetAddr;
      if (version === 1) assertEquals(expected, `PROXY TCP4 127.0.0.1 127.0.0.1 ${port} ${address.port}\r\n`);
      else {
        const header = bytes(expected);
        assertEquals([...header.subarray(12, 24)], [0x21, 0x11, 0, 12, 127, 0, 0, 1, 127, 0, 0, 1]);
        assertEquals([header[24] << 8 | header[25], header[26] << 8 | header[27]], [port, address.port]);
      }
      assertEquals(await server.exactly(11), "first words");
      client.close();
      server.close();
      assertEquals((await records.next()).bytesUp, 11, "the header is not the client's");
    },
  );
}

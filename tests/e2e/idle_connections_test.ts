import { assert, assertStringIncludes } from "@std/assert";
import { closeAll, connect, fetchOnce, forEach, readUntil, send } from "./clients.ts";
import { Origin } from "./origin.ts";
import { until } from "./programs.ts";
import { Weir } from "./weir.ts";

const COUNT = 5000;
/** V8 collects the long-lived late: memory grows for some rounds, and then no more. */
const ROUNDS = 6;
const MIB = 2 ** 20;

Deno.test("5,000 idle connections stay open, cost little and leave nothing behind", async () => {
  await using origin = await Origin.start();
  await using weir = await Weir.start(["--pool-timeout", "200ms"]);
  const target = `${origin.http}/hello.txt`;
  await fetchOnce(weir.port, target);
  const descriptors = await settled(weir);
  const memory: number[] = [];

  for (let round = 0; round < ROUNDS; round++) {
    const connections: Deno.TcpConn[] = [];
    try {
      await forEach(COUNT, 20, async () => {
        const connection = await connect(weir.port);
        connections.push(connection);
        await send(connection, `GET ${target} HTTP/1.1\r\nHost: ${new URL(target).host}\r\n\r\n`);
        await readUntil(connection, "from the origin.\n");
      });
      assert(weir.descriptors >= COUNT, "Every connection has to be kept.");
      // Somebody new is served, and so is whoever has been idle.
      assertStringIncludes(await fetchOnce(weir.port, target), "from the origin.\n");
      const patient = connections[COUNT / 2];
      await send(patient, `GET ${target} HTTP/1.1\r\nHost: ${new URL(target).host}\r\n\r\n`);
      await readUntil(patient, "from the origin.\n");
    } finally {
      closeAll(connections);
    }
    await until("descriptors to be as before", () => weir.descriptors <= descriptors);
    assertStringIncludes(await fetchOnce(weir.port, target), "from the origin.\n");
    memory.push(weir.residentBytes);
  }
  const [before, after] = [memory[ROUNDS - 3], memory[ROUNDS - 1]];
  assert(
    after < before + 32 * MIB,
    `Memory grows from round to round: ${memory.map((bytes) => Math.round(bytes / MIB)).join(", ")} MiB`,
  );
  weir.assertHealthy();
});

/** Open descriptors once no connection to an origin is kept. */
async function settled(weir: Weir): Promise<number> {
  let before = weir.descriptors;
  return await until("the pool to be empty", async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = weir.descriptors;
    const same = now === before;
    before = now;
    return same && now;
  });
}

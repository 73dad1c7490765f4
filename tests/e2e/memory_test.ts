import { assert, assertEquals } from "@std/assert";
import { closeAll, connect, readToEnd, send } from "./clients.ts";
import { Origin } from "./origin.ts";
import { succeed, until } from "./programs.ts";
import { Weir } from "./weir.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

Deno.test("memory does not grow with what passes", async (test) => {
  await using origin = await Origin.start();
  await using weir = await Weir.start(["--pool-timeout", "200ms"]);
  using file = await Deno.create(`${origin.files}/gibibyte`);
  await file.truncate(GIB);
  const curl = (...args: string[]) =>
    succeed("curl", ["-q", "-sS", "-x", weir.url, "-o", "/dev/null", ...args]);
  await curl(`${origin.http}/gibibyte`);
  const before = weir.residentBytes;
  const assertSmall = (most: number) => {
    const growth = Math.round((weir.residentBytes - before) / MIB);
    assert(growth < most, `Memory grew by ${growth} MiB.`);
  };

  await test.step("gigabytes through a tunnel and both ways of a request", async () => {
    for (let round = 0; round < 3; round++) {
      await curl("-p", `${origin.http}/gibibyte`);
      await curl(`${origin.http}/gibibyte`);
      await curl("-T", `${origin.files}/gibibyte`, "-H", "Expect:", `${origin.http}/service/discard`);
    }
    assertSmall(64);
  });

  await test.step("downloads that nobody reads", async () => {
    const connections: Deno.TcpConn[] = [];
    try {
      for (let client = 0; client < 100; client++) {
        const connection = await connect(weir.port);
        connections.push(connection);
        await send(connection, `GET ${origin.http}/gibibyte HTTP/1.1\r\nHost: a\r\n\r\n`);
      }
      // Everything between the origin and the clients fills up; then weir has nothing left to do.
      await until("weir to stand still", async () => {
        const cpu = weir.cpuSeconds;
        await new Promise((resolve) => setTimeout(resolve, 300));
        return weir.cpuSeconds === cpu;
      });
      // At most 256 KiB of buffer for each.
      assertSmall(64 + 25);
    } finally {
      closeAll(connections);
    }
    await until("the log of all", () => weir.log.filter((line) => line.truncated === true).length === 100);
  });

  weir.assertHealthy();
  assertEquals(weir.ended, false);
});

Deno.test("memory of heads that do not come whole is bounded", async () => {
  await using weir = await Weir.start(["--max-unfinished", "8m"]);
  const before = weir.residentBytes;
  const connections: Deno.TcpConn[] = [];
  const endings: Promise<string>[] = [];
  try {
    let refused = 0;
    for (let client = 0; client < 1500; client++) {
      const connection = await connect(weir.port);
      connections.push(connection);
      await send(connection, `GET http://a/ HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(60_000)}`).catch(() => {});
      endings.push(readToEnd(connection).finally(() => refused++));
    }
    // 8 MiB are 128 buffers of 64 KiB
    await until("all but some to be refused", () => refused >= 1500 - 128);
    const growth = Math.round((weir.residentBytes - before) / MIB);
    assert(growth < 130, `Memory grew by ${growth} MiB.`);
    assertEquals((await endings[0]).slice(0, 12), "HTTP/1.1 503");
  } finally {
    closeAll(connections);
    await Promise.allSettled(endings);
  }
  weir.assertHealthy();
});

import { assert, assertEquals } from "@std/assert";
import { connect, readToEnd, readUntil, send } from "./clients.ts";
import { Origin } from "./origin.ts";
import { until } from "./programs.ts";
import { Weir } from "./weir.ts";

/** More than the sockets' buffers hold: it cannot be over before it has been read. */
const SIZE = 50_000_000;

Deno.test("weir finishes what it has begun", async (test) => {
  await using origin = await Origin.start();
  await origin.randomFile("large", SIZE);

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    await test.step(`before it leaves on ${signal}`, async () => {
      await using weir = await Weir.start(["--grace", "1m"]);
      const idle = await connect(weir.port);
      await send(idle, get(`${origin.http}/hello.txt`));
      await readUntil(idle, "from the origin.\n");
      const busy = await connect(weir.port);
      await send(busy, get(`${origin.http}/large`));
      const begun = await readUntil(busy, "\r\n\r\n");

      const code = weir.stop(signal);
      await refuses(weir.port);
      assertEquals(await readToEnd(idle), "", "An idle connection is closed at once.");
      assert(!weir.ended, "The download is not over.");
      const rest = await readToEnd(busy);
      assertEquals(begun.length - begun.indexOf("\r\n\r\n") - 4 + rest.length, SIZE);
      assertEquals(await code, 0);
      assertEquals(
        weir.log.map((line) => line.status),
        [200, 200],
        "The last lines of the log are written too.",
      );
      weir.assertExpected();
      idle.close();
      busy.close();
    });
  }

  await test.step("within its grace", async () => {
    await using weir = await Weir.start(["--grace", "500ms"]);
    const busy = await connect(weir.port);
    await send(busy, get(`${origin.http}/large`));
    await readUntil(busy, "\r\n\r\n");
    assertEquals(await weir.stop(), 0);
    assert((await readToEnd(busy)).length < SIZE);
    assertEquals(weir.log.map((line) => line.truncated), [true]);
    busy.close();
  });

  await test.step("unless it is told twice", async () => {
    await using weir = await Weir.start(["--grace", "10m"]);
    const busy = await connect(weir.port);
    await send(busy, get(`${origin.http}/large`));
    await readUntil(busy, "\r\n\r\n");
    weir.signal("SIGTERM");
    await refuses(weir.port);
    assert(!weir.ended, "The first signal waits for the download.");
    assertEquals(await weir.stop(), 143);
    busy.close();
  });
});

function get(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: ${new URL(target).host}\r\n\r\n`;
}

function refuses(port: number): Promise<boolean> {
  return until("weir to accept no more", async () => {
    try {
      (await connect(port)).close();
      return false;
    } catch {
      return true;
    }
  });
}

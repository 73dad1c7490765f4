import { assertEquals, assertStringIncludes } from "@std/assert";
import { connect, fetchOnce, readToEnd, readUntil, send } from "./clients.ts";
import { Origin } from "./origin.ts";
import { freePort } from "./programs.ts";
import { Weir } from "./weir.ts";

Deno.test("weir starts again on its port at once after kill -9, with clients connected", async () => {
  await using origin = await Origin.start();
  await origin.randomFile("large", 50_000_000);
  const target = `${origin.http}/hello.txt`;
  const { host } = new URL(target);
  const listen = `127.0.0.1:${freePort()}`;
  for (let round = 0; round < 3; round++) {
    await using weir = await Weir.start([], { listen });
    const idle = await connect(weir.port);
    await send(idle, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await readUntil(idle, "from the origin.\n");
    const busy = await connect(weir.port);
    await send(busy, `GET ${origin.http}/large HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await readUntil(busy, "\r\n\r\n");
    const tunnel = await connect(weir.port);
    await send(tunnel, `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await readUntil(tunnel, "\r\n\r\n");

    await weir.kill();
    await using next = await Weir.start([], { listen });
    assertStringIncludes(await fetchOnce(next.port, target), "from the origin.\n");
    // The old connections are over: nobody waits for an answer that will not come.
    assertEquals(await readToEnd(idle), "");
    await readToEnd(busy);
    await readToEnd(tunnel);
    for (const connection of [idle, busy, tunnel]) connection.close();
    next.assertHealthy();
  }
});

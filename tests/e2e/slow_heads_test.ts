import { assertEquals, assertMatch } from "@std/assert";
import { connect, fetchOnce, readToEnd, send } from "./clients.ts";
import { Origin } from "./origin.ts";
import { until } from "./programs.ts";
import { Weir } from "./weir.ts";

const COUNT = 300;

Deno.test("300 clients that drip their heads hold nobody up, and are shown out", async () => {
  await using origin = await Origin.start();
  await using weir = await Weir.start(["--head-timeout", "4s", "--pool-timeout", "200ms"]);
  const target = `${origin.http}/hello.txt`;
  await fetchOnce(weir.port, target);
  const baseline = weir.descriptors;

  const drippers = await Promise.all(Array.from({ length: COUNT }, () => connect(weir.port)));
  const answers = drippers.map((connection) => readToEnd(connection));
  let dripping = true;
  const drip = (async () => {
    await Promise.all(
      drippers.map((connection) => send(connection, `GET ${target} HTTP/1.1\r\nHost: a\r\nX-Long: `)),
    );
    while (dripping) {
      await Promise.all(drippers.map((connection) => send(connection, "x").catch(() => {})));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();

  // All of these have their answer while the heads drip: none may have waited for one of them.
  let open = COUNT;
  for (const answer of answers) answer.then(() => open--);
  for (let count = 0; count < 200; count++) {
    assertMatch(await fetchOnce(weir.port, target), /^HTTP\/1\.1 200 /);
  }
  assertEquals(open, COUNT, "The heads dripped for as long as the others were served.");

  for (const answer of await Promise.all(answers)) assertMatch(answer, /^HTTP\/1\.1 408 /);
  dripping = false;
  await drip;
  for (const connection of drippers) connection.close();
  await until("descriptors to be as before", () => weir.descriptors <= baseline);
  weir.assertHealthy();
});

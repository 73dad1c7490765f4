import { assert, assertEquals, assertMatch } from "@std/assert";
import { closeAll, connect, fetchOnce, readUntil, send } from "./clients.ts";
import { Origin } from "./origin.ts";
import { until } from "./programs.ts";
import { Weir } from "./weir.ts";

const LIMIT = 64;
const MAIN = new URL("../../main.ts", import.meta.url).pathname;
/** The certificate has to be read. */
const READING = [Deno.execPath(), "run", "--allow-net", "--allow-read", "--no-prompt", MAIN];

Deno.test("weir survives running out of descriptors", async () => {
  await using origin = await Origin.start();
  await using weir = await Weir.start(["--pool-timeout", "200ms"], { descriptors: LIMIT });
  const target = `${origin.http}/hello.txt`;
  const request = `GET ${target} HTTP/1.1\r\nHost: ${new URL(target).host}\r\n\r\n`;
  await fetchOnce(weir.port, target);
  const quiet = weir.descriptors;

  for (let round = 0; round < 2; round++) {
    const connections: Deno.TcpConn[] = [];
    try {
      const first = await connect(weir.port);
      connections.push(first);
      await send(first, request);
      await readUntil(first, "from the origin.\n");
      const before = weir.descriptors;
      // The kernel completes connections that weir cannot accept yet: they wait in its queue.
      for (let count = 0; count < 3 * LIMIT; count++) connections.push(await connect(weir.port));
      // Where exactly weir stops is its own choice; it must not crash, and not spin while it cannot accept.
      await until("weir to have accepted many", () => weir.descriptors > Math.max(before, LIMIT / 2));
      assert(await cpuOfOneSecond(weir) < 0.5, "weir must not spin while it cannot accept.");
      // Connections on which nothing is under way make room for a new one.
      assertMatch(await fetchOnce(weir.port, target), /^HTTP\/1\.1 200 /);
    } finally {
      closeAll(connections);
    }
    await until("weir to answer again", async () => {
      const answer = await fetchOnce(weir.port, target);
      return answer.startsWith("HTTP/1.1 200 ");
    });
  }
  await until("descriptors to be free again", () => weir.descriptors <= quiet);
  weir.assertHealthy();
  const complaints = weir.stderr.split("\n").filter((line) => /descriptor|open files/i.test(line));
  assertEquals(complaints.length > 0, true, "The operator has to learn of it.");
  assert(complaints.length < 20, `Once is enough:\n${weir.stderr}`);
});

Deno.test("where all descriptors are in use by tunnels, a newcomer is told so, and later served", async () => {
  await using origin = await Origin.start();
  await using weir = await Weir.start(["--pool-timeout", "200ms"], { descriptors: LIMIT });
  const target = `${origin.http}/hello.txt`;
  const { host } = new URL(target);
  assertMatch(await fetchOnce(weir.port, target), /^HTTP\/1\.1 200 /);
  const tunnels: Deno.TcpConn[] = [];
  try {
    for (let refused = false; !refused && tunnels.length < LIMIT;) {
      const connection = await connect(weir.port);
      tunnels.push(connection);
      await send(connection, `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      refused = !(await readUntil(connection, "\r\n\r\n")).startsWith("HTTP/1.1 200 ");
    }
    // Now none is left for an origin; silent clients take the rest, and are not what a newcomer has to wait for.
    for (let count = 0; count < 8; count++) {
      assertMatch(await fetchOnce(weir.port, target), /^HTTP\/1\.1 503 /);
    }
  } finally {
    closeAll(tunnels);
  }
  await until("weir to answer again", async () => {
    return (await fetchOnce(weir.port, target)).startsWith("HTTP/1.1 200 ");
  });
  weir.assertHealthy();
});

Deno.test("TLS handshakes that nobody goes on with take no descriptor that clients need to be told so", async () => {
  await using origin = await Origin.start();
  const { certificate, key } = origin.certificates;
  await using weir = await Weir.start(
    ["--listen-tls", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key],
    { descriptors: LIMIT, command: READING },
  );
  const overTls = Number(/over TLS on 127\.0\.0\.1:([0-9]+)/.exec(weir.stderr)![1]);
  const target = `${origin.http}/hello.txt`;
  assertMatch(await fetchOnce(weir.port, target), /^HTTP\/1\.1 200 /);
  const silent: Deno.TcpConn[] = [];
  try {
    for (let count = 0; count < 2 * LIMIT; count++) silent.push(await connect(overTls));
    await until("weir to say so", () => /Too many open files/.test(weir.stderr));
    for (let count = 0; count < 8; count++) {
      assertMatch(await fetchOnce(weir.port, target), /^HTTP\/1\.1 503 /);
    }
  } finally {
    closeAll(silent);
  }
  await until("weir to answer again", async () => {
    return (await fetchOnce(weir.port, target)).startsWith("HTTP/1.1 200 ");
  });
  weir.assertHealthy();
});

/** CPU time that passes in a second, seconds. */
async function cpuOfOneSecond(weir: Weir): Promise<number> {
  const before = weir.cpuSeconds;
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return weir.cpuSeconds - before;
}

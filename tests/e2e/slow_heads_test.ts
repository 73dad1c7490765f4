import { assertEquals, assertMatch } from "@std/assert";
import { connect, fetchOnce, readToEnd, send } from "./clients.ts";
import { Origin } from "./origin.ts";
import { until } from "./programs.ts";
import { Weir } from "./weir.ts";

const COUNT = 300;

Deno.test("300 clients that drip their heads hold nobody up, and are shown out", async (test) => {
  await using origin = await Origin.start();
  const target = `${origin.http}/hello.txt`;

  await test.step("they hold nobody up", async () => {
    await using weir = await Weir.start(["--head-timeout", "10m"]);
    await using drippers = await Drippers.connect(weir.port, target);
    for (let count = 0; count < 200; count++) {
      assertMatch(await fetchOnce(weir.port, target), /^HTTP\/1\.1 200 /);
    }
    assertEquals(drippers.open, COUNT, "The heads dripped for as long as the others were served.");
    weir.assertHealthy();
  });

  await test.step("they are shown out, however much they drip", async () => {
    await using weir = await Weir.start(["--head-timeout", "1s", "--pool-timeout", "200ms"]);
    await fetchOnce(weir.port, target);
    const baseline = weir.descriptors;
    {
      await using drippers = await Drippers.connect(weir.port, target);
      for (const answer of await drippers.answers) assertMatch(answer, /^HTTP\/1\.1 408 /);
    }
    await until("descriptors to be as before", () => weir.descriptors <= baseline);
    weir.assertHealthy();
  });
});

/** Clients that send the beginning of a head, and then a byte of it now and again, until they are answered. */
class Drippers implements AsyncDisposable {
  readonly answers: Promise<string[]>;
  /** How many have not been shown out. */
  open = COUNT;
  readonly #dripping: Promise<unknown>;
  #over = false;

  private constructor(private readonly connections: Deno.TcpConn[], target: string) {
    this.answers = Promise.all(connections.map(async (connection) => {
      const answer = await readToEnd(connection);
      this.open--;
      return answer;
    }));
    this.#dripping = Promise.all(connections.map((connection) => this.#drip(connection, target)));
  }

  static async connect(port: number, target: string): Promise<Drippers> {
    return new Drippers(await Promise.all(Array.from({ length: COUNT }, () => connect(port))), target);
  }

  async #drip(connection: Deno.TcpConn, target: string): Promise<void> {
    try {
      await send(connection, `GET ${target} HTTP/1.1\r\nHost: a\r\nX-Long: `);
      while (!this.#over) {
        await send(connection, "x");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    } catch { /* It was shown out. */ }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#dripping;
    for (const connection of this.connections) connection.close();
    await this.answers.catch(() => {});
  }
}

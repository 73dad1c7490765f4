import { assertMatch } from "@std/assert";
import { connect, fetchOnce, readUntil, send } from "./clients.ts";
import { Origin } from "./origin.ts";
import { until } from "./programs.ts";
import { Weir } from "./weir.ts";

const COUNT = 100;

Deno.test("clients that vanish in the middle of a body take their origin's connection with them", async (test) => {
  await using origin = await Origin.start();
  await using weir = await Weir.start(["--pool-timeout", "200ms"]);
  await fetchOnce(weir.port, `${origin.http}/hello.txt`);
  const baseline = weir.descriptors;
  const endless = new EndlessOrigin();

  await test.step("of a response", async () => {
    await vanish(`GET http://${endless.authority}/ HTTP/1.1\r\nHost: ${endless.authority}\r\n\r\n`, true);
  });
  await test.step("of a request with a length", async () => {
    await vanish(
      `POST http://${endless.authority}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegin`,
      false,
    );
  });
  await test.step("of a request in chunks", async () => {
    await vanish(
      `POST http://${endless.authority}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n`,
      false,
    );
  });
  await test.step("of a tunnel", async () => {
    await vanish(`CONNECT ${endless.authority} HTTP/1.1\r\nHost: a\r\n\r\n`, true);
  });

  endless.close();
  assertMatch(await fetchOnce(weir.port, `${origin.http}/hello.txt`), /^HTTP\/1\.1 200 /);
  await until("descriptors to be as before", () => weir.descriptors <= baseline);
  // Every exchange is in the log, however it ended.
  await weir.logged("the cut", (line) => String(line.target).includes(endless.authority), 4 * COUNT);
  weir.assertHealthy();

  /** Sends the same from many clients, waits until it has arrived, and leaves without a word. */
  async function vanish(request: string, answered: boolean): Promise<void> {
    const clients = await Promise.all(Array.from({ length: COUNT }, () => connect(weir.port)));
    await Promise.all(clients.map((client) => send(client, request)));
    await until("the origin to be reached by all", () => endless.open === COUNT);
    if (answered) await Promise.all(clients.map((client) => readUntil(client, "\r\n\r\n")));
    // What has not been read makes this a reset.
    for (const client of clients) client.close();
    await until("the origin's connections to end", () => endless.open === 0);
  }
});

/** Sends a body that does not end to whoever connects, and takes whatever comes. */
class EndlessOrigin {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();

  constructor() {
    this.#accept();
  }

  get authority(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  get open(): number {
    return this.#connections.size;
  }

  close(): void {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
  }

  async #accept(): Promise<void> {
    try {
      for await (const connection of this.#listener) this.#serve(connection);
    } catch { /* The listener was closed. */ }
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    this.#connections.add(connection);
    const read = async () => {
      const buffer = new Uint8Array(65536);
      while (await connection.read(buffer) !== null);
    };
    const write = async () => {
      await send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
      for (const bytes = "x".repeat(16384);;) await send(connection, bytes);
    };
    // The first of them that ends, ends the connection: by an error, or because the other side is gone.
    const request = new Uint8Array(4096);
    const count = await connection.read(request);
    const upload = new TextDecoder().decode(request.subarray(0, count ?? 0)).startsWith("POST");
    await Promise.any([read(), ...(upload ? [] : [write()])].map((part) => part.then(() => {}, () => {})));
    this.#connections.delete(connection);
    connection.close();
  }
}

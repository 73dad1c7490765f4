/** One exchange through weir that waits in its middle, with the origin and the client of the test's own. */

export class HeldExchange implements AsyncDisposable {
  #origin: Deno.TcpListener;
  #atOrigin: Deno.TcpConn;
  #client: Deno.TcpConn;

  private constructor(origin: Deno.TcpListener, atOrigin: Deno.TcpConn, client: Deno.TcpConn) {
    this.#origin = origin;
    this.#atOrigin = atOrigin;
    this.#client = client;
  }

  /** Sends a request through weir and waits until the origin has begun to get it. */
  static async begin(port: number): Promise<HeldExchange> {
    const origin = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const client = await Deno.connect({ hostname: "127.0.0.1", port });
    const accepted = origin.accept();
    const host = `127.0.0.1:${origin.addr.port}`;
    const head = `GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    await client.write(new TextEncoder().encode(head));
    const atOrigin = await accepted;
    await atOrigin.read(new Uint8Array(4096));
    return new HeldExchange(origin, atOrigin, client);
  }

  /** Lets the origin answer, and gives all that the client gets. */
  async finish(): Promise<string> {
    await this.#atOrigin.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
    return await this.rest();
  }

  /** All that the client gets until its connection ends. */
  async rest(): Promise<string> {
    let text = "";
    const buffer = new Uint8Array(4096);
    try {
      for (let n = await this.#client.read(buffer); n !== null; n = await this.#client.read(buffer)) {
        text += new TextDecoder().decode(buffer.subarray(0, n));
      }
    } catch {
      // it was reset
    }
    return text;
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const each of [this.#origin, this.#atOrigin, this.#client]) each.close();
    return Promise.resolve();
  }
}

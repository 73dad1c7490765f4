/** What nginx cannot do by itself, behind it: answers that depend on the request, and a WebSocket that echoes. */

import { createHash } from "node:crypto";

export class Services implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #reports: string[] = [];

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#answer(request),
    );
  }

  get authority(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  /** What was posted to `/service/report`, the oldest first. */
  get reports(): readonly string[] {
    return this.#reports;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/service/fields":
        return Response.json({ method: request.method, fields: [...request.headers] });
      case "/service/digest": {
        const hash = createHash("sha256");
        for await (const bytes of request.body ?? []) hash.update(bytes);
        return new Response(hash.digest("hex"));
      }
      case "/service/discard":
        for await (const _ of request.body ?? []);
        return new Response(null, { status: 204 });
      case "/service/chunks":
        return new Response(ReadableStream.from(numbers()));
      case "/service/report":
        this.#reports.push(await request.text());
        return new Response(null, { status: 204 });
      case "/service/echo": {
        const { socket, response } = Deno.upgradeWebSocket(request);
        socket.onmessage = (event) => socket.send(event.data);
        return response;
      }
      default:
        return new Response("There is no such service.\n", { status: 404 });
    }
  }
}

/** A body without a length: a hundred pieces. */
async function* numbers(): AsyncGenerator<Uint8Array> {
  for (let number = 0; number < 100; number++) {
    yield await Promise.resolve(new TextEncoder().encode(`${number}\n`));
  }
}

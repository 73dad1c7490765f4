/** One end of a connection in raw bytes: what a client and an origin have in common. */

import { Socket } from "node:net";
import { assertEquals } from "@std/assert";
import { bytes, text } from "../http/reading.ts";

/** The part of `Deno.TcpConn` and `Deno.TlsConn` that a {@link Peer} uses. */
export interface Stream {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/** A message as it came over the wire. Text has one character a byte. */
export interface Message {
  startLine: string;
  /** Names and values in the order and the case in which they came. */
  fields: [name: string, value: string][];
  /** Start line, fields and the empty line, as they came. */
  head: string;
  /** The body with its framing, and what was framed. */
  body: string;
  content: string;
  trailers: [name: string, value: string][];
  /** The status of a response, else `NaN`. */
  status: number;
}

/** All values of a field by its name in any case. */
export function valuesOf(message: { fields: [string, string][] }, name: string): string[] {
  return message.fields.filter(([other]) => other.toLowerCase() === name.toLowerCase())
    .map(([, value]) => value);
}

export interface ReadOptions {
  /** What this response answers: one to HEAD and a 2xx to CONNECT have no body. */
  method?: string;
}

/** How a connection ended. */
export type Ending = "end" | "reset";

export class Peer {
  /** What has come and was not taken by any of the methods that read. */
  received = "";
  /** How the other side has ended its sending, once it has. */
  ending: Ending | null = null;
  #closed = false;
  readonly #buffer = new Uint8Array(64 * 1024);

  constructor(readonly stream: Stream) {}

  /** Sends a text, one byte a character, in one piece. */
  async send(message: string | Uint8Array): Promise<void> {
    let left = typeof message === "string" ? bytes(message) : message;
    while (left.length > 0) left = left.subarray(await this.stream.write(left));
  }

  /** Sends pieces each in a write of its own, with a turn of the event loop between them. */
  async sendInPieces(pieces: Iterable<string>): Promise<void> {
    for (const piece of pieces) {
      await this.send(piece);
      await turn();
    }
  }

  /** Ends the sending side (FIN); reading goes on. */
  async closeWrite(): Promise<void> {
    await this.stream.closeWrite();
  }

  /** Closes. The system resets the connection instead when bytes have come that were not read. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.stream.close();
    } catch {
      // it has closed itself
    }
  }

  /** Resets the connection (RST). Only on one that was made `resettable`. */
  reset(): void {
    if (!(this.stream instanceof ResettableStream)) throw new Error("make this connection resettable");
    this.#closed = true;
    this.stream.reset();
  }

  /** Reads once, whatever comes, at most `most` bytes; `""` when the other side has ended. */
  async some(most = this.#buffer.length): Promise<string> {
    if (this.received === "") await this.#fill(most);
    return this.#take(Math.min(most, this.received.length));
  }

  /** Exactly so many bytes; less only when the other side has ended. */
  async exactly(count: number): Promise<string> {
    while (this.received.length < count && await this.#fill());
    return this.#take(Math.min(count, this.received.length));
  }

  /** All up to and including `end`. Throws when the other side ends before. */
  async upTo(end: string): Promise<string> {
    for (let from = 0;;) {
      const at = this.received.indexOf(end, from);
      if (at >= 0) return this.#take(at + end.length);
      from = Math.max(0, this.received.length - end.length + 1);
      if (!await this.#fill()) {
        throw new Error(
          `the other side ended (${this.ending}) before ${JSON.stringify(end)}: ${
            JSON.stringify(this.received)
          }`,
        );
      }
    }
  }

  /** Everything until the other side ends. */
  async rest(): Promise<string> {
    while (await this.#fill());
    return this.#take(this.received.length);
  }

  /** Everything until the other side ends, and how it did. */
  async restAndEnding(): Promise<[string, Ending]> {
    return [await this.rest(), this.ending!];
  }

  /** A head, up to and including its empty line. */
  head(): Promise<string> {
    return this.upTo("\r\n\r\n");
  }

  /** A whole request or response, its body read by what its head says. Throws when it is cut short. */
  async message(options: ReadOptions = {}): Promise<Message> {
    const head = await this.head();
    const [startLine, ...lines] = head.slice(0, -4).split("\r\n");
    const fields = lines.filter((line) => line !== "").map(splitField);
    const status = startLine.startsWith("HTTP/") ? Number(startLine.slice(9, 12)) : NaN;
    const message: Message = { startLine, fields, head, body: "", content: "", trailers: [], status };
    await this.#readBody(message, options);
    return message;
  }

  async #readBody(message: Message, { method }: ReadOptions): Promise<void> {
    const { status } = message;
    if (method === "HEAD" || status < 200 || status === 204 || status === 304) return;
    if (method === "CONNECT" && status < 300) return;
    if (valuesOf(message, "transfer-encoding").join() === "chunked") return await this.#readChunks(message);
    const [length] = valuesOf(message, "content-length");
    if (length !== undefined) {
      message.body = message.content = await this.exactly(Number(length));
      assertEquals(message.content.length, Number(length), `a whole body: ${message.head}${message.content}`);
    } else if (!Number.isNaN(status)) {
      message.body = message.content = await this.rest();
    }
  }

  async #readChunks(message: Message): Promise<void> {
    for (;;) {
      const line = await this.upTo("\r\n");
      message.body += line;
      const size = parseInt(line, 16);
      if (size === 0) break;
      const data = await this.exactly(size + 2);
      assertEquals(data.slice(size), "\r\n", "a chunk ends where its size says");
      message.body += data;
      message.content += data.slice(0, -2);
    }
    for (;;) {
      const line = await this.upTo("\r\n");
      message.body += line;
      if (line === "\r\n") return;
      message.trailers.push(splitField(line.slice(0, -2)));
    }
  }

  async #fill(most = this.#buffer.length): Promise<boolean> {
    if (this.ending !== null) return false;
    let count: number | null;
    try {
      count = await this.stream.read(this.#buffer.subarray(0, most));
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
      this.ending = "reset";
      return false;
    }
    if (count === null) this.ending = "end";
    else this.received += text(this.#buffer.subarray(0, count));
    return count !== null;
  }

  #take(count: number): string {
    const taken = this.received.slice(0, count);
    this.received = this.received.slice(count);
    return taken;
  }
}

/** A turn of the event loop, in which sockets are looked at. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function splitField(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

/** Whether this Deno can reset a connection at will; 2.6 cannot. A test that needs it is ignored without. */
export const CAN_RESET: boolean = "resetAndDestroy" in Socket.prototype;

/** Node's socket in the shape of Deno's: it can be reset at will, which Deno's own cannot. */
export class ResettableStream implements Stream {
  readonly #socket: Socket;
  #ended = false;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("readable", () => this.#wake());
    socket.on("end", () => {
      this.#ended = true;
      this.#wake();
    });
    socket.on("error", (error: Error & { code?: string }) => {
      this.#failure = error.code === "ECONNRESET" ? new Deno.errors.ConnectionReset(error.message) : error;
      this.#wake();
    });
    socket.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      // reading nothing is how a socket without data comes to say that it has ended
      const data = this.#socket.read(Math.min(into.length, this.#socket.readableLength));
      if (data !== null) {
        into.set(data);
        return data.length;
      }
      if (this.#failure !== null) throw this.#failure;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#socket.write(bytes, (error?: Error | null) => error ? reject(error) : resolve(bytes.length))
    );
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }
}

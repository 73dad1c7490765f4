/**
 * Nobody gets a byte that was meant for somebody else (http-rules §7). Buffers are lent and come back; where one came
 * back while something was still under way with it, bodies would mix. So many exchanges run at once, each with
 * a body of its own letter, and many of them are cut short on either side.
 */

import { assertEquals } from "@std/assert";
import { random } from "./damage.ts";
import { proxied } from "./harness.ts";
import type { Peer } from "./peer.ts";
import { request } from "./round_trip.ts";

/** None of them is a hexadecimal digit, so that the sizes of chunks are no letters. */
const LETTERS = "GHIJKLMNOPQRSTUVWXYZghijklmnopqrstuvwxyz";
const CLIENTS = 32;
const ROUNDS = 10;

/** The letters among these bytes. */
class Letters {
  readonly #seen = new Uint8Array(256);

  add(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) this.#seen[bytes[i]] = 1;
  }

  toString(): string {
    return [...LETTERS].filter((letter) => this.#seen[letter.charCodeAt(0)] === 1).join("");
  }
}

/** Reads up to `most` bytes behind what the peer has received already; says which letters were among them. */
async function lettersFrom(peer: Peer, most: number): Promise<string> {
  const letters = new Letters();
  const first = peer.received.slice(0, most);
  letters.add(new TextEncoder().encode(first));
  peer.received = peer.received.slice(first.length);
  const buffer = new Uint8Array(64 * 1024);
  for (let left = most - first.length; left > 0;) {
    const count = await peer.stream.read(buffer.subarray(0, Math.min(left, buffer.length))).catch(() => null);
    if (count === null) break;
    letters.add(buffer.subarray(0, count));
    left -= count;
  }
  return letters.toString();
}

function filled(letter: string, length: number): Uint8Array {
  return new Uint8Array(length).fill(letter.charCodeAt(0));
}

for (const seed of [1, 2, 3]) {
  proxied(
    `bodies do not mix, whatever is cut short (seed ${seed})`,
    async ({ connect, origin, exchanges }) => {
      const mixed: string[] = [];
      let begun = 0;

      // sends a body of the letter in the path, and takes one of the same letter
      origin.serve(async (connection) => {
        const chance = random(seed * 1000 + begun++);
        for (;;) {
          const head = await connection.head();
          const [, path] = head.split(" ");
          const letter = path[1];
          const length = Number(path.slice(2));
          const upload = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
          const early = upload > 0 && chance(3) === 0;
          if (upload > 0 && !early) {
            const seen = await lettersFrom(connection, upload);
            if (seen !== letter && seen !== "") mixed.push(`${letter} at the origin: ${seen}`);
          }
          const chunked = chance(2) === 0;
          await connection.send(
            "HTTP/1.1 200 OK\r\n" +
              (chunked
                ? `Transfer-Encoding: chunked\r\n\r\n${length.toString(16)}\r\n`
                : `Content-Length: ${length}\r\n\r\n`),
          );
          const sent = chance(5) === 0 ? chance(length) : length;
          await connection.send(filled(letter, sent));
          if (sent < length || early) return connection.close();
          if (chunked) await connection.send("\r\n0\r\n\r\n");
        }
      });

      await Promise.all(Array.from({ length: CLIENTS }, async (_, name) => {
        const chance = random(seed * 77 + name);
        const letter = LETTERS[name];
        for (let round = 0; round < ROUNDS; round++) {
          const client = await connect();
          const length = 1 + chance(chance(3) === 0 ? 400_000 : 3000);
          const upload = chance(3) === 0 ? 1 + chance(300_000) : 0;
          const lines = upload > 0
            ? [`Content-Length: ${upload}`, "Connection: close"]
            : ["Connection: close"];
          const head = request(origin, upload > 0 ? "POST" : "GET", `/${letter}${length}`, ...lines);
          const sending = client.send(head).then(() => client.send(filled(letter, upload))).catch(() => {});
          const answer = await client.head().catch(() => "");
          if (answer.startsWith("HTTP/1.1 200 OK\r\n")) {
            const seen = await lettersFrom(client, chance(4) === 0 ? chance(length) : Infinity);
            if (seen !== letter && seen !== "") mixed.push(`${letter} at the client: ${seen}`);
          }
          client.close();
          await sending;
        }
      }));
      assertEquals(mixed, []);
      await exchanges.until(() => exchanges.all.length === CLIENTS * ROUNDS);
    },
  );
}

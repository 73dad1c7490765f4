import { assert, assertEquals, assertRejects } from "@std/assert";
import { gzipSync } from "node:zlib";
import { plainLog } from "../../src/cli/plain_log.ts";
import { streamOf } from "../review/logs.ts";

const TEXT = Array.from({ length: 200 }, (_, i) => `line ${i} für alle 🙂`).join("\n");
const BYTES = new TextEncoder().encode(TEXT);

async function textOf(bytes: Uint8Array, cuts: readonly number[] = []): Promise<string> {
  return await new Response(plainLog(streamOf(bytes, cuts))).text();
}

function everywhere(bytes: Uint8Array): number[][] {
  return [[], [1], [1, 2, 3], Array.from(bytes, (_, i) => i)];
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

Deno.test("what is not compressed comes as it is", async () => {
  for (const cuts of everywhere(BYTES)) assertEquals(await textOf(BYTES, cuts), TEXT);
  for (const short of ["", "a", "\x1f"]) assertEquals(await textOf(new TextEncoder().encode(short)), short);
});

Deno.test("gzip is read at any split, also when several are one behind the other", async () => {
  const once = new Uint8Array(gzipSync(BYTES));
  const twice = joined(once, once);
  for (const cuts of everywhere(once)) assertEquals(await textOf(once, cuts), TEXT);
  for (const cuts of everywhere(twice)) assertEquals(await textOf(twice, cuts), TEXT + TEXT);
});

Deno.test("gzip that breaks off, or is none, is an error after what could be read", async () => {
  const bytes = new Uint8Array(gzipSync(BYTES));
  await assertRejects(() => textOf(bytes.slice(0, -20)));
  await assertRejects(() => textOf(Uint8Array.of(0x1f, 0x8b, 1, 2, 3)));
});

Deno.test("UTF-16 of Windows is read at any split", async () => {
  const text = `\ufeff${TEXT}`;
  const units = Uint16Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  const bytes = new Uint8Array(units.buffer);
  for (const cuts of everywhere(bytes)) assertEquals(await textOf(bytes, cuts), TEXT);
});

Deno.test("what a few bytes stand for comes in small pieces", async () => {
  const bomb = new Uint8Array(gzipSync(new Uint8Array(50_000_000)));
  assert(bomb.length < 100_000);
  let [size, largest] = [0, 0];
  for await (const piece of plainLog(streamOf(bomb))) {
    size += piece.length;
    largest = Math.max(largest, piece.length);
  }
  assertEquals(size, 50_000_000);
  assert(largest <= 2 ** 20, `${largest}`);
});

Deno.test("whoever stops reading closes the log", async () => {
  for (const bytes of [BYTES, new Uint8Array(gzipSync(BYTES))]) {
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(bytes),
      cancel: () => void (cancelled = true),
    });
    for await (const _ of plainLog(stream)) break;
    assert(cancelled);
  }
});

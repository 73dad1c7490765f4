import { assertEquals } from "@std/assert";
import { type LinkListener, WorkerLink } from "../../src/cache/disk/link.ts";
import type { FoundObject } from "../../src/cache/disk/reader.ts";

/** Hears all and answers what the test wants. */
class MuteWorker {
  static made: MuteWorker;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror = null;
  readonly told: { kind: string; read?: number }[] = [];

  constructor() {
    MuteWorker.made = this;
  }

  postMessage(message: { kind: string; read?: number }): void {
    this.told.push(message);
  }

  terminate(): void {}
}

Deno.test("a piece that the disk's worker does not give in time counts as lost, and what it gives later is nobody's", async () => {
  const { Worker } = globalThis;
  globalThis.Worker = MuteWorker as unknown as typeof Worker;
  let link: WorkerLink;
  try {
    link = new WorkerLink({} as LinkListener, 1);
  } finally {
    globalThis.Worker = Worker;
  }
  const worker = MuteWorker.made;
  const give = (read: number) =>
    worker.onmessage!({ data: { kind: "piece", read, bytes: Uint8Array.of(read) } });
  const object = { id: 1, seed: 2, length: 3 } as FoundObject;
  const [first, second] = [link.read(object, 0), link.read(object, 1)];
  assertEquals(worker.told.map(({ kind, read }) => [kind, read]), [["read", 1], ["read", 2]]);
  give(2);
  assertEquals([await first, await second], [null, Uint8Array.of(2)]);
  give(1);
  const third = link.read(object, 2);
  give(3);
  assertEquals(await third, Uint8Array.of(3));
  const last = link.read(object, 3);
  link.end();
  assertEquals(await last, null);
});

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  BODY_DONE,
  BODY_LOST,
  Recording,
  RecordingBudget,
  type RecordingReader,
} from "../../src/proxy/cache/recording.ts";

/** Byte `index` of every body here: a piece that is read from another place is seen. */
function byteAt(index: number): number {
  return (index * 31 + (index >> 8)) & 0xff;
}

function bytes(from: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => byteAt(from + index));
}

/** Who reads, and looks at every byte. */
class Eye {
  position = 0;
  state: "open" | "done" | "lost" = "open";

  constructor(readonly reader: RecordingReader) {}

  /** Reads at most so many bytes; false when there is nothing to be read now. */
  read(most: number): boolean {
    const next = this.reader.next();
    if (next instanceof Promise) return false;
    if (next === BODY_DONE || next === BODY_LOST) {
      this.state = next === BODY_DONE ? "done" : "lost";
      return false;
    }
    const taken = next.subarray(0, most);
    assert(taken.length > 0, "a piece has bytes");
    assertEquals(taken, bytes(this.position, taken.length));
    this.position += taken.length;
    this.reader.took(taken.length);
    return true;
  }

  readAll(): void {
    while (this.read(Infinity));
  }
}

function recordingOf(
  keepable: number,
  limit = 1024 * 1024,
): { budget: RecordingBudget; recording: Recording } {
  const budget = new RecordingBudget(limit);
  return { budget, recording: new Recording(budget, keepable) };
}

/** Adds bytes while there is room, as a fetch does: true when all were taken. */
function fill(recording: Recording, pieces: number, size: number): boolean {
  for (let piece = 0; piece < pieces; piece++) {
    if (recording.room() !== null) return false;
    recording.append(bytes(recording.length, size));
  }
  return true;
}

Deno.test("a body of just what may be kept is no reason to wait for who has read it all", () => {
  const { recording } = recordingOf(100);
  const eye = new Eye(recording.reader()!);
  assert(fill(recording, 10, 10));
  eye.readAll();
  assertEquals(recording.room(), null, "the origin has still to say that this was all");
  for (let piece = 0; piece < 50; piece++) {
    assert(fill(recording, 1, 10), "and where it was not, who reads along gets the rest");
    eye.readAll();
  }
  assertEquals(eye.position, 600);
});

Deno.test("who has read it all is not held up by who is just a window behind", () => {
  const { recording } = recordingOf(100);
  const [fast, slow] = [new Eye(recording.reader()!), new Eye(recording.reader()!)];
  for (let piece = 0; piece < 40; piece++) {
    assertEquals(recording.room(), null);
    recording.append(bytes(recording.length, 25));
    fast.readAll();
  }
  recording.end(true);
  fast.readAll();
  slow.readAll();
  assertEquals([fast.state, fast.position, slow.state], ["done", 1000, "lost"]);
});

Deno.test("pieces that have gone do not shift what the others read", () => {
  const { recording } = recordingOf(20);
  const [ahead, behind] = [new Eye(recording.reader()!), new Eye(recording.reader()!)];
  for (let piece = 0; piece < 3; piece++) recording.append(bytes(recording.length, 10));
  ahead.read(10);
  ahead.read(10);
  ahead.read(5);
  // lets go of the first piece
  behind.read(10);
  behind.read(5);
  while (ahead.read(1));
  while (behind.read(1));
  assertEquals([ahead.position, behind.position], [30, 30]);
});

Deno.test("a budget that is just used up holds up nobody who has read it all", () => {
  const budget = new RecordingBudget(1000);
  const other = new Recording(budget, 600);
  other.append(bytes(0, 500));
  const recording = new Recording(budget, 600);
  const eye = new Eye(recording.reader()!);
  assert(fill(recording, 5, 100));
  assertEquals(budget.used, 1000);
  eye.readAll();
  for (let piece = 0; piece < 10; piece++) {
    assertEquals(recording.room(), null);
    recording.append(bytes(recording.length, 100));
    eye.readAll();
  }
  assertEquals(eye.position, 1500);
});

Deno.test("a body that drips costs no more than its bytes", () => {
  const { recording } = recordingOf(100_000);
  for (let index = 0; index < 50_000; index++) recording.append(bytes(index, 1));
  const eye = new Eye(recording.reader()!);
  eye.readAll();
  assertEquals(eye.position, 50_000);
  recording.end(true);
  const pieces = recording.take();
  assert(pieces.length < 50, `${pieces.length} pieces`);
  const held = pieces.reduce((sum, piece) => sum + piece.buffer.byteLength, 0);
  assert(held < 75_000, `${held} bytes for 50,000`);
});

Deno.test("a kept body holds no memory besides its bytes", () => {
  for (const sizes of [[3], [3, 3], [5000, 1, 9000, 100], Array.from({ length: 100 }, () => 700)]) {
    const { recording } = recordingOf(1_000_000);
    for (const size of sizes) recording.append(bytes(recording.length, size));
    recording.end(true);
    const held = recording.take().reduce((sum, piece) => sum + piece.buffer.byteLength, 0);
    assert(held <= recording.length * 1.5, `${held} bytes for ${recording.length}`);
  }
});

type Step =
  | { kind: "append"; size: number }
  | { kind: "join" }
  | { kind: "read"; who: number; most: number }
  | { kind: "leave"; who: number }
  | { kind: "other"; size: number }
  | { kind: "end"; whole: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("append" as const), size: fc.integer({ min: 1, max: 60 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("join" as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("read" as const),
      who: fc.nat(5),
      most: fc.integer({ min: 1, max: 80 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("leave" as const), who: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("other" as const), size: fc.integer({ min: 1, max: 200 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("end" as const), whole: fc.boolean() }) },
);

Deno.test("whatever the paces, every reader gets the right bytes, nobody is held up, and nothing is left over", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 120 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 1000 }),
      (steps, keepable, limit) => {
        const budget = new RecordingBudget(limit);
        const others = new Recording(budget, 1_000_000);
        const recording = new Recording(budget, keepable);
        const eyes: Eye[] = [new Eye(recording.reader()!)];
        let present = new Set<Eye>(eyes);
        for (const each of steps) {
          const eye = eyes["who" in each ? each.who % eyes.length : 0];
          if (each.kind === "append") {
            if (recording.state !== "open") continue;
            const waits = recording.room();
            if (waits === null) recording.append(bytes(recording.length, each.size));
            else {
              const idle = [...present].filter(({ position, state }) =>
                state === "open" && position === recording.length
              );
              assertEquals(idle.length, 0, "who has read it all is not held up");
            }
          } else if (each.kind === "join") {
            const reader = recording.reader();
            if (reader !== null) {
              eyes.push(new Eye(reader));
              present.add(eyes.at(-1)!);
            } else if (budget.used < limit) {
              assert(!recording.complete, "a body that is all there can be joined");
            }
          } else if (each.kind === "read") {
            if (!present.has(eye)) continue;
            eye.read(each.most);
            const left = eye.state === "lost" && recording.state !== "failed";
            if (left) assert(eyes.length > 1, "who has always read alone is never left behind");
          } else if (each.kind === "leave") {
            eye.reader.leave();
            present = new Set([...present].filter((other) => other !== eye));
          } else if (each.kind === "other") others.append(bytes(others.length, each.size));
          else recording.end(each.whole);
        }
        if (recording.state === "open") recording.end(true);
        for (const eye of present) {
          eye.readAll();
          assert(eye.state !== "open");
          if (eye.state === "done") assertEquals(eye.position, recording.length);
        }
        if (recording.state === "whole" && recording.complete) {
          const whole = new Uint8Array(recording.length);
          let at = 0;
          for (const piece of recording.take()) {
            whole.set(piece, at);
            at += piece.length;
          }
          assertEquals(whole, bytes(0, recording.length));
        }
        recording.release();
        for (const eye of eyes) eye.reader.leave();
        others.release();
        assertEquals(budget.used, 0);
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("bytes count against the budget until the last reader has gone", () => {
  const { budget, recording } = recordingOf(1000);
  const eye = new Eye(recording.reader()!);
  recording.append(bytes(0, 100));
  recording.end(true);
  recording.release();
  assertEquals(budget.used, 100);
  eye.readAll();
  eye.reader.leave();
  assertEquals([eye.state, budget.used], ["done", 0]);
  assertEquals(recording.reader(), null, "and nobody can begin any more");
});

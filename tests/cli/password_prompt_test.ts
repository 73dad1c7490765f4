import { assertEquals, assertRejects } from "@std/assert";
import { hidden, type Terminal } from "../../src/cli/password_prompt.ts";

/** A terminal at which somebody types these pieces, and then goes away. */
class FakeTerminal implements Terminal {
  readonly raw: boolean[] = [];
  readonly #pieces: Uint8Array[];

  constructor(...pieces: (string | number[])[]) {
    this.#pieces = pieces.map((piece) =>
      typeof piece === "string" ? new TextEncoder().encode(piece) : Uint8Array.from(piece)
    );
  }

  read(into: Uint8Array): Promise<number | null> {
    const piece = this.#pieces.shift();
    if (piece === undefined) return Promise.resolve(null);
    into.set(piece.subarray(0, into.length));
    if (piece.length > into.length) this.#pieces.unshift(piece.subarray(into.length));
    return Promise.resolve(Math.min(piece.length, into.length));
  }

  setRaw(raw: boolean): void {
    this.raw.push(raw);
  }
}

async function typed(...pieces: (string | number[])[]): Promise<string | null> {
  const terminal = new FakeTerminal(...pieces);
  const line = await hidden(terminal, (input) => input.line());
  assertEquals(terminal.raw, [true, false]);
  return line;
}

Deno.test("a line ends with Enter, in whatever pieces it comes", async () => {
  assertEquals(await typed("open sesame\r"), "open sesame");
  assertEquals(await typed("o", "pen", " sesame", "\n"), "open sesame");
  assertEquals(await typed([0xe2], [0x82], [0xac], "\r"), "€");
  assertEquals(await typed("\r"), "");
});

Deno.test("what is pasted goes on in the next line", async () => {
  const terminal = new FakeTerminal("one\rtwo\rthree\r");
  assertEquals(
    await hidden(terminal, async (input) => [await input.line(), await input.line(), await input.line()]),
    ["one", "two", "three"],
  );
});

Deno.test("Backspace takes a character away and Ctrl-U all", async () => {
  assertEquals(await typed("opem\x7fn\r"), "open");
  assertEquals(await typed("\b\bab\b\b\bx\r"), "x");
  assertEquals(await typed("a€\x7f\x7fb\r"), "b");
  assertEquals(await typed("wrong\x15right\r"), "right");
});

Deno.test("keys that stand for no character change nothing", async () => {
  assertEquals(await typed("a\x1b[A\x1b[1;5Cb\x1bOPc\t\x01d\r"), "abcd");
  assertEquals(await typed("\x1b[200~pasted\x1b[201~\r"), "pasted");
});

Deno.test("Ctrl-C breaks off, and so do Ctrl-D on an empty line and the end", async () => {
  assertEquals(await typed("abc\x03"), null);
  assertEquals(await typed("\x04"), null);
  assertEquals(await typed("ab\x04c\r"), "abc");
  assertEquals(await typed("abc"), null);
  assertEquals(await typed("abc\x1b["), null);
});

Deno.test("a line has an end", async () => {
  assertEquals((await typed("x".repeat(10_000), "\r"))?.length, 4096);
});

Deno.test("the terminal is as before when something goes wrong", async () => {
  const terminal = new FakeTerminal();
  await assertRejects(
    () => hidden(terminal, () => Promise.reject(new Error("disk full"))),
    Error,
    "disk full",
  );
  assertEquals(terminal.raw, [true, false]);
});

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { borrow, giveBack, LARGE, MEDIUM, sizeFor, SMALL } from "../../src/net/buffers.ts";

Deno.test("a buffer has exactly the size that was asked for", () => {
  for (const size of [1, 100, SMALL, MEDIUM, LARGE, LARGE + 1, 1024 * 1024]) {
    assertEquals(borrow(size).length, size);
  }
});

Deno.test("a buffer that came back is lent again", () => {
  for (const size of [SMALL, MEDIUM, LARGE]) {
    const buffer = borrow(size);
    giveBack(buffer);
    assertStrictEquals(borrow(size), buffer);
  }
});

Deno.test("no buffer is lent to two at once", () => {
  for (const size of [SMALL, MEDIUM, LARGE]) {
    const lent = Array.from({ length: 50 }, () => borrow(size));
    for (const buffer of lent) giveBack(buffer);
    const again = Array.from({ length: 100 }, () => borrow(size));
    assertEquals(new Set(again).size, 100);
    assertEquals(new Set(again.map(({ buffer }) => buffer)).size, 100, "nor do two share their memory");
  }
});

Deno.test("what grows takes steps of twice the size, and each size is lent again", () => {
  for (const [bytes, size] of [[1, SMALL], [SMALL, SMALL], [SMALL + 1, MEDIUM], [MEDIUM, MEDIUM]]) {
    assertEquals(sizeFor(bytes), size);
  }
  for (let size = MEDIUM; size < LARGE;) {
    const next = sizeFor(size + 1);
    assertEquals(next, 2 * size);
    const buffer = borrow(next);
    giveBack(buffer);
    assertStrictEquals(borrow(next), buffer);
    size = next;
  }
  assertEquals(sizeFor(LARGE + 1), 2 * LARGE);
});

Deno.test("buffers of other sizes are not kept", () => {
  const odd = borrow(3000);
  giveBack(odd);
  assert(borrow(3000) !== odd);
});

Deno.test("what is kept is bounded: after a rush the memory goes back to the system", () => {
  const rush = 20;
  const lent = Array.from({ length: 16 + rush }, () => borrow(LARGE));
  for (const buffer of lent) giveBack(buffer);
  const known = new Set(lent);
  let kept = 0;
  while (known.has(borrow(LARGE))) kept++;
  assertEquals(kept, 16);
});

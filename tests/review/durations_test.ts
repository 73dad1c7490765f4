import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Durations } from "../../src/review/durations.ts";

Deno.test("a quantile is right to a twentieth, and never beyond the longest", () => {
  const duration = fc.double({ min: 0.1, max: 1e9, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(duration, { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (all, share) => {
        const durations = new Durations();
        for (const each of all) durations.add(each);
        const sorted = [...all].sort((a, b) => a - b);
        const exact = sorted[Math.ceil(share * all.length) - 1];
        const found = durations.quantile(share);
        assert(
          found >= exact * 0.999 && found <= exact * 1.051 && found <= durations.longest,
          `${found} for ${exact}`,
        );
      },
    ),
  );
});

Deno.test("of nothing there is no quantile, and nothing took less than nothing", () => {
  const durations = new Durations();
  assertEquals(durations.quantile(0.5), -1);
  durations.add(0);
  assertEquals(durations.quantile(0.5), 0);
});

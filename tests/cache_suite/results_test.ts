import { assertEquals } from "@std/assert";
import { readAccepted } from "./accepted.ts";
import { EXCEPTIONS } from "./exceptions.ts";
import { EDITION, type Kind } from "./outcome.ts";

const accepted = (await readAccepted())!;
const required = outcomesOf("required");
const optimal = outcomesOf("optimal");

Deno.test("the accepted run is one of all tests of the edition that is installed", () => {
  assertEquals([accepted.edition, required.size, optimal.size, outcomesOf("check").size], [
    EDITION,
    157,
    86,
    86,
  ]);
});

Deno.test("every required or optimal test that is not passed has its reason, and none that is", () => {
  const failed = [...required, ...optimal].filter(([, outcome]) => outcome !== "pass").map(([id]) => id);
  assertEquals(Object.keys(EXCEPTIONS).sort(), failed.sort());
});

Deno.test("all required tests are passed but the five that nobody can pass and the two about cookies of other clients", () => {
  assertEquals([...required.values()].filter((outcome) => outcome === "pass").length, 150);
});

Deno.test("at least 80 of the optimal tests are passed", () => {
  const passed = [...optimal.values()].filter((outcome) => outcome === "pass").length;
  assertEquals(passed >= 80, true, `${passed} are passed.`);
});

function outcomesOf(kind: Kind): Map<string, string> {
  return new Map(Object.values(accepted.results[kind]).flatMap((tests) => Object.entries(tests)));
}

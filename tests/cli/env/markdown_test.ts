import { assertEquals } from "@std/assert";
import { programsMarkdown } from "../../../src/cli/env/markdown.ts";
import { PROGRAMS } from "../../../src/programs/programs.ts";

const BEGIN = "<!-- programs -->";
const END = "<!-- /programs -->";

Deno.test("the table has a row for every program", () => {
  const rows = programsMarkdown().trimEnd().split("\n");
  assertEquals(rows.length, PROGRAMS.length + 2);
  for (const row of rows) assertEquals(row.replaceAll("\\|", "").split("|").length, 7, row);
});

Deno.test("README has the table that the programs make", async () => {
  const readme = await Deno.readTextFile(new URL("../../../README.md", import.meta.url));
  const begin = readme.indexOf(BEGIN);
  assertEquals(begin >= 0, true, "README has the marker " + BEGIN);
  const table = readme.slice(begin + BEGIN.length, readme.indexOf(END, begin));
  const expected = programsMarkdown();
  // what to put between the markers, ready to copy
  if (squeezed(table) !== squeezed(expected)) console.log(`\n${BEGIN}\n\n${expected}\n${END}`);
  assertEquals(squeezed(table), squeezed(expected));
});

/** A formatter aligns columns; that makes no difference. */
function squeezed(table: string): string {
  return table.trim().replace(/ +/g, " ").replace(/-{3,}/g, "---");
}

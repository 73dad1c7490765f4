import { assertEquals } from "@std/assert";
import { fieldsMarkdown, optionsMarkdown } from "../../src/config/markdown.ts";
import { OPTIONS } from "../../src/config/options.ts";
import { PARENT_FIELDS, ROUTE_FIELDS } from "../../src/config/route_fields.ts";
import { RULE_FIELDS, TEST_FIELDS } from "../../src/config/rule_fields.ts";

Deno.test("the table has a row for every option", () => {
  const rows = optionsMarkdown().trimEnd().split("\n");
  assertEquals(rows.length, OPTIONS.length + 2);
  for (const row of rows) assertEquals(row.replaceAll("\\|", "").split("|").length, 6, row);
});

const TABLES: [mark: string, table: string][] = [
  ["options", optionsMarkdown()],
  ["rule fields", fieldsMarkdown(RULE_FIELDS)],
  ["test fields", fieldsMarkdown(TEST_FIELDS)],
  ["parent fields", fieldsMarkdown(PARENT_FIELDS)],
  ["route fields", fieldsMarkdown(ROUTE_FIELDS)],
];

for (const [mark, expected] of TABLES) {
  Deno.test(`README has the table of ${mark} as it is made`, async () => {
    const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
    const [begin, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
    assertEquals([readme.split(begin).length, readme.split(end).length], [2, 2], `marks of ${mark}`);
    const table = readme.slice(readme.indexOf(begin) + begin.length, readme.indexOf(end));
    // what to put between the marks, ready to copy
    if (squeezed(table) !== squeezed(expected)) console.log(`\n${expected}`);
    assertEquals(squeezed(table), squeezed(expected));
  });
}

/** A formatter aligns columns; that makes no difference. */
function squeezed(table: string): string {
  return table.trim().replace(/ +/g, " ").replace(/-{3,}/g, "---");
}

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { policyOf } from "../../src/config/policy.ts";
import { readToml } from "../../src/config/toml.ts";
import { parseListenAddress } from "../../src/net/listen.ts";
import { catchAllsOf, insertBlocks, keepsRules, placesFor } from "../../src/review/merge.ts";
import { policyIn } from "./learning.ts";

const NEW = [[
  "# seen",
  "[[rule]]",
  'name = "new"',
  'action = "allow"',
  'hosts = ["new.example"]',
  "ports = [443]",
]];

async function rulesOf(text: string) {
  return (await readToml(text, "policy.toml", parseListenAddress)).rules;
}

/** The text with the new rule in the best place. */
async function merged(text: string): Promise<string> {
  return insertBlocks(text, placesFor(text, await rulesOf(text))[0], NEW);
}

const rule = NEW[0].join("\n");

Deno.test("rules go behind the last one, before what follows it and the comment above that", async () => {
  const text =
    '[[rule]]\naction = "allow"\nhosts = ["a.example"] # a\n\n# tests\n[[test]]\nurl = "a.example:443"\nexpect = "allow"\n';
  assertEquals(await merged(text), text.replace("# tests", `${rule}\n\n# tests`));
});

Deno.test("rules go before the one that denies everything, with the comment above it", async () => {
  for (const all of ["", 'hosts = ["*"]\n', 'hosts = "*"\nnote = "no"\n']) {
    const text =
      `[policy]\n\n# a\n[[rule]]\naction = "allow"\nhosts = ["a.example"]\n\n# the rest\n# of it\n[[rule]]\naction = "deny"\n${all}`;
    assertEquals(await merged(text), text.replace("# the rest", `${rule}\n\n# the rest`));
  }
});

Deno.test("a rule that denies only some, or only reports, is no end", async () => {
  for (
    const part of [
      'hosts = ["*.example"]',
      "ports = [25]",
      'clients = ["10.0.0.0/8"]',
      'methods = ["PUT"]',
      'mode = "report"',
    ]
  ) {
    const text = `[[rule]]\naction = "deny"\n${part}\n`;
    assertEquals(catchAllsOf(await rulesOf(text)), [], part);
    assertEquals(await merged(text), `${text}\n${rule}\n`);
  }
});

Deno.test("where there are no rules, new ones come before tests, or at the end", async () => {
  const test = '# t\n[[test]]\nurl = "a.example:443"\nexpect = "allow"\n';
  assertEquals(await merged(`[policy]\n\n${test}`), `[policy]\n\n${rule}\n\n${test}`);
  assertEquals(await merged("[policy]\n# end"), `[policy]\n# end\n\n${rule}\n`);
  assertEquals(await merged('listen = "8888"\n\n\n'), `listen = "8888"\n\n\n${rule}\n`);
});

Deno.test("lines end as the others do", async () => {
  const text = '[[rule]]\r\naction = "allow"\r\nhosts = ["a.example"]\r\n';
  const result = await merged(text);
  assertEquals(result.replaceAll("\r\n", "").includes("\n"), false);
  assert(result.startsWith(text));
});

Deno.test("what looks like a comment or a table within a text is found out", async () => {
  const text = '[[rule]]\naction = "allow"\nhosts = ["a.example"]\nmode = "enforce"\n' +
    '[[test]]\nurl = "a.example:443"\nexpect = "allow"\nrule = """\n[x]"""\n';
  const rules = await rulesOf(text);
  const places = placesFor(text, rules);
  const old = policyOf({}, rules).rules;
  const good: number[] = [];
  for (const place of places) {
    try {
      const now = (await policyIn(insertBlocks(text, place, NEW))).spec.rules;
      if (keepsRules(old, now, new Set(["new"]))) good.push(place);
    } catch {
      // no policy any more
    }
  }
  assert(good.length > 0);
});

Deno.test("rules are kept when each is there, in order, and nothing else is", async () => {
  const rules = async (text: string) => (await policyIn(text)).spec.rules;
  const one = '[[rule]]\naction = "deny"\nhosts = ["a.example"]\n';
  const two = '[[rule]]\nname = "two"\naction = "allow"\nports = [1]\n';
  const old = await rules(one + two);
  const added = new Set(["new"]);
  assert(keepsRules(old, await rules(`${one}${rule}\n${two}`), added));
  assert(keepsRules(old, await rules(`${rule}\n${one}${two}`), added), "a rule's number may be another");
  assert(!keepsRules(old, await rules(`${two}${rule}\n${one}`), added));
  assert(!keepsRules(old, await rules(`${one}${rule}\n`), added));
  assert(!keepsRules(old, await rules(one + two), added));
  assert(!keepsRules(old, await rules(`${one}${rule}\n${two.replace("1", "2")}`), added));
});

Deno.test("every line of the old text is in the new one, in its order, whatever the text is", () => {
  const line = fc.constantFrom("", "# a", "[x]", "[[rule]]", "  b = 1", '"""', "\t", "#");
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 20 }),
      fc.nat(25),
      fc.boolean(),
      fc.boolean(),
      (lines, place, ended, crlf) => {
        const end = crlf ? "\r\n" : "\n";
        const text = lines.join(end) + (ended ? end : "");
        const result = insertBlocks(text, Math.min(place + 1, lines.length + 1), NEW);
        const added = NEW[0].join(text.includes("\r\n") ? "\r\n" : "\n");
        const [before, after] = [result.indexOf(added), result.length - result.indexOf(added) - added.length];
        assert(before >= 0);
        // all that is not added is the old text, but for the line ends around what is added
        const kept = Array.from({ length: text.length + 1 }, (_, at) => at)
          .some((at) =>
            at <= before && text.length - at <= after && result.startsWith(text.slice(0, at)) &&
            result.endsWith(text.slice(at)) && result.slice(at, before).trim() === "" &&
            result.slice(before + added.length, result.length - (text.length - at)).trim() === ""
          );
        assert(kept, JSON.stringify(result));
      },
    ),
  );
});

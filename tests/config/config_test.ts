import { assertEquals, assertMatch } from "@std/assert";
import { configOf, randomPseudonym } from "../../src/config/config.ts";
import type { Option } from "../../src/config/option.ts";
import { OPTIONS_IN_FILE, type Values } from "../../src/config/options.ts";

const instance = { pseudonym: "weir-1f3a", version: "1.2.3" };

Deno.test("every option reaches the configuration", () => {
  for (const option of OPTIONS_IN_FILE) {
    const value = otherThanDefault(option);
    // what authentication is for shows with users alone
    const around: Values = option.flag === "authentication"
      ? { users: "other.pem" }
      // and exceptions where there is something that they are from
      : option.flag === "no-upstream"
      ? { upstream: ["http://proxy.example:3128"] }
      : {};
    const after = configOf({ ...around, [option.flag]: value } as Values, instance);
    const before = configOf(around, instance);
    assertEquals(JSON.stringify(after) === JSON.stringify(before), false, `--${option.flag} changes nothing`);
  }
});

Deno.test("the process brings the version, and the pseudonym unless one is given", () => {
  assertEquals(configOf({}, instance).proxy.pseudonym, "weir-1f3a");
  assertEquals(configOf({ pseudonym: "gate" }, instance).proxy.pseudonym, "gate");
  assertEquals(configOf({}, instance).proxy.version, "1.2.3");
});

Deno.test("a pseudonym is weir- and four hex digits, a new one for each process (RFC 9110 §7.6.3)", () => {
  const made = Array.from({ length: 50 }, randomPseudonym);
  for (const pseudonym of made) assertMatch(pseudonym, /^weir-[0-9a-f]{4}$/);
  assertEquals(new Set(made).size > 10, true);
});

function otherThanDefault(option: Option): unknown {
  switch (option.type) {
    case "size":
    case "duration":
    case "integer":
      return option.default + 1;
    case "choice":
      return option.choices.findLast((choice) => choice !== option.default);
    case "networks":
      return ["10.0.0.0/8"];
    case "ports":
      return ["8443"];
    case "ways":
      return ["direct"];
    case "destinations":
    case "hosts":
      return ["proxy.example.com"];
    case "rule":
      throw new TypeError("rules stand in no option");
    case "boolean":
      return true;
    case "text":
      return "other";
    case "file":
      return ["other.pem"];
    case "addresses":
      return [{ hostname: "::1", port: 1 }];
  }
}

Deno.test("limits of heads that are given hold for odd ones too", () => {
  const odd = (values: Values) => configOf(values, instance).proxy.oddHeads;
  assertEquals(odd({}), { maxHeadSize: 256 * 1024, maxFields: 1000 });
  assertEquals(odd({ "max-head-size": 65536 }), { maxHeadSize: 65536, maxFields: 1000 });
  assertEquals(odd({ "max-fields": 2000 }), { maxHeadSize: 256 * 1024, maxFields: 2000 });
});

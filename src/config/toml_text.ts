/** Writes options as a TOML file that a person goes on editing. */

import { formatIp, type IpAddress } from "../http/ip_address.ts";
import { formatPorts, type PortRange } from "../policy/port_range.ts";
import type { RateLimits } from "../policy/rates.ts";
import type { RuleSpec } from "../policy/spec.ts";
import type { TestCase } from "../policy/test_case.ts";
import { tomlString } from "../policy/toml_string.ts";
import type { Field } from "./fields.ts";
import { isRepeatable, type Option } from "./option.ts";
import { GROUPS, OPTIONS_IN_FILE, type Values } from "./options.ts";
import { formatSize } from "./quantity.ts";
import { RATES } from "./rates.ts";
import { PARENT_FIELDS, ROUTE_FIELDS } from "./route_fields.ts";
import { NO_WAYS, type WrittenWays } from "./routes.ts";
import { RULE_FIELDS, TEST_FIELDS } from "./rule_fields.ts";
import { usualMethod } from "./rules.ts";
import { describe } from "./words.ts";
import { textsOf, type Value } from "./value.ts";

/**
 * A whole file: every option with what it does. Those that were given stand as they are, the others in a comment
 * with their default, so that the file says no more than was said. Rules and tests come behind them.
 */
export function tomlText(
  values: Values,
  rules: readonly RuleSpec[] = [],
  tests: readonly TestCase[] = [],
  ways: WrittenWays = NO_WAYS,
): string {
  const lines: string[] = [];
  for (const group of GROUPS) {
    const options = OPTIONS_IN_FILE.filter((option) => option.group === group.title);
    if (options.length === 0) continue;
    if (lines.length > 0) lines.push("");
    if (group.section !== "") lines.push(`[${group.section}]`);
    for (const option of options) {
      const unset = option.type === "text" && option.defaultInWords ? ` (${option.defaultInWords})` : "";
      lines.push(`# ${describe(option)}${unset}`);
      const value = (values as Record<string, Value | undefined>)[option.flag];
      const key = option.key.slice(option.key.lastIndexOf(".") + 1);
      if (value !== undefined) lines.push(`${key} = ${literal(option, value)}`);
      else if ("default" in option && option.default !== undefined) {
        lines.push(`# ${key} = ${literal(option, option.default)}`);
      } else lines.push(`# ${key} = ${literal(option, sample(option))}`);
    }
  }
  for (const parent of ways.parents) lines.push("", ...fieldLines("parent", PARENT_FIELDS, parent));
  for (const route of ways.routes) lines.push("", ...fieldLines("route", ROUTE_FIELDS, route));
  for (const rule of rules) lines.push("", ...ruleLines(rule));
  for (const test of tests) lines.push("", ...testLines(test));
  return `${lines.join("\n")}\n`;
}

/** A rule as `[[rule]]`, with what it says and no defaults. */
function ruleLines(rule: RuleSpec): string[] {
  const lines = ["[[rule]]"];
  for (const field of RULE_FIELDS) {
    const value = field.key === "encoded-slashes" ? rule.encodedSlashes : rule[field.key];
    if (value === null || value === false || value === "" || (field.key === "mode" && value === "enforce")) {
      continue;
    }
    lines.push(`${field.key} = ${fieldLiteral(field, value)}`);
  }
  return lines;
}

function fieldLines<Key extends string>(
  title: string,
  fields: readonly (Field & { key: Key })[],
  values: Readonly<Record<Key, unknown>>,
): string[] {
  return [
    `[[${title}]]`,
    ...fields.map((field) => `${field.key} = ${fieldLiteral(field, values[field.key])}`),
  ];
}

function testLines(test: TestCase): string[] {
  const lines = ["[[test]]"];
  for (const field of TEST_FIELDS) {
    const value = field.key === "client" ? test.clientIp : test[field.key];
    if (value === null || (Array.isArray(value) && value.length === 0)) continue;
    if (field.key === "method" && value === usualMethod(test.url)) continue;
    lines.push(`${field.key} = ${fieldLiteral(field, value)}`);
  }
  return lines;
}

/** A value of a field, as {@link readField} takes it. */
function fieldLiteral(field: Field, value: unknown): string {
  switch (field.type) {
    case "users":
    case "methods":
    case "ways":
      return list((value as readonly string[]).map(tomlString));
    case "networks":
    case "hosts":
    case "paths":
      // a word such as `private` is several networks
      return list([...new Set((value as readonly { text: string }[]).map(({ text }) => tomlString(text)))]);
    case "ports":
      return list((value as readonly PortRange[]).map((range) => port(formatPorts([range]))));
    case "rates":
      return ratesLiteral(value as RateLimits);
    case "boolean":
      return String(value);
    case "address":
      return tomlString(formatIp(value as IpAddress));
    case "addresses":
      return list((value as readonly IpAddress[]).map((each) => tomlString(formatIp(each))));
    default:
      return tomlString(value as string);
  }
}

function ratesLiteral(limits: RateLimits): string {
  const given = RATES.filter(({ name }) => limits[name] !== 0).map(({ name, type }) =>
    `${name} = ${type === "size" ? tomlString(formatSize(limits[name])) : limits[name]}`
  );
  return given.length === 0 ? "{}" : `{ ${given.join(", ")} }`;
}

/** A port is a number, and several are a text. */
function port(text: string): string {
  return /^[0-9]+$/.test(text) ? text : tomlString(text);
}

function list(literals: readonly string[]): string {
  return `[${literals.join(", ")}]`;
}

function literal(option: Option, value: Value): string {
  const texts = textsOf(option, value);
  if (option.type === "integer" || option.type === "boolean") return texts[0];
  if (option.type === "ports") return list(texts.map(port));
  const strings = texts.map(tomlString);
  return isRepeatable(option) ? list(strings) : strings[0];
}

/** A value to be replaced, for an option without a default. */
function sample(option: Option): Value {
  if (option.type === "networks") return ["private"];
  if (option.type === "ways") return ["http://proxy.example:3128"];
  if (option.type === "ports") return ["443"];
  if (option.type === "addresses") return [{ hostname: "127.0.0.1", port: 8443 }];
  return isRepeatable(option) ? [option.word ?? ""] : option.word ?? "";
}

/** What a `[[rule]]` or a `[[test]]` is made of: the shape of the rows of their tables, and how a value is read. */

import { formatIp, type IpAddress, parseIp } from "../http/ip_address.ts";
import { isToken } from "../http/characters.ts";
import { type HostPattern, parseHostPattern } from "../policy/host_pattern.ts";
import { type Network, parseNetworks } from "../policy/network.ts";
import { parsePathPattern, type PathPattern } from "../policy/path_pattern.ts";
import { parsePorts, type PortRange } from "../policy/port_range.ts";
import { NO_LIMITS, type RateLimits } from "../policy/rates.ts";
import { WrongValue } from "./errors.ts";
import { didYouMean } from "./nearest.ts";
import { parseParent } from "./parent_url.ts";
import type { Option } from "./option.ts";
import { quote } from "./printable.ts";
import { RATES, zeroOf } from "./rates.ts";
import { nameOf, portTexts, readEach, string, strings, valueOfToml, way } from "./value.ts";

interface Row {
  readonly key: string;
  /** What it does, in one line without a full stop. */
  readonly help: string;
}

export interface ChoiceField extends Row {
  readonly type: "choice";
  readonly choices: readonly string[];
}

export interface OtherField extends Row {
  readonly type:
    | "line"
    | "boolean"
    | "user"
    | "users"
    | "networks"
    | "hosts"
    | "ports"
    | "method"
    | "methods"
    | "paths"
    | "rates"
    | "parent"
    | "ways"
    | "address"
    | "addresses";
}

export type Field = ChoiceField | OtherField;

/** What is read for a field. */
export type FieldValue<F extends Field> = F extends { choices: readonly (infer Choice)[] } ? Choice
  : F extends { type: "line" | "user" | "method" | "parent" } ? string
  : F extends { type: "boolean" } ? boolean
  : F extends { type: "users" | "methods" | "ways" } ? readonly string[]
  : F extends { type: "networks" } ? readonly Network[]
  : F extends { type: "hosts" } ? readonly HostPattern[]
  : F extends { type: "ports" } ? readonly PortRange[]
  : F extends { type: "paths" } ? readonly PathPattern[]
  : F extends { type: "rates" } ? RateLimits
  : F extends { type: "address" } ? IpAddress
  : readonly IpAddress[];

/** Values by key; what is absent was not given. */
export type FieldValues<F extends Field> = { readonly [Each in F as Each["key"]]?: FieldValue<Each> };

const LONGEST_LINE = 500;

/**
 * Reads what TOML holds for a field. A single value stands for a list of one.
 *
 * @throws {WrongValue}
 */
export function readField(field: Field, value: unknown): unknown {
  switch (field.type) {
    case "choice":
      return choice(field, string(value, "a text in quotes"));
    case "line":
      return line(string(value, "a text in quotes"));
    case "boolean":
      if (typeof value !== "boolean") throw new WrongValue(`must be true or false, not ${nameOf(value)}`);
      return value;
    case "user":
      return user(string(value, "a name in quotes"));
    case "users":
      return readEach(list(value, `a name or a list of them, such as "alice"`), user);
    case "networks":
      return readEach(list(value, `a network or a list of them, such as "10.0.0.0/8"`), parseNetworks).flat();
    case "hosts":
      return readEach(list(value, `a host or a list of them, such as "example.com"`), parseHostPattern);
    case "ports":
      return readEach(full(portTexts(value)), parsePorts);
    case "method":
      return method(string(value, "a method in quotes"));
    case "methods":
      return readEach(list(value, `a method or a list of them, such as "GET"`), method);
    case "paths":
      return readEach(list(value, `a path or a list of them, such as "/api/*"`), parsePathPattern);
    case "rates":
      return rates(value);
    case "parent":
      return parentUrl(string(value, `a URL in quotes, such as "http://proxy.example:3128"`));
    case "ways":
      return readEach(list(value, `a parent or a list of them, such as "http://proxy.example:3128"`), way);
    case "address":
      return address(string(value, "an address in quotes"));
    case "addresses":
      return readEach(list(value, `an address or a list of them, such as "192.0.2.1"`), address);
  }
}

function list(value: unknown, expected: string): string[] {
  return full(strings(value, expected));
}

/** A list that is empty might mean none or all: it has to be left out for all. */
function full(texts: string[]): string[] {
  if (texts.length === 0) throw new WrongValue("is empty, so that nothing could match: leave it out for any");
  return texts;
}

function parentUrl(text: string): string {
  parseParent(text);
  return text;
}

function choice({ choices }: ChoiceField, text: string): string {
  if (choices.includes(text)) return text;
  throw new WrongValue(
    `must be one of ${choices.join(", ")}, not ${quote(text)}${didYouMean(text, choices)}`,
  );
}

/** A text that goes into logs and heads: one line, and nothing that a terminal obeys. */
function line(text: string): string {
  if (text.trim() === "") throw new WrongValue("is empty: write a text, or leave it out");
  if (text !== text.trim()) throw new WrongValue("has blanks at its ends: take them away");
  if (text.length > LONGEST_LINE) throw new WrongValue(`is longer than ${LONGEST_LINE} characters`);
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(text)) {
    throw new WrongValue(`must be a single line without control characters, not ${quote(text)}`);
  }
  return text;
}

/** What Basic credentials can carry: no colon, no control characters (RFC 7617 §2). */
function user(text: string): string {
  if (text === "" || text.length > 255 || /[:\p{C}]/u.test(text)) {
    throw new WrongValue(`must be a user's name without a colon, not ${quote(text)}`);
  }
  return text;
}

/** Methods are case-sensitive (RFC 9110 §9.1), and a rule in small letters is never what was meant. */
function method(text: string): string {
  if (!isToken(text)) throw new WrongValue(`must be a method such as GET, not ${quote(text)}`);
  if (text === text.toUpperCase()) return text;
  throw new WrongValue(`must be a method as requests have it: write ${quote(text.toUpperCase())}`);
}

function address(text: string): IpAddress {
  const ip = parseIp(text.replace(/^\[(.*:.*)\]$/, "$1"));
  if (ip === null) throw new WrongValue(`must be an address such as 192.0.2.1, not ${quote(text)}`);
  // an IPv4-mapped one is the IPv4 address inside it, as it is for clients
  const [{ family, bytes }] = parseNetworks(formatIp(ip));
  return { family, bytes };
}

function rates(value: unknown): RateLimits {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new WrongValue(`must be a table such as { requests = 5, down = "1m" }, not ${nameOf(value)}`);
  }
  const limits: Record<string, number> = { ...NO_LIMITS };
  for (const [key, each] of Object.entries(value)) {
    const rate = RATES.find(({ name }) => name === key);
    if (rate === undefined) {
      throw new WrongValue(
        `there is no rate ${quote(key)}${didYouMean(key, RATES.map(({ name }) => name))}`,
        key,
      );
    }
    const { name, ...row } = rate;
    const option = { ...row, flag: name, group: "", default: 0, least: 0, zero: zeroOf(name) } as Option;
    try {
      limits[name] = valueOfToml(option, each, noAddress) as number;
    } catch (error) {
      if (error instanceof WrongValue) throw new WrongValue(`${name} ${error.message}`, name);
      throw error;
    }
  }
  return limits as unknown as RateLimits;
}

function noAddress(): never {
  throw new TypeError("rates have no addresses to listen on");
}

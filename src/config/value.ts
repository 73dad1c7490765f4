/** One value of one option: from the text of a flag, from what TOML held, and back to text. */

import { parseAuthority } from "../http/authority.ts";
import { HttpError } from "../http/error.ts";
import { formatIp, parseIp } from "../http/ip_address.ts";
import type { ListenAddress } from "../net/listen.ts";
import { parseHostPattern } from "../policy/host_pattern.ts";
import { parseNetworks } from "../policy/network.ts";
import { PatternError } from "../policy/pattern_error.ts";
import { parsePorts } from "../policy/port_range.ts";
import type { BoundedOption, Option, PatternsOption } from "./option.ts";
import { WrongValue } from "./errors.ts";
import { didYouMean } from "./nearest.ts";
import { parseParent } from "./parent_url.ts";
import { printable, quote } from "./printable.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "./quantity.ts";

export type Value = number | string | boolean | readonly string[] | readonly ListenAddress[];

/** Reads an address to listen on; throws an `Error` that says what to write. It is net/'s, and handed in. */
export type AddressReader = (text: string) => ListenAddress;

/**
 * Reads the texts that an option was given on the command line: one for each time it was given.
 *
 * @throws {WrongValue}
 */
export function valueOfFlag(option: Option, texts: readonly string[], readAddress: AddressReader): Value {
  const text = texts[texts.length - 1];
  switch (option.type) {
    case "size":
      return bounded(option, parseSize(text), text);
    case "duration":
      return bounded(option, parseDuration(text), text);
    case "integer":
      if (!/^[0-9]+$/.test(text)) throw new WrongValue(`must be a whole number, not ${quote(text)}`);
      return bounded(option, Number(text), text);
    case "boolean":
      if (text !== "true" && text !== "false") {
        throw new WrongValue(`must be true or false, not ${quote(text)}`);
      }
      return text === "true";
    case "addresses":
      return addresses(texts, readAddress);
    case "places":
      return texts.map(place);
    case "hosts":
      return texts.map(host);
    case "texts":
      return [...texts];
    case "file":
      return option.repeatable ? texts.map(fileName) : fileName(text);
    case "ways":
      return readEach(texts, way);
    case "networks":
    case "ports":
    case "destinations":
      return patterns(option, texts.flatMap((each) => each.split(",").map((part) => part.trim())));
    default:
      return word(option, text);
  }
}

/**
 * Reads what a TOML document holds for an option.
 *
 * @throws {WrongValue}
 */
export function valueOfToml(option: Option, value: unknown, readAddress: AddressReader): Value {
  switch (option.type) {
    case "size":
      if (typeof value === "number") return bounded(option, whole(value), String(value));
      return bounded(option, parseSize(string(value, `a size such as 65536 or "64k"`)), value as string);
    case "duration":
      if (typeof value === "number" && Number.isInteger(value) && value >= 0) {
        throw new WrongValue(
          `${value} needs a unit: write "${value}ms", "${value}s", "${value}m" or "${value}h"`,
        );
      }
      return bounded(option, parseDuration(string(value, `a time in quotes such as "10s"`)), value as string);
    case "integer":
      if (typeof value !== "number") {
        throw new WrongValue(`must be a number without quotes, not ${nameOf(value)}`);
      }
      return bounded(option, whole(value), String(value));
    case "boolean":
      if (typeof value !== "boolean") throw new WrongValue(`must be true or false, not ${nameOf(value)}`);
      return value;
    case "addresses":
      return addresses(
        strings(value, `an address or a list of them, such as "8888" or ["8888", "[::1]:8888"]`),
        readAddress,
      );
    case "places":
      return strings(value, `a place or a list of them, such as "127.0.0.1:6379"`).map(place);
    case "hosts":
      return strings(value, `a host or a list of them, such as "proxy.example.com"`).map(host);
    case "file":
      if (!option.repeatable) return fileName(string(value, `the name of a file in quotes`));
      return strings(value, `the name of a file or a list of them, such as "a.pem" or ["a.pem", "b.pem"]`)
        .map(fileName);
    case "texts":
      return strings(value, `a text or a list of them`);
    case "networks":
      return patterns(option, strings(value, `a network or a list of them, such as "10.0.0.0/8"`));
    case "ports":
      return patterns(option, portTexts(value));
    case "destinations":
      return patterns(option, strings(value, `a host or a list of them, such as "example.com"`));
    case "ways":
      return readEach(
        strings(value, `a parent or a list of them, such as "http://proxy.example:3128"`),
        way,
      );
    default:
      return word(option, string(value, `a text in quotes`));
  }
}

/** Writes a value as a person would: `64k`, `10s`, `127.0.0.1:8888`. Lists give one text for each item. */
export function textsOf(option: Option, value: Value): string[] {
  switch (option.type) {
    case "size":
      return [formatSize(value as number)];
    case "duration":
      return [formatDuration(value as number)];
    case "addresses":
      return (value as readonly ListenAddress[]).map(formatAddress);
    case "file":
      return option.repeatable ? [...value as readonly string[]] : [value as string];
    case "places":
    case "hosts":
    case "texts":
    case "networks":
    case "ports":
    case "destinations":
    case "ways":
      return [...value as readonly string[]];
    default:
      return [String(value)];
  }
}

/** Writes an address with its port, IPv6 in brackets. */
export function formatAddress({ hostname, port }: ListenAddress): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** What a bounded option allows, in words: "from 8k to 1m". */
export function boundsInWords(option: BoundedOption): string {
  const [least] = textsOf(option, option.least);
  const [most] = textsOf(option, option.most);
  return `from ${least} to ${most}`;
}

function bounded(option: BoundedOption, amount: number, text: string): number {
  if (amount >= option.least && amount <= option.most) return amount;
  const zero = option.least === 0 && option.zero ? `; 0: ${option.zero}` : "";
  throw new WrongValue(`must be ${boundsInWords(option)}, not ${printable(text)}${zero}`);
}

function whole(value: number): number {
  if (!Number.isInteger(value)) throw new WrongValue(`must be a whole number, not ${value}`);
  return value;
}

function word(option: Option, text: string): string {
  if (option.type === "choice" && !option.choices.includes(text)) {
    const { choices } = option;
    throw new WrongValue(
      `must be one of ${choices.join(", ")}, not ${quote(text)}${didYouMean(text, choices)}`,
    );
  }
  if (option.type === "text" && option.pattern?.test(text) === false) {
    throw new WrongValue(`must be ${option.patternInWords ?? "another text"}, not ${quote(text)}`);
  }
  return text;
}

function fileName(text: string): string {
  if (text === "" || text.includes("\0")) {
    throw new WrongValue(`must be the name of a file, not ${quote(text)}`);
  }
  return text;
}

function addresses(texts: readonly string[], readAddress: AddressReader): ListenAddress[] {
  if (texts.length === 0) throw new WrongValue("must have at least one address");
  return texts.map((text, item) => {
    try {
      return readAddress(text);
    } catch (error) {
      throw new WrongValue(`${quote(text)} ${error instanceof Error ? error.message : error}`, item);
    }
  });
}

function place(text: string, item: number): string {
  try {
    parseAuthority(text, null);
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    throw new WrongValue(error.message, item);
  }
  return text;
}

/** A name or an address in the one form in which requests have it. */
function host(text: string, item: number): string {
  const ip = parseIp(text);
  if (ip !== null) return formatIp(ip);
  try {
    const authority = parseAuthority(text, 80);
    if (!/:\d*$/.test(text.replace(/^\[.*\]/, ""))) return authority.host;
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    throw new WrongValue(error.message, item);
  }
  throw new WrongValue(`${quote(text)} has a port: write the host alone`, item);
}

const PATTERN_READERS = {
  networks: parseNetworks,
  ports: parsePorts,
  destinations: hostWithoutFile,
} as const;

function hostWithoutFile(text: string): void {
  const { kind } = parseHostPattern(text);
  if (kind === "list") {
    throw new PatternError("a list in a file goes into the hosts of a [[route]]");
  }
}

/** A parent's URL, the name of one, or `direct`; whether there is such a name is found out when all are known. */
export function way(text: string): string {
  if (text.includes("://")) parseParent(text);
  else if (text === "" || /[@:/]/.test(text)) {
    const meant = text === "" ? "" : `, not ${quote(text.slice(text.lastIndexOf("@") + 1))}`;
    throw new WrongValue(`must be a URL such as http://proxy.example:3128, a name, or direct${meant}`);
  }
  return text;
}

function patterns(option: PatternsOption, texts: readonly string[]): readonly string[] {
  const { alone = [], besides = [] } = option;
  if (texts.length === 1 && alone.includes(texts[0])) return texts;
  const item = texts.findIndex((text) => alone.includes(text) && !besides.includes(text));
  if (item >= 0) throw new WrongValue(`${texts[item]} stands alone, without others beside it`, item);
  if (texts.length === 0) throw new WrongValue("is empty: write at least one, or leave it out");
  readEach(texts, (text) => {
    if (besides.includes(text)) return;
    try {
      PATTERN_READERS[option.type](text);
    } catch (error) {
      const words = alone.length === 0 ? "" : `; or one of ${alone.join(", ")}`;
      throw error instanceof PatternError ? new PatternError(`${error.message}${words}`) : error;
    }
  });
  return texts;
}

/**
 * Reads each text of a list.
 *
 * @throws {WrongValue} with the item, also for a PatternError
 */
export function readEach<T>(texts: readonly string[], read: (text: string) => T): T[] {
  return texts.map((text, item) => {
    try {
      return read(text);
    } catch (error) {
      if (error instanceof PatternError || error instanceof WrongValue) {
        throw new WrongValue(error.message, item);
      }
      throw error;
    }
  });
}

/** Ports as TOML has them, numbers or texts, one or a list. */
export function portTexts(value: unknown): string[] {
  const all = Array.isArray(value) ? value : [value];
  if (!all.every((each) => typeof each === "number" || typeof each === "string")) {
    throw new WrongValue('must be a port or a list of them, such as 443 or [443, "8000-8999"]');
  }
  return all.map(String);
}

export function string(value: unknown, expected: string): string {
  if (typeof value !== "string") throw new WrongValue(`must be ${expected}, not ${nameOf(value)}`);
  return value;
}

export function strings(value: unknown, expected: string): string[] {
  if (typeof value === "string") return [value];
  if (!Array.isArray(value) || !value.every((each) => typeof each === "string")) {
    throw new WrongValue(`must be ${expected}`);
  }
  return value;
}

export function nameOf(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a table";
  return String(value);
}

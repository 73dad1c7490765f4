/** Hosts that programs reach without the proxy, as a person writes them. */

import { WrongValue } from "../../config/errors.ts";
import { quote } from "../../config/printable.ts";
import { HttpError } from "../../http/error.ts";
import { canonicalName } from "../../http/host_name.ts";
import { formatIp, looksLikeIpv4, parseIp } from "../../http/ip_address.ts";
import type { Exception } from "../../programs/exceptions.ts";

/**
 * Reads a list with commas.
 *
 * @throws {WrongValue} with what is wrong and what to write
 */
export function readExceptions(list: string): Exception[] {
  const words = list.split(/[\s,]+/).filter((word) => word !== "");
  const exceptions = new Map<string, Exception>();
  for (const word of words) {
    const exception = readException(word);
    exceptions.set(exception.text, exception);
  }
  return [...exceptions.values()];
}

function readException(word: string): Exception {
  if (word === "*") return { kind: "all", text: "*" };
  const slash = word.indexOf("/");
  const bare = (slash < 0 ? word : word.slice(0, slash)).replace(/^\[(.*)\]$/, "$1");
  const ip = parseIp(bare);
  if (ip !== null) {
    if (slash < 0) return { kind: "address", text: formatIp(ip) };
    const bits = word.slice(slash + 1);
    if (!/^[0-9]{1,3}$/.test(bits) || Number(bits) > ip.bytes.length * 8) {
      throw new WrongValue(`${quote(word)} is no network: write it as 10.0.0.0/8 or fd00::/8`);
    }
    return { kind: "network", text: `${formatIp(ip)}/${Number(bits)}` };
  }
  if (word.includes("://") || slash >= 0) {
    throw new WrongValue(`${quote(word)} is a URL: write the host alone`);
  }
  if (word.includes(":")) throw new WrongValue(`${quote(word)} has a port: write the host alone`);
  const below = /^\*?\./.exec(word)?.[0] ?? "";
  try {
    const name = canonicalName(word.slice(below.length));
    if (!looksLikeIpv4(name)) {
      return below === "" ? { kind: "name", text: name } : { kind: "below", text: `.${name}` };
    }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
  }
  throw new WrongValue(
    `${quote(word)} is no host: write example.com, .example.com, 192.0.2.1, 10.0.0.0/8 or *`,
  );
}

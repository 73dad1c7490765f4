/** What a list of hosts means, said as plainly as it can be: line by line, as text, every entry tried in turn. */

import { parseIp } from "../../src/http/ip_address.ts";
import { type HostPattern, nameMatches, parseHostPattern } from "../../src/policy/host_pattern.ts";
import { networkContains } from "../../src/policy/network.ts";
import { PatternError } from "../../src/policy/pattern_error.ts";

export interface NaiveHosts {
  entries: HostPattern[];
  /** The line of each thing that was not understood. */
  problems: number[];
}

const OWN_NAMES =
  /^(local|localhost|localhost\.localdomain|localhost4|localhost6|localhost4\.localdomain4|localhost4\.localdomain6|localhost6\.localdomain4|localhost6\.localdomain6|broadcasthost|ip6-.*)$/i;

/** @param text one character a byte */
export function readNaively(text: string): NaiveHosts {
  const hosts: NaiveHosts = { entries: [], problems: [] };
  text.replace(/^\xef\xbb\xbf/, "").split("\n").forEach((written, index, all) => {
    const number = index + 1;
    let line = written.replace(/\r$/, "");
    const whole = index === 0 && text.startsWith("\xef\xbb\xbf") ? line.length + 3 : line.length;
    if (whole > 4096) {
      hosts.problems.push(number);
      return;
    }
    if (index === all.length - 1 && written === "") return;
    line = line.replace(/^[ \t]+|[ \t]+$/g, "");
    if (/^([#!]|\[Adblock|$)/.test(line)) return;
    const words = line.replace(/[ \t]+#.*$/s, "").split(/[ \t]+/);
    if (words.length === 1) return readWord(words[0], number, hosts);
    if (!isAddress(words[0])) {
      hosts.problems.push(number);
      return;
    }
    for (const word of words.slice(1)) {
      if ((word.length <= 32 && OWN_NAMES.test(word)) || word === words[0]) continue;
      if (isAddress(word)) hosts.problems.push(number);
      else readWord(word, number, hosts);
    }
  });
  return hosts;
}

function isAddress(word: string): boolean {
  return word.length <= 64 && parseIp(word.replace(/%[0-9a-zA-Z._-]*$/, "")) !== null;
}

function readWord(word: string, number: number, hosts: NaiveHosts): void {
  try {
    const bytes = Uint8Array.from(word, (character) => character.charCodeAt(0));
    const decoded = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const adBlock = /^\|\|([^|^$*/]+)\^$/.exec(decoded)?.[1];
    if (adBlock === undefined && /^@@|[|^$]/.test(decoded)) throw new PatternError("a rule of ad blockers");
    const meant = adBlock === undefined ? decoded : isPlainAddress(adBlock) ? adBlock : `.${adBlock}`;
    const host = parseHostPattern(meant);
    if (host.kind === "any" || host.kind === "list") throw new PatternError("not within a list");
    hosts.entries.push(host);
  } catch (error) {
    if (!(error instanceof PatternError || error instanceof TypeError)) throw error;
    hosts.problems.push(number);
  }
}

const isPlainAddress = (text: string) => parseIp(text) !== null;

/** How many entries a list counts: different names, and networks. */
export function sizeOf({ entries }: NaiveHosts): number {
  const names = new Set<string>();
  let networks = 0;
  for (const entry of entries) {
    if ("name" in entry) names.add(entry.name);
    else networks++;
  }
  return names.size + networks;
}

export function namedBy({ entries }: NaiveHosts, host: string): boolean {
  return entries.some((entry) => nameMatches(entry, host));
}

export function addressIn({ entries }: NaiveHosts, address: string): boolean {
  return entries.some((entry) =>
    entry.kind === "network" && networkContains(entry.network, parseIp(address)!)
  );
}

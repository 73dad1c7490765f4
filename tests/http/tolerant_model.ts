/**
 * The rules of odd heads once more, written another way: as patterns over lines of text. What weir's reader says is
 * compared with what this says.
 */

import type { HeadLimits } from "../../src/http/head_reader.ts";
import type { OracleHead, Outcome } from "../fuzz/oracle.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function trim(text: string): string {
  return text.replace(/^[ \t]+/, "").replace(/(?<![ \t])[ \t]+$/, "");
}

/** The head as it is understood; its framing fields as they are sent on. */
export function readTolerantly(message: string, limits: HeadLimits): Outcome<OracleHead> {
  const most = message.slice(0, Math.max(limits.maxHeadSize, 256 * 1024));
  const tooLong = most.length < message.length;
  let at = 0;
  let empty = 0;
  let startLine: string | null = null;
  const fields: [string, string][] = [];
  let count = 0;
  let continued = false;
  for (;;) {
    const line = /^([^\r\n\0]*)\r{0,2}\n/.exec(most.slice(at));
    if (line === null) {
      return /^[^\r\n\0]*\r{0,2}$/.test(most.slice(at)) && !tooLong ? "incomplete" : "refused";
    }
    at += line[0].length;
    const text = line[1];
    if (startLine === null) {
      if (text === "") {
        if (++empty > 4) return "refused";
        continue;
      }
      startLine = statusLine(text);
      if (startLine === null) return "refused";
    } else if (text === "") break;
    else if (++count > Math.max(limits.maxFields, 1000)) return "refused";
    else if (/^[ \t]/.test(text)) {
      if (!continued) continue;
      const last = fields.at(-1)!;
      last[1] = trim(`${last[1]} ${trim(text)}`);
    } else {
      const [, name, value] = /^([^:]*):(.*)$/s.exec(text) ?? ["", "", ""];
      continued = TOKEN.test(trim(name)) && !/^[ \t]/.test(name);
      if (continued) fields.push([trim(name), trim(value)]);
    }
  }
  return { startLine, fields: framed(fields), end: at };
}

function statusLine(text: string): string | null {
  // deno-lint-ignore no-control-regex
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(text)) return null;
  const icy = /^ICY ([1-9]\d\d)(?:[ \t](.*)|(?!\d)(.*))$/.exec(text);
  if (icy !== null) return `HTTP/1.0 ${icy[1]} ${icy[2] ?? icy[3] ?? ""}`;
  const http = /^http\/(1\.\d|[23](?:\.\d)?) ([1-9]\d\d)(?:[ \t](.*)|(?!\d)(.*))$/i.exec(text);
  if (http === null) return null;
  return `HTTP/1.${http[1] === "1.0" ? 0 : 1} ${http[2]} ${http[3] ?? http[4] ?? ""}`;
}

/** Framing fields that mean one thing, in the form that says so; others as they are. */
function framed(fields: [string, string][]): [string, string][] {
  const of = (name: string) =>
    fields.filter((field) => field[0].toLowerCase() === name).map((field) => field[1]).join(",");
  const has = (name: string) => fields.some((field) => field[0].toLowerCase() === name);
  const codings = of("transfer-encoding").toLowerCase().split(",").map(trim)
    .filter((coding) => coding !== "" && coding !== "identity");
  const lengths = new Set(of("content-length").split(",").map(trim));
  const clear = codings.every((coding) => coding === "chunked") &&
    (!has("content-length") || (lengths.size === 1 && /^[0-9]+$/.test([...lengths][0])));
  if (!clear) return fields;
  let [chunked, length] = [codings.length > 0, codings.length > 0 || !has("content-length")];
  return fields.flatMap(([name, value]): [string, string][] => {
    const lower = name.toLowerCase();
    if (lower === "transfer-encoding") {
      if (!chunked) return [];
      chunked = false;
      return [[name, "chunked"]];
    }
    if (lower !== "content-length") return [[name, value]];
    if (length) return [];
    length = true;
    return [[name, [...lengths][0]]];
  });
}

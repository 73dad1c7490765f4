/**
 * The rules of messages once more, written another way: as patterns over the whole text, slow and short. What
 * weir's readers say is compared with what these say.
 */

import { CHUNKED } from "../../src/http/framing.ts";
import type { HeadKind, HeadLimits } from "../../src/http/head_reader.ts";

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const TEXT = "[\\t\\x20-\\x7e\\x80-\\xff]*";
const FIELD = `${TOKEN}:${TEXT}\\r\\n`;
const BEGUN_FIELD = `${TOKEN}(?::${TEXT}\\r?)?`;

const FIELDS = new RegExp(`^(?:${FIELD})*\\r\\n`);
const BEGUN_FIELDS = new RegExp(`^(?:${FIELD})*(?:${BEGUN_FIELD}|\\r)?$`);
const START_LINE = new RegExp(`^${TEXT}\\r\\n`);
const BEGUN_START_LINE = new RegExp(`^${TEXT}\\r?$`);
const FIRST_BYTE = new RegExp(`^${TOKEN}`);

/** What becomes of bytes: refused, more is needed, or a whole value. */
export type Outcome<T> = "refused" | "incomplete" | T;

export interface OracleHead {
  startLine: string;
  fields: [name: string, value: string][];
  /** Bytes that were used. */
  end: number;
}

/** Reads the head of a message. */
export function readHead(kind: HeadKind, message: string, limits: HeadLimits): Outcome<OracleHead> {
  let start = 0;
  if (kind === "request") {
    while (message.startsWith("\r\n", start)) start += 2;
    if (start > 8) return "refused";
    if (start === message.length || message.slice(start) === "\r") return "incomplete";
    if (!FIRST_BYTE.test(message.slice(start))) return "refused";
  }
  const most = message.slice(start, start + limits.maxHeadSize);
  const line = START_LINE.exec(most)?.[0];
  if (line === undefined) {
    return BEGUN_START_LINE.test(most) && most.length < limits.maxHeadSize ? "incomplete" : "refused";
  }
  const fields = readFields(message.slice(start + line.length), {
    maxFields: limits.maxFields,
    maxHeadSize: limits.maxHeadSize - line.length,
  });
  if (typeof fields === "string") return fields;
  return { startLine: line.slice(0, -2), fields: fields.fields, end: start + line.length + fields.end };
}

/** Reads fields up to the empty line, as they stand in a head or after the last chunk. */
export function readFields(section: string, limits: HeadLimits): Outcome<Omit<OracleHead, "startLine">> {
  const most = section.slice(0, limits.maxHeadSize);
  const whole = FIELDS.exec(most)?.[0];
  if (whole === undefined) {
    const begun = BEGUN_FIELDS.test(most) && most.length < limits.maxHeadSize;
    const lines = most.split("\r\n");
    const count = lines.length - (/^\r?$/.test(lines.at(-1)!) ? 1 : 0);
    return begun && count <= limits.maxFields ? "incomplete" : "refused";
  }
  const lines = whole.split("\r\n").slice(0, -2);
  if (lines.length > limits.maxFields) return "refused";
  return {
    fields: lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "")];
    }),
    end: whole.length,
  };
}

/** Method, target and minor version of a request line; else the status that it is refused with. */
export function readRequestLine(line: string): number | [method: string, target: string, minor: number] {
  const parts = new RegExp(`^(${TOKEN}) ([\\x21-\\x7e\\x80-\\xff]+) HTTP/([0-9])\\.([0-9])$`).exec(line);
  if (parts === null || parts[3] === "0") return 400;
  if (parts[3] !== "1") return 505;
  return [parts[1], parts[2], parts[4] === "0" ? 0 : 1];
}

/** Status and reason phrase of a status line; `null` for what is none. */
export function readStatusLine(line: string): [status: number, reason: string] | null {
  const parts = new RegExp(`^HTTP/1\\.[0-9] ([1-9][0-9][0-9])(?: (${TEXT}))?$`).exec(line);
  return parts === null ? null : [Number(parts[1]), parts[2] ?? ""];
}

function valuesOf(head: OracleHead, name: string): string[] {
  return head.fields.filter((field) => field[0].toLowerCase() === name).map((field) => field[1]);
}

/** What the framing fields of a head say: a length, {@link CHUNKED}, nothing (`null`), or why they are refused. */
export function readFraming(head: OracleHead): number | null | "both" | "coding" | "length" {
  const codings = valuesOf(head, "transfer-encoding");
  const lengths = valuesOf(head, "content-length");
  if (codings.length > 0 && lengths.length > 0) return "both";
  if (codings.length > 0) {
    return codings.length === 1 && codings[0].toLowerCase() === "chunked" ? CHUNKED : "coding";
  }
  if (lengths.length === 0) return null;
  const valid = lengths.length === 1 && /^[0-9]+$/.test(lengths[0]) && BigInt(lengths[0]) < 2n ** 53n;
  return valid ? Number(lengths[0]) : "length";
}

const NEVER_SENT_ON = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "te",
  "transfer-encoding",
  "upgrade",
  "proxy-authorization",
  "proxy-authenticate",
  "proxy-authentication-info",
  "http2-settings",
]);

/** Some of the fields that stay when Connection names them, and of these, those that the fuzz run brings up. */
const ALWAYS_SENT_ON = new Set(["host", "content-length", "authorization", "cookie", "via", "cache-control"]);

/** The fields that are sent on (RFC 9110 §7.6.1), Host as it came. */
export function sentOn(head: OracleHead): [name: string, value: string][] {
  const named = new Set(
    valuesOf(head, "connection").flatMap((value) => value.split(","))
      .map((option) => option.replace(/^[ \t]+|[ \t]+$/g, "").toLowerCase()),
  );
  for (const option of ["close", "keep-alive", "upgrade"]) named.delete(option);
  return head.fields.filter(([name]) => {
    const lower = name.toLowerCase();
    return !NEVER_SENT_ON.has(lower) && (!named.has(lower) || ALWAYS_SENT_ON.has(lower));
  });
}

export interface OracleBody {
  /** All data up to where the body ends, breaks, or is cut. */
  data: string;
  outcome: Outcome<{ trailers: [string, string][]; end: number }>;
}

/** Unwraps a chunked body. */
export function unwrap(body: string, limits: HeadLimits): OracleBody {
  const sizeLine = new RegExp(`([0-9A-Fa-f]{1,16})([ \\t]*;${TEXT})?\\r\\n`, "y");
  const begunSizeLine = new RegExp(`([0-9A-Fa-f]{1,16})([ \\t]*(?:;${TEXT}\\r?)?|\\r)$`, "y");
  let data = "";
  for (let at = 0;;) {
    if (at === body.length) return { data, outcome: "incomplete" };
    sizeLine.lastIndex = begunSizeLine.lastIndex = at;
    const whole = sizeLine.exec(body);
    const line = whole ?? begunSizeLine.exec(body);
    if (line === null) return { data, outcome: "refused" };
    const size = parseInt(line[1], 16);
    const length = line[0].replace("\n", "").length;
    if (size > Number.MAX_SAFE_INTEGER || (line[2] !== undefined && length > 4096)) {
      return { data, outcome: "refused" };
    }
    if (whole === null) return { data, outcome: "incomplete" };
    at += whole[0].length;
    if (size === 0) {
      const fields = readFields(body.slice(at), limits);
      if (typeof fields === "string") return { data, outcome: fields };
      return { data, outcome: { trailers: fields.fields, end: at + fields.end } };
    }
    data += body.slice(at, at + size);
    at += size;
    const lineEnd = body.slice(at, at + 2);
    if (lineEnd !== "\r\n") return { data, outcome: "\r\n".startsWith(lineEnd) ? "incomplete" : "refused" };
    at += 2;
  }
}

/** What `weir cache` prints for people. */

import type { Finding } from "../cache/find.ts";
import { directivesOf, type Lifetime } from "../cache/freshness.ts";
import { BOLD, DIM, GREEN, paint, statusColor, YELLOW } from "../observe/colors.ts";
import { padLeft, padRight, shown } from "../observe/columns.ts";
import { printable } from "../observe/printable.ts";
import { humanDuration, humanSize } from "../observe/quantities.ts";
import type { CachedResponse } from "./cache.ts";

const URL_WIDTH = 200;
const FIELD_WIDTH = 300;
const USER_WIDTH = 32;
const INDENT = "    ";

export function listHead(colors: boolean): string {
  const text =
    `${padLeft("size", 7)} ${padLeft("status", 6)} ${padLeft("age", 7)}  ${padRight("freshness", 13)} ` +
    `${padLeft("hits", 5)} ${padLeft("used", 7)}  url\n`;
  return paint(colors, DIM, text);
}

export function listRow(each: CachedResponse, now: number, colors: boolean): string {
  const { url, user, meta, object, usage, age, left } = each;
  const status = paint(colors, statusColor(meta.status), padLeft(`${meta.status}`, 6));
  const fresh = paint(colors, left > 0 ? GREEN : YELLOW, padRight(freshness(left), 13));
  const whose = user === "" ? "" : paint(colors, DIM, `  of ${shown(user, USER_WIDTH)}`);
  const vary = meta.vary.length === 0 ? "" : paint(colors, DIM, `  ${shown(varyText(each), URL_WIDTH)}`);
  return `${padLeft(humanSize(object.length), 7)} ${status} ${padLeft(seconds(age), 7)}  ${fresh} ` +
    `${padLeft(`${usage.hits}`, 5)} ${padLeft(humanDuration(Math.max(0, now - usage.used)), 7)}  ` +
    `${shown(url, URL_WIDTH)}${vary}${whose}\n`;
}

export function showText(
  each: CachedResponse,
  finding: Finding,
  lifetime: Lifetime,
  now: number,
  colors: boolean,
): string {
  const { url, user, meta, object, usage, age, left } = each;
  const status = paint(
    colors,
    statusColor(meta.status),
    `${meta.status} ${printable(meta.reason, FIELD_WIDTH)}`,
  );
  const heading = `${paint(colors, BOLD, shown(url, URL_WIDTH))}${
    user === "" ? "" : `  of ${shown(user, USER_WIDTH)}`
  }`;
  const said = lifetime.heuristic ? "a guess, for it says nothing" : "as it says";
  const lines = [
    status.trimEnd(),
    ...meta.fields.map(([name, value]) => paint(colors, DIM, shown(`${name}: ${value}`, FIELD_WIDTH))),
    "",
    `${humanSize(object.length)} of body, ${humanSize(usage.bytes)} in all`,
    `stored ${ago(now, object.written)}, ${uses(usage.hits)}${
      usage.hits === 0 ? "" : `, last ${ago(now, usage.used)}`
    }`,
    `${seconds(age)} old, fresh for ${seconds(lifetime.seconds)} (${said}): ${freshness(left)}`,
    ...(meta.vary.length === 0 ? [] : [`for requests with ${shown(varyText(each), FIELD_WIDTH)}`]),
    `a request now: ${paint(colors, finding.kind === "hit" ? GREEN : YELLOW, nextText(each, finding))}`,
  ];
  return `${heading}\n${lines.map((line) => `${line === "" ? "" : INDENT}${line}\n`).join("")}\n`;
}

export function statsText(sums: {
  objects: number;
  bytes: number;
  bodyBytes: number;
  fresh: number;
  hits: number;
  fileBytes: number;
  process: number | null;
}): string {
  const { objects, bytes, bodyBytes, fresh, hits, fileBytes, process } = sums;
  return `${objects} ${objects === 1 ? "response" : "responses"}, of which ${fresh} ${
    fresh === 1 ? "is" : "are"
  } fresh
${humanSize(bodyBytes)} of bodies, ${humanSize(bytes)} with all that belongs to them
${humanSize(fileBytes)} of files
${hits} ${hits === 1 ? "hit" : "hits"} on what is there
${process === null ? "not in use by a weir" : `in use by the weir with process number ${process}`}
`;
}

export function removedText(count: number, bytes: number): string {
  if (count === 0) return "nothing was removed";
  return `${count} ${count === 1 ? "response was" : "responses were"} removed, ${humanSize(bytes)}`;
}

/** What would become of the same request, and why. */
export function nextText({ meta, left }: CachedResponse, finding: Finding): string {
  switch (finding.kind) {
    case "hit":
      return finding.stored === meta
        ? "hit, answered with it"
        : "hit, answered with a later one for the same requests";
    case "stale":
      return "hit, answered with it although it is stale, and fetched once more meanwhile (stale-while-revalidate)";
    case "validate": {
      const why = directivesOf(meta).noCache === true
        ? "it says no-cache"
        : left <= 0
        ? `it has been stale for ${seconds(-left)}`
        : "it has to be";
      const how = finding.fields.length === 0
        ? "fetched again as a whole, for it has neither ETag nor Last-Modified"
        : `the origin is asked whether it still holds, by ${
          finding.fields.map(([name]) => name).join(" and ")
        }`;
      return `${how}: ${why}`;
    }
    default:
      return "fetched again";
  }
}

function uses(hits: number): string {
  if (hits === 0) return "not used since";
  return hits === 1 ? "used once" : `used ${hits} times`;
}

function varyText({ meta }: CachedResponse): string {
  return meta.vary.map(([name, value]) => value === "" ? `no ${name}` : `${name}: ${value}`).join(", ");
}

export function freshness(left: number): string {
  return left > 0 ? `fresh ${seconds(left)}` : `stale ${seconds(-left)}`;
}

function ago(now: number, then: number): string {
  return then > now ? "just now" : `${humanDuration(now - then)} ago`;
}

function seconds(count: number): string {
  return count === 0 ? "0 s" : humanDuration(count * 1000);
}

/** What a client gets of a stored response (RFC 9111 §4, §4.3.2; RFC 9110 §13.2.2, §14.2). */

import { allowsRange, isNotModified } from "./conditional.ts";
import { readResponseDirectives } from "./cache_control.ts";
import { fieldOf } from "./field_lines.ts";
import { contentRange, heldBy, readRange, type Span, spanOf, wholeLength } from "./range.ts";
import { omittedFields } from "./storability.ts";
import type { CacheRequest, FieldLine, Fields, StoredResponse } from "./stored_response.ts";

export interface StoredAnswer {
  readonly status: number;
  /** All fields but those that weir adds to every response: `Via`, `Cache-Status`. */
  readonly lines: FieldLine[];
  /** Which bytes of the stored body are sent: the first and the one after the last; `null` for none. */
  readonly body: Span | null;
}

/** Statuses of which the head says nothing of a body (RFC 9110 §8.6). */
const WITHOUT_LENGTH: ReadonlySet<number> = new Set([204, 304]);

/**
 * The answer to a GET or HEAD from a stored response that may be used for it: it was selected by `Vary`, and is
 * fresh, has been validated or may be used stale.
 *
 * Preconditions are taken in the order of RFC 9110 §13.2.2. A cache does not evaluate `If-Match` and
 * `If-Unmodified-Since` (RFC 9111 §4.3.2); since the client wants them evaluated, their requests are not answered
 * from here. Then come `If-None-Match`, `If-Modified-Since`, and `Range` with `If-Range`.
 *
 * @param age seconds, for `Age` (§5.1)
 * @param validated whether the origin has just said that it holds for this request: only then are the fields sent
 * that `no-cache="…"` names (§5.2.2.4) and `private="…"` (§5.2.2.7)
 * @return `null` when the origin has to be asked: it is the only one who can tell, or a part is stored of which the
 * request wants more
 */
export function answerFrom(
  stored: StoredResponse,
  request: CacheRequest,
  age: number,
  validated = false,
): StoredAnswer | null {
  const { method, fields } = request;
  if (method !== "GET" && method !== "HEAD") return null;
  if ((stored.status === 206) !== (stored.range !== null)) return null;
  if (fields.field("if-match") !== "" || fields.field("if-unmodified-since") !== "") return null;

  const { sent, unmodified } = linesOf(stored, validated);
  const ageLine: FieldLine = ["Age", ageText(age)];
  if (isNotModified(stored, fields)) return { status: 304, lines: [...unmodified, ageLine], body: null };
  if (method === "GET" && (stored.status === 200 || stored.status === 206)) {
    const part = partFor(stored, fields, sent, ageLine);
    if (part !== undefined) return part;
  }
  // a part is no answer to who wants the whole
  if (stored.range !== null) return null;
  if (WITHOUT_LENGTH.has(stored.status)) {
    return { status: stored.status, lines: [...sent, ageLine], body: null };
  }
  return {
    status: stored.status,
    lines: [...sent, ["Content-Length", String(stored.length)], ageLine],
    body: method === "HEAD" ? null : { first: 0, end: stored.length },
  };
}

/** The greatest age that is written: what is older is not told apart (§1.2.2). */
const MAX_AGE = 2 ** 31;

/** An age in seconds as it is written (§5.1). */
export function ageText(age: number): string {
  return String(Math.min(Math.max(0, Math.floor(age) || 0), MAX_AGE));
}

/**
 * The answer to a request for a range (RFC 9110 §14.2); `undefined` when it asks for none, or its `Range` is
 * ignored: for other units, for several ranges, for what cannot be read and where `If-Range` says so.
 */
function partFor(
  stored: StoredResponse,
  request: Fields,
  lines: readonly FieldLine[],
  ageLine: FieldLine,
): StoredAnswer | null | undefined {
  const asked = request.field("range");
  if (asked === "") return undefined;
  const range = readRange(asked);
  if (range === null || !allowsRange(stored, request.field("if-range"))) return undefined;
  const whole = wholeLength(stored);
  const span = spanOf(range, whole);
  if (span === null) return stored.range === null ? unsatisfiable(whole, lines) : null;
  // no Content-Range can say that a part is empty (§14.4)
  if (span.first === span.end) return undefined;
  const held = heldBy(stored);
  if (span.first < held.first || span.end > held.end) return null;
  const first = span.first - held.first;
  const end = span.end - held.first;
  // a body that is shorter than it is said to be answers nothing
  if (end > stored.length) return null;
  return {
    status: 206,
    lines: [
      // complete responses that have one all the same: it is of no meaning there (§14.4), but would be here
      ...lines.filter(([name]) => name.toLowerCase() !== "content-range"),
      ["Content-Range", contentRange({ first: span.first, last: span.end - 1, whole })],
      ["Content-Length", String(end - first)],
      ageLine,
    ],
    body: { first, end },
  };
}

/** RFC 9110 §15.5.17. It is weir's own answer, so that nothing is said but what the client needs to ask better. */
function unsatisfiable(whole: number, lines: readonly FieldLine[]): StoredAnswer {
  return {
    status: 416,
    lines: [
      ...lines.filter(([name]) => VALIDATORS.has(name.toLowerCase())),
      ["Content-Range", `bytes */${whole}`],
      ["Cache-Control", "no-store"],
      ["Content-Length", "0"],
    ],
    body: null,
  };
}

const VALIDATORS: ReadonlySet<string> = new Set(["etag", "last-modified"]);

/** The lines of a stored response that are sent whatever is asked, in a whole answer and in a 304. */
interface Lines {
  readonly sent: readonly FieldLine[];
  readonly unmodified: readonly FieldLine[];
}

/** Fields that are made anew for each answer. */
const MADE_ANEW: ReadonlySet<string> = new Set(["age", "content-length", "transfer-encoding", "connection"]);

/**
 * Fields of a 304 (RFC 9110 §15.4.5). `Last-Modified` is one of them where there is no `ETag`; all others would
 * only repeat what the client has.
 */
const OF_UNMODIFIED: ReadonlySet<string> = new Set([
  "cache-control",
  "content-location",
  "date",
  "etag",
  "expires",
  "last-modified",
  "vary",
]);

/** What was made of stored responses that are answered with again and again; of the latest alone. */
let made = new WeakMap<StoredResponse, Lines>();
let countMade = 0;
const MAX_MADE = 256;

function linesOf(stored: StoredResponse, validated: boolean): Lines {
  if (validated) return makeLines(stored, validated);
  let lines = made.get(stored);
  if (lines === undefined) {
    lines = makeLines(stored, validated);
    if (++countMade > MAX_MADE) {
      made = new WeakMap();
      countMade = 1;
    }
    made.set(stored, lines);
  }
  return lines;
}

function makeLines(stored: StoredResponse, validated: boolean): Lines {
  const omitted = validated ? null : omittedFrom(stored);
  const { fields } = stored;
  const sent: FieldLine[] = [];
  const unmodified: FieldLine[] = [];
  const tagged = fields.some(([name]) => name.toLowerCase() === "etag");
  for (const line of fields) {
    const name = line[0].toLowerCase();
    if (!isSentAlways(stored, name, omitted)) continue;
    sent.push(line);
    if (OF_UNMODIFIED.has(name) && !(tagged && name === "last-modified")) unmodified.push(line);
  }
  return { sent, unmodified };
}

/** The names of the fields that the origin has to allow for each answer (§5.2.2.4, §5.2.2.7). */
export function omittedFrom({ fields }: StoredResponse): ReadonlySet<string> {
  return omittedFields(readResponseDirectives(fieldOf(fields, "cache-control")));
}

/**
 * Whether a field, by its name in lower case, stands in every answer as it was stored. Others are made anew, or left
 * out: those that are `omitted`, which the origin's own word for the answer changes (`null` with it).
 */
export function isSentAlways(
  { range }: Pick<StoredResponse, "range">,
  name: string,
  omitted: ReadonlySet<string> | null,
): boolean {
  return !MADE_ANEW.has(name) && !omitted?.has(name) && !(name === "content-range" && range !== null);
}

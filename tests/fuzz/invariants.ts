/** What holds for every input, whatever its bytes: each function here takes one and throws when it does not. */

import { parseAuthority } from "../../src/http/authority.ts";
import { CHUNK_PREFIX, CHUNK_SUFFIX, ChunkedReader, wrapChunk } from "../../src/http/chunked.ts";
import { HttpError } from "../../src/http/error.ts";
import {
  CHUNKED,
  framesNothing,
  requestFraming,
  responseFraming,
  UNTIL_CLOSE,
} from "../../src/http/framing.ts";
import { Field } from "../../src/http/field_names.ts";
import { type HeadKind, type HeadLimits, HeadReader } from "../../src/http/head_reader.ts";
import { HeadWriter, TRANSFER_ENCODING_CHUNKED } from "../../src/http/head_writer.ts";
import { ConnectionOptions } from "../../src/http/hop_by_hop.ts";
import { ResponseReader } from "../../src/http/response_reader.ts";
import {
  readRequestLine,
  readStatusLine,
  type RequestLine,
  type StatusLine,
} from "../../src/http/start_line.ts";
import { DEFAULT_PORTS, readTarget, type Target } from "../../src/http/target.ts";
import { bytes, fieldsOf, LIMITS, text } from "../http/reading.ts";
import { readTolerantly } from "../http/tolerant_model.ts";
import * as oracle from "./oracle.ts";

const CONTENT_LENGTH = 1 << Field.ContentLength;

/** An input for which something does not hold. */
export class Violation extends Error {
  override readonly name = "Violation";
}

function same(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Violation(`${what}:\n  is        ${left}\n  should be ${right}`);
}

function holds(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Violation(what);
}

/** Runs what may refuse its input: an {@link HttpError} is returned, and anything else goes through. */
export function attempt<T>(run: () => T): T | HttpError {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    holds(error.status >= 400 && error.status <= 599, `the status ${error.status}`);
    // deno-lint-ignore no-control-regex
    holds(/^[^\0-\x1f\x7f]+[^.]$/.test(error.message), `the message ${JSON.stringify(error.message)}`);
    return error;
  }
}

/** What stands behind the bytes that have come: whatever a buffer was last used for. */
const LEFT_BEHIND = bytes("\0 \r\n\tA:\xff");

/**
 * Reads a head that comes in pieces, cut at these places. For each piece the head moves to another buffer, in
 * which it stands elsewhere and is followed by bytes that nobody may look at.
 */
export function readInPieces(reader: HeadReader, message: Uint8Array, cuts: readonly number[]): boolean {
  let offset = 0;
  reader.begin(new Uint8Array(0), 0);
  for (const cut of [...cuts, message.length]) {
    const next = (cut * 7) % 13;
    const buffer = new Uint8Array(next + cut + 4).fill(LEFT_BEHIND[cut % LEFT_BEHIND.length]);
    buffer.set(message.subarray(0, cut), next);
    reader.move(buffer, next - offset);
    offset = next;
    if (reader.read(next + cut)) return true;
  }
  return false;
}

/** What a reader says of a head, as plain values. */
function outcomeOf(reader: HeadReader, read: boolean | HttpError): oracle.Outcome<oracle.OracleHead> {
  if (read instanceof HttpError) return "refused";
  if (!read) return "incomplete";
  const fields = fieldsOf(reader);
  return {
    startLine: reader.text(reader.start, reader.startLineEnd),
    fields,
    end: reader.end,
  };
}

/** Reads a head in one piece and in pieces, and compares both with the oracle. */
function checkHead(
  kind: HeadKind,
  message: Uint8Array,
  cuts: readonly number[],
  limits: HeadLimits,
): HeadReader {
  const reader = new HeadReader(kind, limits);
  reader.begin(message, 0);
  const read = attempt(() => reader.read(message.length));
  const outcome = outcomeOf(reader, read);
  same(outcome, oracle.readHead(kind, text(message), limits), "the head");

  const other = new HeadReader(kind, limits);
  const readOther = attempt(() => readInPieces(other, message, cuts));
  if (read instanceof HttpError) {
    holds(readOther instanceof HttpError, `accepted in pieces, but not in one: ${read.message}`);
    same([readOther.status, readOther.message], [read.status, read.message], "the refusal of pieces");
  } else {
    const otherOutcome = outcomeOf(other, readOther);
    // where it ends is counted from where it stands
    const offset = other.end - reader.end;
    if (typeof otherOutcome !== "string") otherOutcome.end -= offset;
    same(otherOutcome, outcome, "the head in pieces");
    same(other.seen, reader.seen, "the fields seen in pieces");
    for (let index = 0; index < reader.count; index++) {
      same(other.number(index), reader.number(index), "the number of a field in pieces");
    }
  }
  return reader;
}

/** A request as weir understands it. */
export interface Understood extends RequestLine {
  head: HeadReader;
  method: string;
  target: Target;
  framing: number;
  options: ConnectionOptions;
}

/** Understands a request whose head is whole. */
export function understandRequest(head: HeadReader): Understood {
  const line: RequestLine = { methodEnd: 0, targetStart: 0, targetEnd: 0, minorVersion: 0 };
  readRequestLine(head, line);
  const method = head.text(head.start, line.methodEnd);
  const target = readTarget(head, line, method);
  const framing = requestFraming(head, line.minorVersion);
  const options = new ConnectionOptions();
  options.read(head);
  return { ...line, head, method, target, framing, options };
}

/** The head that is sent on. */
export function rewriteRequest(request: Understood): Uint8Array {
  const writer = new HeadWriter(16);
  writer.begin(request.head);
  writer.requestLine(request.head, request, request.target, request.method);
  const { target } = request;
  writer.fields(request.head, request.options, target.form === "absolute" ? target : null);
  if (request.framing === CHUNKED) writer.add(TRANSFER_ENCODING_CHUNKED);
  writer.end();
  return writer.bytes.slice(0, writer.length);
}

/** Reads a head again that weir wrote: it is whole, to its last byte. */
function readAgain(kind: HeadKind, written: Uint8Array): HeadReader {
  const reader = new HeadReader(kind, { maxHeadSize: written.length, maxFields: 1000 });
  reader.begin(written, 0);
  const read = attempt(() => reader.read(written.length));
  if (read instanceof HttpError) throw new Violation(`what is sent on is refused: ${read.message}`);
  holds(
    read && reader.end === written.length,
    `what is sent on is not one head: ${JSON.stringify(text(written))}`,
  );
  return reader;
}

/** Checks what is made of bytes that a client sends, cut at these places. */
export function checkRequest(message: Uint8Array, cuts: readonly number[], limits = LIMITS): void {
  const head = checkHead("request", message, cuts, limits);
  if (!head.complete) return;
  const before = text(message);
  const asOracle = oracle.readHead("request", before, limits) as oracle.OracleHead;

  const line = oracle.readRequestLine(asOracle.startLine);
  const understood = attempt(() => understandRequest(head));
  if (typeof line === "number") {
    holds(understood instanceof HttpError, `the request line ${asOracle.startLine} is accepted`);
    same(understood.status, line, "the status for the request line");
    return;
  }
  const [method, target, minorVersion] = line;
  const framing = oracle.readFraming(asOracle);
  if (understood instanceof HttpError) {
    const codes = framing === "coding" ? [400, 501] : [400];
    holds(codes.includes(understood.status), `the status ${understood.status}: ${understood.message}`);
    return;
  }
  same(
    [understood.method, head.text(understood.targetStart, understood.targetEnd), understood.minorVersion],
    line,
    "the request line",
  );
  holds(typeof framing !== "string", `the framing is accepted, although: ${framing}`);
  holds(framing !== CHUNKED || minorVersion === 1, "chunked is accepted in HTTP/1.0");
  same(understood.framing, framing ?? 0, "the framing");
  if (understood.target.form === "absolute") checkSentOn(understood, asOracle, method, target, limits);
  same(text(message), before, "the head after it was sent on");
}

function checkSentOn(
  request: Understood,
  before: oracle.OracleHead,
  method: string,
  target: string,
  limits: HeadLimits,
): void {
  const { scheme, authority } = request.target;
  const written = rewriteRequest(request);
  const head = readAgain("request", written);

  // the same path, to the byte, without a fragment
  const path = /^https?:\/\/[^/?#]*([^#]*)/is.exec(target)![1];
  const expectedPath = path === "" && method === "OPTIONS" ? "*" : path.startsWith("/") ? path : "/" + path;
  const startLine = head.text(head.start, head.startLineEnd);
  same(startLine, `${method} ${expectedPath} HTTP/1.1`, "the request line that is sent on");

  // the same fields, with one Host
  const host = authority!.hostField(DEFAULT_PORTS[scheme]);
  const expected: [string, string][] = [];
  let hosts = 0;
  for (const [name, value] of oracle.sentOn(before)) {
    if (name.toLowerCase() !== "host") expected.push([name, value]);
    else if (++hosts === 1) expected.push([value === host ? name : "Host", host]);
  }
  if (hosts === 0) expected.push(["Host", host]);
  if (request.framing === CHUNKED) expected.push(["Transfer-Encoding", "chunked"]);
  same(fieldsOf(head), expected, "the fields that are sent on");

  // read again by weir, it means the same
  const again = attempt(() => understandRequest(head));
  if (again instanceof HttpError) throw new Violation(`what is sent on is refused: ${again.message}`);
  same([again.method, again.framing, again.minorVersion], [method, request.framing, 1], "what is sent on");

  // and through a second weir, it is not changed any more
  const absolute = `${scheme}://${host}${expectedPath === "*" ? "" : expectedPath}`;
  const onward = bytes(text(written).replace(startLine, () => `${method} ${absolute} HTTP/1.1`));
  const secondHead = new HeadReader("request", { ...limits, maxHeadSize: 1 << 20, maxFields: 1000 });
  secondHead.begin(onward, 0);
  secondHead.read(onward.length);
  const second = understandRequest(secondHead);
  same(second.target.authority!.text, authority!.text, "the authority at the second proxy");
  same(text(rewriteRequest(second)), text(written), "the head at the second proxy");
}

/** Checks what is made of bytes that an origin sends as the answer to a request with this method. */
export function checkResponse(
  message: Uint8Array,
  cuts: readonly number[],
  method: string,
  limits = LIMITS,
): void {
  const head = checkHead("response", message, cuts, limits);
  if (!head.complete) return;
  const asOracle = oracle.readHead("response", text(message), limits) as oracle.OracleHead;
  const line: StatusLine = { status: 0, minorVersion: 0, reasonStart: 0 };
  const refused = attempt(() => readStatusLine(head, line));
  const expectedLine = oracle.readStatusLine(asOracle.startLine);
  if (refused instanceof HttpError) {
    same([refused.status, expectedLine], [502, null], "the refusal of the status line");
    return;
  }
  same([line.status, head.text(line.reasonStart, head.startLineEnd)], expectedLine, "the status line");

  const framing = attempt(() => responseFraming(head, line.status, method));
  const said = oracle.readFraming(asOracle);
  const tunnel = method === "CONNECT" && line.status >= 200 && line.status < 300;
  const bodiless = method === "HEAD" || line.status < 200 || line.status === 204 || line.status === 304;
  if (framing instanceof HttpError) {
    same(framing.status, 502, "the status for the framing");
    holds(typeof said === "string" && !tunnel && !bodiless, "a valid framing is refused");
    return;
  }
  holds(typeof said !== "string" || tunnel || bodiless, `the framing is accepted, although: ${said}`);
  checkResponseSentOn(head, line, framing, asOracle, expectedLine!, method);
}

/** Checks the head that is sent on for a response that was understood. */
function checkResponseSentOn(
  head: HeadReader,
  line: StatusLine,
  framing: number,
  asOracle: oracle.OracleHead,
  expectedLine: [status: number, reason: string],
  method: string,
  canonical = false,
): void {
  const said = oracle.readFraming(asOracle);
  const tunnel = method === "CONNECT" && line.status >= 200 && line.status < 300;
  const bodiless = method === "HEAD" || line.status < 200 || line.status === 204 || line.status === 304;
  const nothing = framesNothing(head, line.status, method, false);
  same(framing, tunnel || bodiless ? 0 : said ?? UNTIL_CLOSE, "the framing");

  const options = new ConnectionOptions();
  options.read(head);
  const writer = new HeadWriter(16);
  writer.begin(head);
  if (nothing) writer.leaveOut = CONTENT_LENGTH;
  writer.statusLine(head, line);
  writer.fields(head, options, null);
  if (framing === CHUNKED) writer.add(TRANSFER_ENCODING_CHUNKED);
  writer.end();

  const written = writer.bytes.slice(0, writer.length);
  const again = canonical ? readCanonically(written) : readAgain("response", written);
  same(
    again.text(again.start, again.startLineEnd),
    `HTTP/1.1 ${line.status} ${expectedLine[1]}`,
    "the status line that is sent on",
  );
  const expected = oracle.sentOn(asOracle)
    .filter(([name]) => !nothing || name.toLowerCase() !== "content-length");
  if (framing === CHUNKED) expected.push(["Transfer-Encoding", "chunked"]);
  same(fieldsOf(again), expected, "the fields that are sent on");
  const framingAgain = attempt(() => responseFraming(again, line.status, method));
  same(framingAgain, framing, "the framing of what is sent on");
}

/** Reads a head that weir wrote of an odd one, in which control characters were kept: as the strict reader without them. */
function readCanonically(written: Uint8Array): HeadReader {
  // deno-lint-ignore no-control-regex
  readAgain("response", bytes(text(written).replace(/[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]/g, "?")));
  const reader = new HeadReader("response", LIMITS);
  reader.readCanonical(written, "head");
  holds(reader.complete && reader.end === written.length, "what is sent on is one head");
  return reader;
}

/** Reads the head of a response with tolerance, in pieces that each stand elsewhere. */
function readOdd(
  message: Uint8Array,
  cuts: readonly number[],
  limits: HeadLimits,
): [ResponseReader, boolean | HttpError, end: number] {
  const reader = new ResponseReader({ ...limits, originTolerance: "tolerant" });
  let offset = 0;
  const read = attempt(() => {
    reader.begin(new Uint8Array(0), 0);
    for (const cut of [...cuts, message.length]) {
      const next = (cut * 7) % 13;
      const buffer = new Uint8Array(next + cut + 4).fill(LEFT_BEHIND[cut % LEFT_BEHIND.length]);
      buffer.set(message.subarray(0, cut), next);
      reader.move(buffer, next - offset);
      offset = next;
      if (reader.read(next + cut)) return true;
    }
    return false;
  });
  return [reader, read, reader.end - offset];
}

/**
 * Checks what is made with tolerance of bytes that an origin sends: what the model says, whatever the pieces, and what
 * is sent on is a head that is read strictly as the same.
 */
export function checkOddResponse(
  message: Uint8Array,
  cuts: readonly number[],
  method: string,
  limits = LIMITS,
): void {
  const [reader, read, end] = readOdd(message, [], limits);
  const [other, readOther, otherEnd] = readOdd(message, cuts, limits);
  const outcome = (which: ResponseReader, result: boolean | HttpError, end: number) => {
    if (result instanceof HttpError) return [result.status, result.message];
    if (!result) return "incomplete";
    const { head } = which;
    return [head.text(head.start, head.startLineEnd), fieldsOf(head), which.odd, end];
  };
  same(outcome(other, readOther, otherEnd), outcome(reader, read, end), "the odd head in pieces");
  const strictly = new ResponseReader({ ...limits, originTolerance: "strict" });
  strictly.begin(message, 0);
  const strict = attempt(() => strictly.read(message.length));
  if (strict === true) holds(read === true, "what is strictly valid is refused with tolerance");
  const model = readTolerantly(text(message), limits);
  // a status line that is none is found when the head is whole
  if (model === "refused" && read === false && strict === false) return;
  if (typeof model === "string" || read !== true) {
    same(read instanceof HttpError ? "refused" : read ? "whole" : "incomplete", model, "the odd head");
    return;
  }
  const { head } = reader;
  const fields = fieldsOf(head);
  same([end, fields.map(inLowerCase)], [model.end, model.fields.map(inLowerCase)], "the odd head");
  const framing = attempt(() => reader.framing(method));
  if (framing instanceof HttpError) {
    holds(typeof oracle.readFraming(model) === "string", "a framing with one meaning is refused");
    return;
  }
  holds(strict === true || reader.odd.length > 0, "what is not strictly valid is told");
  const reason = head.text(reader.reasonStart, head.startLineEnd);
  same(model.startLine.slice(9, 12), String(reader.status), "the status");
  const said = { ...model, fields };
  checkResponseSentOn(head, reader, framing, said, [reader.status, reason], method, true);
}

/** The one coding that means the same in any case. */
function inLowerCase([name, value]: [string, string]): [string, string] {
  return /^chunked$/i.test(value) ? [name, "chunked"] : [name, value];
}

interface Body {
  data: string;
  outcome: oracle.OracleBody["outcome"];
}

/** Unwraps a body in pieces; `wrap` receives the data of each piece. */
function unwrap(
  body: Uint8Array,
  cuts: readonly number[],
  limits: HeadLimits,
  wrap: (data: Uint8Array) => void = () => {},
  tolerant = false,
): Body {
  const reader = new ChunkedReader(tolerant ? "response" : "request", limits, tolerant);
  let data = "";
  let used = 0;
  for (const cut of [...cuts, body.length]) {
    // the piece stands somewhere in a buffer, and is gone after it was read
    const room = (cut * 5) % 11;
    const piece = new Uint8Array(room + cut - used + 4).fill(LEFT_BEHIND[cut % LEFT_BEHIND.length]);
    piece.set(body.subarray(used, cut), room);
    const end = room + cut - used;
    const refused = attempt(() => reader.read(piece, room, end));
    if (refused instanceof HttpError) return { data, outcome: "refused" };
    const { dataStart, dataEnd, consumed } = reader;
    holds(
      room <= dataStart && dataStart <= dataEnd && dataEnd <= consumed && consumed <= end,
      "places in order",
    );
    holds(reader.done || consumed === end, "every byte is taken until the end");
    const found = piece.slice(dataStart, dataEnd);
    data += text(found);
    if (found.length > 0) wrap(found);
    used += consumed - room;
    piece.fill(0);
    if (reader.done) break;
  }
  if (!reader.done) return { data, outcome: "incomplete" };
  const trailers = reader.trailers === null ? [] : fieldsOf(reader.trailers);
  return { data, outcome: { trailers, end: used } };
}

/** Checks what is made of a chunked body, cut at these places. */
export function checkChunked(body: Uint8Array, cuts: readonly number[], limits = LIMITS): void {
  const expected = oracle.unwrap(text(body), limits);
  let wrapped = "";
  const pieces = unwrap(body, cuts, limits, (data) => {
    const room = new Uint8Array(CHUNK_PREFIX + data.length + CHUNK_SUFFIX);
    room.set(data, CHUNK_PREFIX);
    const end = CHUNK_PREFIX + data.length;
    wrapped += text(room.subarray(wrapChunk(room, CHUNK_PREFIX, end), end + 2));
  });
  for (const actual of [unwrap(body, [], limits), pieces]) {
    same(actual.outcome, expected.outcome, "the chunked body");
    if (actual.outcome === "refused") holds(expected.data.startsWith(actual.data), "data of a refused body");
    else same(actual.data, expected.data, "the data of the chunked body");
  }
  // what is sent on is read as the same data, and is whole only if it was whole
  const whole = typeof expected.outcome !== "string";
  const again = unwrap(bytes(wrapped + (whole ? "0\r\n\r\n" : "")), [], LIMITS);
  same(again.data, pieces.data, "the data that is sent on");
  holds(whole === (typeof again.outcome !== "string"), "what is sent on is whole or cut as what came");
}

/** Checks what is made with tolerance of a chunked body: the same in pieces, the same as strictly where that goes. */
export function checkOddChunked(body: Uint8Array, cuts: readonly number[], limits = LIMITS): void {
  const strict = unwrap(body, [], limits);
  let wrapped = "";
  const whole = unwrap(body, [], limits, (data) => {
    const room = new Uint8Array(CHUNK_PREFIX + data.length + CHUNK_SUFFIX);
    room.set(data, CHUNK_PREFIX);
    const end = CHUNK_PREFIX + data.length;
    wrapped += text(room.subarray(wrapChunk(room, CHUNK_PREFIX, end), end + 2));
  }, true);
  const pieces = unwrap(body, cuts, limits, undefined, true);
  same(pieces.outcome, whole.outcome, "the odd body in pieces");
  if (whole.outcome !== "refused") same(pieces.data, whole.data, "the data of the odd body in pieces");
  if (typeof strict.outcome !== "string") same(whole, strict, "a valid body, with tolerance");
  if (typeof whole.outcome === "string") return;
  const again = unwrap(bytes(`${wrapped}0\r\n\r\n`), [], LIMITS);
  same([again.data, typeof again.outcome], [whole.data, "object"], "the odd body that is sent on");
}

/** Checks what is made of an authority as it may stand in a target. */
export function checkAuthority(written: string, defaultPort: number | null): void {
  const authority = attempt(() => parseAuthority(written, defaultPort));
  if (authority instanceof HttpError) {
    same(authority.status, 400, "the status for an authority");
    return;
  }
  const { host, port, text } = authority;
  holds(/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\]):[1-9][0-9]{0,4}$/.test(text), `the canonical form ${text}`);
  same(text, host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`, "the parts of the canonical form");
  same(parseAuthority(text, null).text, text, "the canonical form of the canonical form");
  // the same host for whoever reads URLs as browsers do; they look into A-labels, which weir leaves to the resolver
  const url = URL.parse(`http://${written}/`);
  if (url === null) {
    holds(/(^|\.)xn--/.test(host), `no URL can have the host ${host}`);
    return;
  }
  if (!host.includes(":")) {
    same(url.hostname.replace(/\.$/, ""), host, "the host as the URL Standard reads it");
  }
  if (defaultPort === 80) same(Number(url.port || 80), port, "the port as the URL Standard reads it");
}

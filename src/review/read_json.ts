/** Reads weir's own JSON lines. */

import { DIRECT } from "../policy/routes.ts";
import {
  BadLine,
  bytesCount,
  durationOf,
  type LoggedTarget,
  methodOf,
  readAddress,
  readLoggedTarget,
  readServerName,
  statusOf,
  userOf,
  wordsOf,
} from "./log_target.ts";
import { countAt, type JsonLine, numberAt, objectOf, textAt, timeAt } from "./json_line.ts";
import type { LoggedExchange } from "./logged_exchange.ts";
import { isRelayed } from "./read_relayed.ts";

/** Where the writer of the log cuts a target, and what it writes there. */
const CUT_TARGET = 8192;
const CUT_MARK = "…";

/** @throws {BadLine} */
export function readJsonLine(text: string): LoggedExchange {
  const line = objectOf(text);
  if (isRelayed(line)) throw new BadLine("a connection of weir relay, which only weir report sums up");
  const { verdict } = line;
  if (verdict !== "allow" && verdict !== "deny" && verdict !== "none") throw new BadLine("no line of weir's");
  const method = methodOf(textAt(line, "method"));
  const target = targetOf(line, method);
  const status = statusOf(numberAt(line, "status"));
  const client = readAddress(textAt(line, "client"));
  const origin = readAddress(textAt(line, "origin"));
  const ownAnswer = line.ownAnswer === true;
  return {
    number: countAt(line),
    time: timeAt(line),
    client: client?.text ?? "",
    clientIp: client?.ip ?? null,
    user: userAt(line),
    method,
    authority: target?.authority ?? null,
    secure: target?.secure ?? false,
    path: target?.path ?? null,
    pathCut: target?.cut ?? false,
    status,
    verdict,
    enforced: line.enforced !== false,
    rule: wordsOf(textAt(line, "rule")),
    reason: wordsOf(textAt(line, "reason")),
    origin: origin?.text ?? "",
    originIp: origin?.ip ?? null,
    via: wordsOf(textAt(line, "parent")) || (origin === null || wasStored(line) ? "" : DIRECT),
    reached: status !== 0 && !ownAnswer || line.originStatus !== undefined ||
      line.connectedMs !== undefined && origin !== null,
    up: bytesCount(numberAt(line, "requestHeadBytes")) + bytesCount(numberAt(line, "requestBodyBytes")),
    down: bytesCount(numberAt(line, "responseHeadBytes")) + bytesCount(numberAt(line, "responseBodyBytes")),
    duration: durationOf(numberAt(line, "durationMs")),
    error: wordsOf(textAt(line, "error")),
    serverName: readServerName(textAt(line, "serverName")),
  };
}

/** The target, which has to be that of the line's `host` and `port`; `null` when the line has none. */
function targetOf(line: JsonLine, method: string): LoggedTarget & { cut: boolean } | null {
  const text = textAt(line, "target");
  const host = textAt(line, "host");
  if (host === "") return null;
  const target = readLoggedTarget(method, text);
  const { authority } = target;
  if (authority.host !== host || authority.port !== numberAt(line, "port")) {
    throw new BadLine("the target is another than the host and port");
  }
  const cut = text.length > CUT_TARGET && text.endsWith(CUT_MARK) && target.path !== null;
  // a cut within the query leaves the path whole
  if (!cut || text.includes("?")) return { ...target, cut: false };
  return { ...target, path: null, cut };
}

/** The address is that of the answer's origin then, and nobody has gone there. */
function wasStored(line: JsonLine): boolean {
  return /^(?:hit|stale|collapsed)/.test(textAt(line, "cache"));
}

function userAt(line: JsonLine): string | null {
  const text = textAt(line, "user");
  if (text === "") return null;
  // one that was cut is longer than any
  return userOf(text);
}

/** A line for each connection of a relay: for people, and for programs. */

import type { Relayed } from "../relay/relayed.ts";
import { CYAN, DIM, paint, RED } from "./colors.ts";
import { padLeft, padRight } from "./columns.ts";
import { jsonText, printable } from "./printable.ts";
import { exactMilliseconds, humanDuration, humanSize } from "./quantities.ts";
import { clockTime, isoTime } from "./timestamps.ts";

/** An IPv4 address with its port. */
const PLACE_WIDTH = 21;
const SIZE_WIDTH = 6;
const DURATION_WIDTH = 7;
const MAX_DETAILS = 200;
const MAX_WORDS = 1024;
const MAX_NAME = 256;

/**
 * `06:49:01 127.0.0.1:51514       → 127.0.0.1:6379        ↑1.2 kB ↓ 56 MB   12 ms`: the time of the end, the client,
 * the address that was dialled, bytes to the target and back, the duration, then how many targets were passed over
 * and how it ended, if not well.
 */
export function relayPrettyFormat(colors: boolean): (relayed: Relayed) => string {
  return (relayed) => {
    const { duration } = relayed;
    const time = clockTime(relayed.startedAt + Math.max(0, duration));
    const client = padRight(place(relayed.clientAddress, relayed.clientPort), PLACE_WIDTH);
    const target = padRight(place(relayed.originAddress, relayed.originPort), PLACE_WIDTH);
    return paint(colors, DIM, time) + " " + paint(colors, CYAN, client) + " → " + target +
      ` ↑${padLeft(humanSize(relayed.bytesUp), SIZE_WIDTH)} ↓${
        padLeft(humanSize(relayed.bytesDown), SIZE_WIDTH)
      }` +
      ` ${padLeft(humanDuration(duration), DURATION_WIDTH)}` +
      (relayed.skipped > 0 && relayed.connectedAt >= 0 ? `  after ${relayed.skipped} in vain` : "") +
      (relayed.details === "" ? "" : `  ${paint(colors, RED, printable(relayed.details, MAX_DETAILS))}`);
  };
}

function place(address: string, port: number): string {
  if (address === "") return "-";
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/**
 * The record as one JSON object. Keys come in this order and mean what they mean in the proxy's log: `time` (the
 * start, ISO 8601, UTC), `number`, `kind` (`relay`), `client`, `clientPort`, `listener`, `verdict`; when a target was
 * tried `target` (as it was named), `origin` (the address dialled), `originPort`, and `skipped` (how many were tried
 * in vain before); `requestBodyBytes` and `responseBodyBytes` (to the target and back), `connectedMs` when it was
 * reached, `durationMs`; when it did not end well `error` (an RFC 9209 type), `details`, `truncated`.
 */
export function formatRelayJson(relayed: Relayed): string {
  const text = (key: string, value: string, limit = MAX_NAME) =>
    value === "" ? "" : `,"${key}":"${jsonText(value, limit)}"`;
  return `{"time":"${isoTime(relayed.startedAt)}","number":${relayed.number},"kind":"relay"` +
    `${text("client", relayed.clientAddress)},"clientPort":${relayed.clientPort}` +
    `${text("listener", relayed.listener)},"verdict":"${relayed.verdict}"` +
    (relayed.originAddress === ""
      ? ""
      : `${text("target", relayed.target)}${
        text("origin", relayed.originAddress)
      },"originPort":${relayed.originPort}${relayed.skipped === 0 ? "" : `,"skipped":${relayed.skipped}`}`) +
    `,"requestBodyBytes":${relayed.bytesUp},"responseBodyBytes":${relayed.bytesDown}` +
    (relayed.connectedAt < 0
      ? ""
      : `,"connectedMs":${exactMilliseconds(Math.max(0, relayed.connectedAt - relayed.began))}`) +
    `,"durationMs":${exactMilliseconds(Math.max(0, relayed.duration))}` +
    text("error", relayed.error) + text("details", relayed.details, MAX_WORDS) +
    (relayed.truncated ? ',"truncated":true}' : "}");
}

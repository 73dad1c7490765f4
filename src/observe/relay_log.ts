/** The log of a relay: each connection, once it is over. */

import type { Relayed } from "../relay/relayed.ts";
import { type AccessLogOptions, type RecordLog, recordLog } from "./access_log.ts";
import { formatRelayJson, relayPrettyFormat } from "./format_relay.ts";

export type RelayLogFormat = "pretty" | "json" | "none";

/** Begins the log. Nothing is opened and no timer runs until there is something to write. */
export function relayLog(format: RelayLogFormat, options: AccessLogOptions): RecordLog<Relayed> {
  const formats = { pretty: relayPrettyFormat(options.color), json: formatRelayJson, none: undefined };
  return recordLog(formats[format], options);
}

/** Lines of a relay's log. */

import { formatRelayJson } from "../../src/observe/format_relay.ts";
import { Relayed } from "../../src/relay/relayed.ts";

/** What a relay writes of a connection that went well, with changes. */
export function relayLine(changes: Partial<Relayed> = {}): string {
  const record = new Relayed(7, "10.0.0.9", 51_234, "127.0.0.1:6379", Date.UTC(2026, 10, 21, 6), 1000);
  return formatRelayJson(Object.assign(record, {
    target: "redis.internal:6379",
    originAddress: "10.0.0.5",
    originPort: 6379,
    bytesUp: 1200,
    bytesDown: 56_000_000,
    connectedAt: 1000.5,
    endedAt: 3100,
    ...changes,
  }));
}

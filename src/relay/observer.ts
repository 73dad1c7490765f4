/** What a relay tells the outside. It owns this interface and knows none of its listeners. */

import type { Relayed } from "./relayed.ts";

export type NoticeLevel = "debug" | "info" | "warning" | "error";

/** Called on the data path: its methods return at once and never throw. */
export interface RelayObserver {
  /** A connection of a client has ended, relayed or not. Called once for each that was not over a limit. */
  finished(relayed: Relayed): void;
  /** Something the operator may want to know that belongs to no single connection. */
  notice(level: NoticeLevel, message: string): void;
}

/** What the proxy tells the outside. It owns this interface and knows none of its listeners. */

import type { Exchange } from "./exchange.ts";

export type NoticeLevel = "debug" | "info" | "warning" | "error";

/** A listener of the record. Its methods are called on the data path: they return at once and never throw. */
export interface Observer {
  /**
   * An exchange has ended, with its answer or without. Called once for each, synchronously; whatever is needed
   * of `exchange.fields` is read before returning.
   */
  finished(exchange: Exchange): void;
  /** Something the operator may want to know that belongs to no single exchange. */
  notice(level: NoticeLevel, message: string): void;
}

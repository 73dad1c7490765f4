/**
 * What the store and its worker tell each other. The worker does everything in the order in which it is told, but
 * `read`, `pin` and `unpin`: these at once.
 */

import type { GatheredUses } from "./uses.ts";

/** Changes carry a ticket, a number that grows: the answer `settled` names the last one that is done with. */
export type ToWorker =
  | { readonly kind: "open"; readonly folder: string; readonly limit: number }
  /** A body goes on, or begins; it is seen by nobody before `finish`. */
  | { readonly kind: "piece"; readonly ticket: number; readonly writer: number; readonly bytes: Uint8Array }
  | {
    readonly kind: "finish";
    readonly ticket: number;
    readonly writer: number;
    /** Bytes of all pieces: one that has been lost on the way is noticed. */
    readonly length: number;
    readonly key: string;
    readonly variant: string;
    readonly meta: string;
  }
  | { readonly kind: "abort"; readonly writer: number }
  | {
    readonly kind: "meta";
    readonly ticket: number;
    readonly key: string;
    readonly variant: string;
    readonly meta: string;
  }
  /** Without a variant all of them. */
  | {
    readonly kind: "remove";
    readonly ticket: number;
    readonly key: string;
    readonly variant: string | null;
  }
  | { readonly kind: "clear"; readonly ticket: number }
  /** An object turned out to be damaged when it was read. */
  | { readonly kind: "lost"; readonly id: number }
  /** As they were gathered: which objects, and how often. */
  | { readonly kind: "uses"; readonly ticket: number } & GatheredUses
  /** An object is being read in pieces: they stay until `unpin`, whatever becomes of it. */
  | { readonly kind: "pin"; readonly id: number }
  | { readonly kind: "unpin"; readonly id: number }
  | {
    readonly kind: "read";
    readonly read: number;
    readonly id: number;
    readonly seed: number;
    readonly index: number;
    readonly length: number;
  }
  | { readonly kind: "limit"; readonly limit: number }
  /** Nobody else has the files open: start afresh without them. */
  | { readonly kind: "restart" }
  | { readonly kind: "stats" }
  | { readonly kind: "close" };

export type FromWorker =
  /** Opened, for the first time or afresh. */
  | { readonly kind: "ready"; readonly filter: SharedArrayBuffer }
  /** It cannot be used, and is not tried again. */
  | { readonly kind: "off"; readonly message: string }
  | { readonly kind: "notice"; readonly level: "info" | "warning"; readonly message: string }
  /** It has to begin anew, and says why: waits for `restart`. */
  | { readonly kind: "damaged"; readonly message: string }
  | { readonly kind: "settled"; readonly ticket: number }
  /** An object turned out to be damaged, and has been removed. */
  | { readonly kind: "lost" }
  /** `null`: the piece is not there, or not what was written. */
  | { readonly kind: "piece"; readonly read: number; readonly bytes: Uint8Array | null }
  | { readonly kind: "stats"; readonly stats: DiskStats }
  | { readonly kind: "closed" };

/** What there is on the disk. */
export interface DiskStats {
  readonly objects: number;
  /** What the objects take in the database, overhead included. */
  readonly bytes: number;
  /** What the files take. */
  readonly fileBytes: number;
  /** Objects that were removed to make room since the start, and that turned out to be damaged. */
  readonly evicted: number;
  readonly damaged: number;
}

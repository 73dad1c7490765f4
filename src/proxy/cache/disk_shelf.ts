/** Responses on the disk, behind those in memory: what the disk store knows as keys, texts and bytes. */

import { readStanding } from "../../cache/freshness.ts";
import type { DiskObject, DiskStore } from "../../cache/disk_store.ts";
import { storedLines } from "../../cache/storability.ts";
import { type FieldLine, receivedAt, type StoredResponse } from "../../cache/stored_response.ts";
import type { BodySource } from "./recorded_body.ts";
import { BODY_DONE, BODY_LOST } from "./recording.ts";
import { Variant } from "./variant.ts";

/** What is written of a response beside its body. Its times are those of the system's clock. */
export interface StoredMeta extends StoredResponse {
  readonly reason: string;
  readonly address: string;
  /** How far that was behind the cache's clock, which says something in the same run alone; absent when it was not. */
  readonly clock?: { readonly run: string; readonly behind: number };
}

/** A body that is not in memory. */
export class ShelvedBody {
  constructor(readonly store: DiskStore, readonly object: DiskObject) {}

  /** Its bytes from `first` up to `end`; `null` when it is lost. */
  async open(first: number, end: number): Promise<BodySource | null> {
    const source = new DiskSource(this.store, this.object, first, end);
    return await source.begin() ? source : null;
  }
}

class DiskSource implements BodySource {
  readonly #body;
  #bytes: Uint8Array | null = null;
  #offset = 0;
  #end: typeof BODY_DONE | typeof BODY_LOST | null = null;

  constructor(store: DiskStore, object: DiskObject, first: number, end: number) {
    this.#body = store.read(object, first, end);
  }

  /** Reads the first piece. False when it is lost. */
  async begin(): Promise<boolean> {
    await this.#load();
    return this.#end !== BODY_LOST;
  }

  next(): Uint8Array | Promise<void> | typeof BODY_DONE | typeof BODY_LOST {
    if (this.#bytes !== null) return this.#bytes.subarray(this.#offset);
    return this.#end ?? this.#load();
  }

  took(bytes: number): void {
    this.#offset += bytes;
    if (this.#offset === this.#bytes!.length) this.#bytes = null;
  }

  leave(): void {
    this.#body.close();
  }

  async #load(): Promise<void> {
    try {
      const bytes = await this.#body.next();
      this.#offset = 0;
      if (bytes === null) this.#end = BODY_DONE;
      else this.#bytes = bytes;
    } catch {
      // nothing else is thrown than that it is lost
      this.#end = BODY_LOST;
    }
  }
}

/** A body on its way to the disk. */
export interface ShelfWriter {
  append(bytes: Uint8Array): void;
  finish(variant: Variant): void;
  abort(): void;
}

export class DiskShelf {
  /** The run of the clock of what is written. */
  run = "";

  constructor(readonly store: DiskStore) {}

  /** Bytes of the longest body that is kept. */
  get longest(): number {
    return this.store.longest;
  }

  /** All variants that are stored for a key, the latest last. Short bodies come with them. */
  find(key: string): Variant[] {
    const variants: Variant[] = [];
    for (const object of this.store.lookup(key)) {
      const written = readMeta(object.meta, object.length);
      if (written === null) continue;
      const meta = this.#onOurClock(written);
      const { short } = object;
      const body = short !== null ? [short] : new ShelvedBody(this.store, object);
      const variant = new Variant(meta, meta.reason, meta.address, body);
      // the variant would have to read its fields again
      variant.standing = readStanding(meta);
      variant.shelfNumber = object.number;
      variants.push(variant);
    }
    return variants;
  }

  /** The times of what was written in this run are those of its clock again; to another one they are the system's. */
  #onOurClock(meta: StoredMeta): StoredMeta {
    const behind = meta.clock?.run === this.run ? meta.clock.behind : 0;
    const { requestTime, responseTime, fields } = meta;
    return {
      ...meta,
      // an earlier edition has kept more
      fields: storedLines(fields),
      requestTime: requestTime + behind,
      responseTime: responseTime + behind,
      behind,
    };
  }

  /** A response has answered a request, from here or from memory. */
  used(key: string, { vary, range, shelfNumber }: Variant): void {
    if (shelfNumber !== null) this.store.usedFound(shelfNumber);
    else if (range === null) this.store.used(key, variantOf(vary));
  }

  /** Writes a response whose body is in memory. */
  keep(key: string, variant: Variant, pieces: readonly Uint8Array[]): void {
    const name = nameOf(variant);
    if (name !== null) this.store.write(key, name, metaOf(variant, this.run), pieces);
  }

  /** For a body that is still coming; `null` when this response is not kept. */
  writer(key: string, variant: Variant): ShelfWriter | null {
    const name = nameOf(variant);
    if (name === null) return null;
    const writer = this.store.writer(key, name);
    return {
      append: (bytes) => {
        writer.append(bytes);
      },
      finish: (whole) => {
        writer.finish(metaOf(whole, this.run));
      },
      abort: () => writer.abort(),
    };
  }

  replace(key: string, variant: Variant): void {
    const name = nameOf(variant);
    if (name !== null) this.store.writeMeta(key, name, metaOf(variant, this.run));
  }

  remove(key: string, variant: Variant): void {
    const name = nameOf(variant);
    if (name !== null) this.store.remove(key, name);
  }

  /** Forgets all variants of a key. True when there were any. */
  drop(key: string): boolean {
    const found = this.store.lookup(key).length > 0;
    this.store.remove(key);
    return found;
  }
}

/** What tells the variants of a key apart; `null` for parts, which are for memory alone. */
function nameOf({ vary, range }: Variant): string | null {
  return range === null ? variantOf(vary) : null;
}

function variantOf(vary: readonly FieldLine[]): string {
  return vary.length === 0 ? "[]" : JSON.stringify(vary);
}

function metaOf(variant: Variant, run: string): string {
  const { status, reason, address, requestTime, behind, noEstimate, vary, length, range, fields } = variant;
  const meta: StoredMeta = {
    status,
    reason,
    address,
    requestTime: requestTime - behind,
    responseTime: receivedAt(variant),
    vary,
    length,
    range,
    fields,
    ...noEstimate ? { noEstimate } : {},
    ...behind > 0 ? { clock: { run, behind } } : {},
  };
  return JSON.stringify(meta);
}

/** Reads what {@link metaOf} wrote; `null` when it is not that, whoever wrote it. */
export function readMeta(text: string, length: number): StoredMeta | null {
  let meta: Partial<StoredMeta>;
  try {
    meta = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof meta !== "object" || meta === null) return null;
  const { status, reason, address, requestTime, responseTime, vary, fields } = meta;
  // most are: then their texts need not be looked at one by one
  const plain = !/[^\x20-\x7e\x80-\xff]|\\[^"\\]/.test(text);
  const right = typeof status === "number" && status >= 200 && status <= 599 &&
    typeof reason === "string" && typeof address === "string" &&
    typeof requestTime === "number" && typeof responseTime === "number" &&
    areLines(vary, plain) && areLines(fields, plain) && meta.length === length && (plain || isText(reason));
  if (!right) return null;
  const noEstimate = meta.noEstimate === true;
  return { ...meta as StoredMeta, range: null, behind: 0, noEstimate, clock: clockOf(meta.clock) };
}

function clockOf(clock: Partial<StoredMeta["clock"]> | null): StoredMeta["clock"] {
  if (typeof clock !== "object" || clock === null) return undefined;
  const { run, behind } = clock;
  const right = typeof run === "string" && typeof behind === "number" && behind > 0 && behind < Infinity;
  return right ? { run, behind } : undefined;
}

function areLines(value: unknown, plain: boolean): value is FieldLine[] {
  return Array.isArray(value) &&
    value.every((line) =>
      Array.isArray(line) && line.length === 2 &&
      line.every((text) => typeof text === "string" && (plain || isText(text)))
    );
}

/** Whether a text can stand in a head: one character a byte, and no control characters but tabs. */
function isText(text: string): boolean {
  return !/[^\t\x20-\x7e\x80-\xff]/.test(text);
}

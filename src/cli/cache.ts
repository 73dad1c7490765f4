/** `weir cache`: looks into the folder of a cache, and takes things out of it. */

import { find } from "../cache/find.ts";
import { ageOf, lifetimeOf } from "../cache/freshness.ts";
import type { DiskReader, StoredObject, Usage } from "../cache/disk/reader.ts";
import type { Instance } from "../config/config.ts";
import { ConfigError, UsageError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { didYouMean } from "../config/nearest.ts";
import { quote } from "../config/printable.ts";
import { HttpError } from "../http/error.ts";
import { jsonOf } from "../observe/printable.ts";
import { readAsked } from "../policy/asked.ts";
import { partsOf } from "../proxy/cache/cache_key.ts";
import { readMeta, type StoredMeta } from "../proxy/cache/disk_shelf.ts";
import { listHead, listRow, removedText, showText, statsText } from "./cache_text.ts";
import { patternOf } from "./cache_pattern.ts";
import { requireFolder } from "./disk.ts";
import { type Io, wantsColor } from "./io.ts";

/** A stored response, and how it stands. */
export interface CachedResponse {
  readonly url: string;
  /** Whose it is, where users have caches of their own; else `""`. */
  readonly user: string;
  readonly meta: StoredMeta;
  readonly object: StoredObject;
  readonly usage: Usage;
  /** Seconds. What is left of the lifetime is 0 or less when it is stale. */
  readonly age: number;
  readonly left: number;
}

const ACTIONS: Readonly<Record<string, { word: string | null; changes: boolean; run: Action }>> = {
  list: { word: null, changes: false, run: list },
  show: { word: "URL", changes: false, run: show },
  purge: { word: "PATTERN", changes: true, run: purge },
  clear: { word: null, changes: true, run: clear },
  stats: { word: null, changes: false, run: stats },
};

type Action = (line: CommandLine, folder: string, io: Io) => Promise<number> | number;

/** Rows that are written at once. */
const ROWS_AT_ONCE = 1000;

/**
 * @returns 0; 1 when `show` finds nothing
 * @throws {UsageError} for what is no action, or lacks something
 * @throws {ConfigError} when the folder holds no cache that can be read, or is in use by a weir while it would be
 * changed
 */
export async function cache(line: CommandLine, _instance: Instance, io: Io): Promise<number> {
  const [name, ...rest] = line.words;
  const action = ACTIONS[name];
  if (action === undefined || !Object.hasOwn(ACTIONS, name)) {
    const known = Object.keys(ACTIONS);
    throw new UsageError([
      `weir cache: ${quote(name)} is none of ${known.join(", ")}${didYouMean(name, known)}`,
    ]);
  }
  if (action.word === null && rest.length > 0) {
    throw new UsageError([`weir cache ${name}: takes nothing else`]);
  }
  if (action.word !== null && rest.length === 0) {
    throw new UsageError([`weir cache ${name}: say which: weir cache ${name} ${action.word}`]);
  }
  const folder = line.values["cache-dir"];
  if (folder === undefined) throw new UsageError([`weir cache ${name}: say where it is: --cache-dir DIR`]);
  await requireFolder(folder, action.changes ? ["read", "write"] : ["read"], [], line);
  try {
    return await action.run(line, folder, io);
  } catch (error) {
    if (error instanceof UsageError || error instanceof ConfigError) throw error;
    throw new ConfigError([`${folder}: ${error instanceof Error ? error.message : error}`]);
  }
}

async function list(line: CommandLine, folder: string, io: Io): Promise<number> {
  const now = Date.now();
  const all: CachedResponse[] = [];
  await reading(folder, (reader) => {
    for (const each of responses(reader, now)) all.push(withoutFields(each));
  });
  all.sort(ORDERS[line.options.sort ?? "url"]);
  const colors = wantsColor(line.values["log-color"] ?? "auto", "out", io);
  const json = line.options.json === true;
  if (!json && all.length > 0) io.out(listHead(colors));
  for (let start = 0; start < all.length; start += ROWS_AT_ONCE) {
    const rows = all.slice(start, start + ROWS_AT_ONCE);
    io.out(rows.map((each) => json ? jsonLine(each) : listRow(each, now, colors)).join(""));
  }
  return 0;
}

async function show(line: CommandLine, folder: string, io: Io): Promise<number> {
  const url = urlOf(line.words[1]);
  const now = Date.now();
  const found = await storedFor(folder, url, now);
  if (line.options.json === true) {
    io.out(found.map((each) => jsonLine(each, each.meta.fields)).join(""));
  } else if (found.length === 0) io.out(`nothing is stored for ${quote(url)}\n`);
  const colors = wantsColor(line.values["log-color"] ?? "auto", "out", io);
  for (const each of line.options.json === true ? [] : found) {
    // asked for once more as it was asked for before
    const asked = new Map(each.meta.vary);
    const fields = { field: (name: string) => asked.get(name) ?? "" };
    const beside = found.filter(({ user }) => user === each.user).map(({ meta }) => meta);
    const finding = find(beside, { method: "GET", fields, hasBody: false }, now);
    io.out(showText(each, finding, lifetimeOf(each.meta), now, colors));
  }
  return found.length === 0 ? 1 : 0;
}

async function purge(line: CommandLine, folder: string, io: Io): Promise<number> {
  const matches = patternOf(line.words[1]);
  let count = 0;
  let bytes = 0;
  await changing(folder, (reader, removeAll) => {
    const ids: number[] = [];
    const removed: string[] = [];
    for (const { id, key, bytes: taken } of reader.all()) {
      const { user, url } = partsOf(key);
      if (!matches(url)) continue;
      ids.push(id);
      bytes += taken;
      removed.push(user === "" ? url : `${url} (of ${user})`);
    }
    removeAll(ids);
    count = ids.length;
    io.out(removed.map((text) => `${quote(text).slice(1, -1)}\n`).join(""));
  });
  io.err(`weir: ${removedText(count, bytes)}\n`);
  return 0;
}

async function clear(_line: CommandLine, folder: string, io: Io): Promise<number> {
  let totals = { objects: 0, bytes: 0 };
  await changing(folder, (reader, _, clearAll) => {
    totals = reader.totals();
    clearAll();
  });
  io.err(`weir: ${removedText(totals.objects, totals.bytes)}\n`);
  return 0;
}

async function stats(line: CommandLine, folder: string, io: Io): Promise<number> {
  const { sizeOfFiles } = await import("../cache/disk/database.ts");
  const { holderOf } = await import("../cache/disk/lock.ts");
  const now = Date.now();
  const sums = {
    objects: 0,
    bytes: 0,
    bodyBytes: 0,
    fresh: 0,
    hits: 0,
    fileBytes: 0,
    process: null as number | null,
  };
  await reading(folder, (reader) => {
    for (const { object, usage, left } of responses(reader, now)) {
      sums.objects++;
      sums.bytes += usage.bytes;
      sums.bodyBytes += object.length;
      sums.hits += usage.hits;
      if (left > 0) sums.fresh++;
    }
  });
  sums.process = holderOf(folder);
  sums.fileBytes = sizeOfFiles(folder);
  io.out(line.options.json === true ? `${jsonOf(sums)}\n` : statsText(sums));
  return 0;
}

/**
 * All that is stored for a URL, whoever's it is.
 *
 * @param url in its canonical form
 * @throws {Error} when the folder holds no cache, or one that cannot be read
 */
export async function storedFor(folder: string, url: string, now: number): Promise<CachedResponse[]> {
  const found: CachedResponse[] = [];
  await reading(folder, (reader) => {
    for (const each of responses(reader, now)) if (each.url === url) found.push(each);
  });
  return found;
}

const byText = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0;
const byUrl = (a: CachedResponse, b: CachedResponse) => byText(a.url, b.url) || byText(a.user, b.user);

const ORDERS: Readonly<Record<string, (a: CachedResponse, b: CachedResponse) => number>> = {
  url: byUrl,
  size: (a, b) => b.usage.bytes - a.usage.bytes || byUrl(a, b),
  age: (a, b) => b.age - a.age || byUrl(a, b),
  left: (a, b) => a.left - b.left || byUrl(a, b),
  hits: (a, b) => b.usage.hits - a.usage.hits || byUrl(a, b),
  used: (a, b) => b.usage.used - a.usage.used || byUrl(a, b),
};

function* responses(reader: DiskReader, now: number): Generator<CachedResponse> {
  for (const row of reader.all()) {
    const meta = readMeta(row.meta, row.length);
    if (meta === null) continue;
    const age = ageOf(meta, now);
    yield { ...partsOf(row.key), meta, object: row, usage: row, age, left: lifetimeOf(meta).seconds - age };
  }
}

/** For a list, in which all are at once: what is not shown there is let go. */
function withoutFields(each: CachedResponse): CachedResponse {
  const { id, key, variant, length, seed, written } = each.object;
  const { bytes, hits, used } = each.usage;
  return {
    ...each,
    meta: { ...each.meta, fields: [] },
    object: { id, key, variant, length, seed, written, meta: "" },
    usage: { bytes, hits, used },
  };
}

function jsonLine(each: CachedResponse, fields?: StoredMeta["fields"]): string {
  const { url, user, meta, object, usage, age, left } = each;
  return `${
    jsonOf({
      url,
      ...(user === "" ? {} : { user }),
      status: meta.status,
      bytes: usage.bytes,
      bodyBytes: object.length,
      age,
      freshFor: left,
      hits: usage.hits,
      used: new Date(usage.used).toISOString(),
      stored: new Date(object.written).toISOString(),
      vary: Object.fromEntries(meta.vary),
      ...(fields === undefined ? {} : { fields }),
    })
  }\n`;
}

/** The canonical form of a URL. @throws {UsageError} */
function urlOf(text: string): string {
  try {
    return readAsked(text, "GET").target;
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    throw new UsageError([`weir cache show: ${error.message}`]);
  }
}

/** Looks into the folder, beside whoever uses it. */
async function reading(folder: string, read: (reader: DiskReader) => void): Promise<void> {
  const { DiskReader } = await import("../cache/disk/reader.ts");
  const { DATABASE_FILE } = await import("../cache/disk/schema.ts");
  const { requirePlainFiles } = await import("../cache/disk/private_folder.ts");
  try {
    Deno.statSync(`${folder}/${DATABASE_FILE}`);
  } catch (error) {
    const why = error instanceof Deno.errors.NotADirectory
      ? "is no folder"
      : `holds no cache: weir --cache-dir ${folder} makes one`;
    throw new ConfigError([`${folder} ${why}`]);
  }
  requirePlainFiles(folder);
  const reader = DiskReader.open(folder);
  try {
    read(reader);
  } finally {
    reader.close();
  }
}

/** Changes what is in the folder, which nobody else may use meanwhile. */
async function changing(
  folder: string,
  change: (reader: DiskReader, removeAll: (ids: readonly number[]) => void, clearAll: () => void) => void,
): Promise<void> {
  const { FolderInUse, FolderLock } = await import("../cache/disk/lock.ts");
  const { requirePrivateFolder } = await import("../cache/disk/private_folder.ts");
  const { openDatabase } = await import("../cache/disk/database.ts");
  const { DiskEngine } = await import("../cache/disk/engine.ts");
  // one that is not there, or not this version's, is not to be made
  await reading(folder, () => {});
  requirePrivateFolder(folder);
  let lock;
  try {
    lock = FolderLock.take(folder);
  } catch (error) {
    if (!(error instanceof FolderInUse)) throw error;
    const who = error.pid === null ? "a weir" : `the weir with process number ${error.pid}`;
    throw new ConfigError([
      `${folder} is in use by ${who}: stop it first, or have it forget single URLs by PURGE requests`,
    ]);
  }
  try {
    const engine = new DiskEngine(openDatabase(folder, Infinity, () => {}), folder, Infinity);
    try {
      await reading(folder, (reader) => {
        change(reader, (ids) => {
          for (const id of ids) engine.removeObject(id);
          engine.commit();
        }, () => engine.clear());
      });
      while (engine.tidy());
      engine.checkpoint();
    } finally {
      engine.close();
    }
  } finally {
    lock.release();
  }
}

/** Notices that a file has changed, in a way that works on every file system: by looking. */

import { ConfigError } from "../config/errors.ts";
import { isPipe, readText } from "./read_file.ts";

/** ms between two looks. */
const INTERVAL = 2_000;

export interface FileListener {
  /** The file holds another text now, in this state. */
  changed(text: string, state: string): void;
  /** It cannot be read any more, for a reason that goes on after the file's name; told once. */
  lost(reason: string): void;
}

/**
 * Looks at a file every two seconds; does not keep the process alive. A file that changes while it is read is read
 * again at the next look, so that a half written one is seldom taken for the whole.
 *
 * @param known the state of the file whose text the caller has, by {@link fileState}
 * @param limit bytes; a larger file is lost
 * @returns a function that ends the watch, and resolves when nothing is read any more
 */
export function watchFile(
  path: string,
  known: string,
  limit: number,
  listener: FileListener,
  interval: number = INTERVAL,
): () => Promise<void> {
  const watch = new Watch(path, known, limit, listener);
  watch.look();
  const timer = setInterval(() => watch.look(), interval);
  Deno.unrefTimer(timer);
  return async () => {
    clearInterval(timer);
    watch.ended = true;
    await watch.looking;
  };
}

class Watch {
  ended = false;
  looking: Promise<void> | null = null;
  #known: string;
  #lost = false;

  constructor(
    readonly path: string,
    known: string,
    readonly limit: number,
    readonly listener: FileListener,
  ) {
    this.#known = known;
  }

  /** Looks, unless it still does. */
  look(): void {
    this.looking ??= this.#look().finally(() => this.looking = null);
  }

  async #look(): Promise<void> {
    try {
      const state = await fileState(this.path);
      if (state === this.#known && !this.#lost) return;
      if (await isPipe(this.path)) throw new Error("it is a pipe");
      const file = await Deno.open(this.path);
      const text = await readText(file.readable, "it", this.limit);
      if (this.ended || await fileState(this.path) !== state) return;
      this.#known = state;
      this.#lost = false;
      this.listener.changed(text, state);
    } catch (error) {
      if (this.#lost || this.ended) return;
      this.#lost = true;
      this.listener.lost(reason(error));
    }
  }
}

/** A text that differs when the file is another. Rejects when there is none. */
export async function fileState(path: string): Promise<string> {
  const { mtime, size, ino } = await Deno.stat(path);
  return `${mtime?.getTime()} ${size} ${ino}`;
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "has gone";
  if (error instanceof ConfigError) return `cannot be used: ${error.message}`;
  return `cannot be read: ${error instanceof Error ? error.message : error}`;
}

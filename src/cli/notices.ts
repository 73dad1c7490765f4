/** Notices on their way to standard error. */

import type { NoticeLevel } from "../proxy/observer.ts";
import type { Io } from "./io.ts";

const RANK: Record<NoticeLevel, number> = { debug: 0, info: 1, warning: 2, error: 3 };

type Write = (level: NoticeLevel, message: string) => void;

/**
 * Filters notices by level and hands them to the diagnostics, which are loaded when they are first needed: most
 * runs never print a notice, and a start should not wait for what would.
 */
export class Notices {
  /** The least level that is written. */
  level: NoticeLevel;
  #color: boolean;
  #io: Io;
  #write?: Write;
  #loading?: Promise<void>;
  #waiting: [NoticeLevel, string][] = [];

  constructor(level: NoticeLevel, color: boolean, io: Io) {
    this.level = level;
    this.#color = color;
    this.#io = io;
  }

  /** Writes a notice, or keeps it until it can be written. Returns at once and never throws. */
  notice(level: NoticeLevel, message: string): void {
    if (RANK[level] < RANK[this.level]) return;
    if (this.#write !== undefined) return this.#write(level, message);
    this.#waiting.push([level, message]);
    this.load();
  }

  /** Loads the diagnostics; resolves when everything that waited is written. Never rejects. */
  load(): Promise<void> {
    return this.#loading ??= this.#load();
  }

  async #load(): Promise<void> {
    const write = this.#write = await this.#diagnostics();
    for (const [level, message] of this.#waiting.splice(0)) write(level, message);
  }

  async #diagnostics(): Promise<Write> {
    try {
      const { configureDiagnostics } = await import("../observe/diagnostics.ts");
      // the level is judged here, where it may change while weir runs
      return await configureDiagnostics("debug", { color: this.#color });
    } catch {
      // a notice without its looks is better than none
      return (level, message) => this.#io.err(`${level}: ${message}\n`);
    }
  }
}

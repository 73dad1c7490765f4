/** What was worked out for a text, remembered for the next time. */

/** How many are kept; when there are more, all are forgotten. */
const MOST = 4096;

export class Memo<Value> {
  readonly #values = new Map<string, Value>();

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  /** Keeps `value` and gives it back. */
  set(key: string, value: Value): Value {
    if (this.#values.size >= MOST) this.#values.clear();
    // A text that was cut out of a head would keep all of that head: this makes characters of its own.
    this.#values.set(` ${key}`.slice(1), value);
    return value;
  }
}

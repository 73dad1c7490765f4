/** A signal that says when time is up, or that somebody has given up. */

export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #given: AbortSignal;

  /** @param milliseconds until the signal's reason is a `TimeoutError` */
  constructor(milliseconds: number, given: AbortSignal) {
    this.#given = given;
    this.#timer = setTimeout(() => {
      this.#controller.abort(new DOMException("the time is up", "TimeoutError"));
    }, milliseconds);
    if (given.aborted) this.#giveUp();
    else given.addEventListener("abort", this.#giveUp);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #giveUp = () => this.#controller.abort(this.#given.reason);

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#given.removeEventListener("abort", this.#giveUp);
  }
}

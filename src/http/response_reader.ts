/**
 * Reads heads of responses: strictly, and where that does not go and tolerance is asked for, by {@link TolerantHead}.
 * Everything that reads a response, for whatever end, reads its head by this.
 */

import { badResponse, HttpError } from "./error.ts";
import { framesNothing, type Framing, isFramedPlainly, responseFraming } from "./framing.ts";
import { type HeadLimits, HeadReader } from "./head_reader.ts";
import { mayBecomeStatusLine, readStatusLine, type StatusLine } from "./start_line.ts";
import { TolerantHead } from "./tolerant_head.ts";

/** How responses are read. */
export interface ResponseRules extends HeadLimits {
  /** Whether what is odd is understood in the one way that the RFCs leave, or refused. */
  readonly originTolerance: "tolerant" | "strict";
}

const PLAIN: readonly string[] = [];
const NOTHING = new Uint8Array();

export class ResponseReader implements StatusLine {
  /** The head that was read last. Of an odd one it has the canonical form, in a buffer of its own. */
  readonly head: HeadReader;
  status = 0;
  minorVersion = 1;
  reasonStart = 0;
  /** Where in the bytes that came the head ends; valid when it is whole. */
  end = 0;
  /**
   * What was odd about this response or an interim one before it, in a few words each. One with anything odd is never
   * stored or shared, and its connection is not used again.
   */
  odd: readonly string[] = PLAIN;
  /** The head frames a body that it cannot have: its framing fields are not sent on. */
  framesNothing = false;
  tolerant = false;

  #bytes: Uint8Array = NOTHING;
  #start = 0;
  /** Reads the head that the strict reader has refused. */
  #odd: TolerantHead | null = null;
  #refusal: HttpError | null = null;

  constructor(rules: ResponseRules) {
    this.head = new HeadReader("response", rules);
    this.use(rules);
  }

  /** Reads by these rules from now on. */
  use(rules: ResponseRules): void {
    this.head.limits = rules;
    this.tolerant = rules.originTolerance === "tolerant";
  }

  /** Forgets all that belongs to one response. */
  forget(): void {
    this.head.release();
    this.odd = PLAIN;
    this.framesNothing = false;
    this.#bytes = NOTHING;
    this.#odd = this.#refusal = null;
  }

  /** Starts anew with a head that begins at `start` in `bytes`: that of the response, or of an interim one. */
  begin(bytes: Uint8Array, start: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#odd = this.#refusal = null;
    this.framesNothing = false;
    this.head.begin(bytes, start);
  }

  /** Tells that an incomplete head has been moved: to another buffer, or by `delta` bytes within one. */
  move(bytes: Uint8Array, delta: number): void {
    this.#bytes = bytes;
    this.#start += delta;
    if (this.#odd === null) this.head.move(bytes, delta);
    else this.#odd.move(bytes, delta);
  }

  /**
   * Whether what has come of an incomplete head can become a status line: a peer that greets in another protocol and
   * then waits for an answer is not to be waited for.
   */
  mayBecome(available: number): boolean {
    return mayBecomeStatusLine(this.#bytes, this.#start, available, this.tolerant);
  }

  /**
   * Reads on up to `available`, the end of the bytes that are there. True when the head is whole and its status line
   * read; false when more is needed. Throws {@link HttpError} 502 for what cannot become a head.
   */
  read(available: number): boolean {
    if (this.#odd !== null) return this.#readOdd(this.#odd, available);
    try {
      if (!this.head.read(available)) return false;
      readStatusLine(this.head, this);
    } catch (error) {
      if (!this.tolerant || !(error instanceof HttpError)) throw error;
      return this.#takeOver(available, error);
    }
    this.end = this.head.end;
    return !this.tolerant || isFramedPlainly(this.head) || this.#takeOver(available, null);
  }

  /**
   * The framing of the body of a response to a request with this method, an interim one's too. Throws
   * {@link HttpError} 502.
   */
  framing(method: string): Framing {
    const framing = responseFraming(this.head, this.status, method);
    if (framing !== 0) return framing;
    const reframed = this.#odd !== null && this.#odd.reframed;
    this.framesNothing = framesNothing(this.head, this.status, method, reframed);
    if (this.framesNothing) this.note(["framing fields without a body"]);
    return framing;
  }

  #takeOver(available: number, refusal: HttpError | null): boolean {
    this.#refusal = refusal;
    this.#odd = new TolerantHead(this.#bytes, this.#start, this.head.limits, "head");
    return this.#readOdd(this.#odd, available);
  }

  #readOdd(odd: TolerantHead, available: number): boolean {
    if (!odd.read(available)) return false;
    const canonical = odd.canonical();
    // nothing about it that could be understood: it is the framing, which is refused where it counts
    if (odd.odd.size === 0) {
      if (this.#refusal !== null) throw this.#refusal;
      return true;
    }
    this.end = odd.end;
    this.head.readCanonical(canonical, "head");
    if (!this.head.complete) throw badResponse("the origin's head is not valid");
    readStatusLine(this.head, this);
    this.note([...odd.odd]);
    return true;
  }

  /** Adds to {@link odd}: what its body has shown. */
  note(what: readonly string[]): void {
    this.odd = [...new Set([...this.odd, ...what])];
  }
}

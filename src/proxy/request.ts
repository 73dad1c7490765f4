/** A request as it was understood: what every station after `read` works with. */

import { type Framing, requestFraming } from "../http/framing.ts";
import { Field } from "../http/field_names.ts";
import { HeadReader } from "../http/head_reader.ts";
import { HeadWriter, hostIs } from "../http/head_writer.ts";
import { ConnectionOptions } from "../http/hop_by_hop.ts";
import { readRequestLine, type RequestLine } from "../http/start_line.ts";
import { readTarget, type Target, targetText } from "../http/target.ts";
import { badRequest } from "../http/error.ts";
import { parseAuthority } from "../http/authority.ts";
import type { Exchange } from "./exchange.ts";
import { type KnownLine, recallLine, rememberLine } from "./known_lines.ts";
import type { ProxySettings } from "./settings.ts";

/** Methods that may be sent twice without doing something twice (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** Protocols that carry requests (RFC 9110 §16.7, RFC 7540 §3.2, RFC 2817 §3.1). */
const HTTP_AGAIN = /^(?:https?|h2c?|tls)(?![!#$%&'*+.^_`|~0-9a-z-])/i;

/** Room for most heads; a writer that has grown beyond it is not kept. */
const WRITER_SIZE = 4096;

export class Request implements RequestLine {
  readonly head: HeadReader;
  readonly options = new ConnectionOptions();
  /** Where the head that goes to the origin is written, and the first bytes of the body with it. */
  writer = new HeadWriter(WRITER_SIZE);

  method = "";
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  minorVersion = 1;
  target!: Target;
  /** Its line, if that has come before. */
  known: KnownLine | null = null;
  framing: Framing = 0;

  constructor(settings: ProxySettings) {
    this.head = new HeadReader("request", settings);
  }

  /**
   * Understands a whole head, writing what is known into the record as soon as it is. Throws {@link HttpError}.
   */
  understand(exchange: Exchange): void {
    const { head } = this;
    exchange.requestHeadBytes = head.end - head.start;
    const known = this.known = recallLine(head);
    if (known === null) this.#readLine(exchange);
    else this.#takeLine(known, exchange);
    const { authority, form, scheme } = this.target;
    if (authority !== null) {
      exchange.scheme = form === "absolute" ? scheme : "";
      exchange.host = authority.host;
      exchange.port = authority.port;
    }
    this.#checkHost();
    this.framing = requestFraming(head, this.minorVersion);
    this.options.read(head);
  }

  #readLine(exchange: Exchange): void {
    const { head } = this;
    readRequestLine(head, this);
    this.method = exchange.method = head.text(head.start, this.methodEnd);
    exchange.minorVersion = this.minorVersion;
    this.target = readTarget(head, this, this.method);
    exchange.target = targetText(head, this.target);
    rememberLine(head, this, this.method, this.target);
  }

  #takeLine(line: KnownLine, exchange: Exchange): void {
    this.methodEnd = line.methodEnd;
    this.targetStart = line.targetStart;
    this.targetEnd = line.targetEnd;
    this.minorVersion = exchange.minorVersion = line.minorVersion;
    this.method = exchange.method = line.method;
    this.target = line.target;
    exchange.target = line.text;
  }

  /** Exactly one valid Host in HTTP/1.1, at most one in 1.0 (RFC 9112 §3.2). */
  #checkHost(): void {
    const { head } = this;
    const index = (head.seen & (1 << Field.Host)) === 0 ? -1 : head.find(Field.Host);
    if (index < 0) {
      if (this.minorVersion === 1) throw badRequest("a request without Host");
      return;
    }
    if (head.find(Field.Host, index + 1) >= 0) throw badRequest("Host more than once");
    // the usual case: Host says what the target says
    if (hostIs(head, index, this.target)) return;
    const value = head.value(index);
    // an empty Host is what a target without an authority goes with
    if (value !== "") parseAuthority(value, 80);
  }

  /** Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1). */
  get expectsContinue(): boolean {
    return this.minorVersion === 1 && this.framing !== 0 && this.#namesContinue;
  }

  /** Whether it asks for a `100 Continue` that HTTP/1.0 does not know, or without a body that could wait for it. */
  get expectsInVain(): boolean {
    return this.#namesContinue && !this.expectsContinue;
  }

  get #namesContinue(): boolean {
    return (this.head.seen & (1 << Field.Expect)) !== 0 &&
      this.head.values(Field.Expect).toLowerCase() === "100-continue";
  }

  /** Whether the client asks to leave HTTP for another protocol on this connection (RFC 9110 §7.8). */
  get asksUpgrade(): boolean {
    return this.minorVersion === 1 && this.options.upgrade &&
      (this.head.seen & (1 << Field.Upgrade)) !== 0 && !this.#leadsBackToHttp;
  }

  /**
   * Whether what it asks for is HTTP again, of another version or within TLS. Weir declines that (§7.8 lets it): in
   * the tunnel that it would become, further requests would pass by its rules.
   */
  get #leadsBackToHttp(): boolean {
    return this.head.values(Field.Upgrade).split(",").some((protocol) => HTTP_AGAIN.test(protocol.trim()));
  }

  /** Whether the request may be sent a second time when the first was lost with its connection. */
  get repeatable(): boolean {
    return this.framing === 0 && IDEMPOTENT.has(this.method);
  }

  /** Lets go of what belongs to the exchange, for the next one. False when it is not worth keeping. */
  release(): boolean {
    this.head.release();
    this.method = "";
    this.known = null;
    this.minorVersion = 1;
    this.framing = 0;
    this.options.forget();
    return this.writer.bytes.length <= WRITER_SIZE * 4;
  }
}

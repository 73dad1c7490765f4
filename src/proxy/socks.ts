/** SOCKS: a tunnel that is asked for in fewer words (RFC 1928, RFC 1929; versions 4 and 4a as their authors have them). */

import { type Authority, parseAuthority } from "../http/authority.ts";
import { badRequest, HttpError } from "../http/error.ts";
import { formatIp, parseIp } from "../http/ip_address.ts";
import type { Connection } from "../net/connection.ts";
import {
  COMMAND,
  type Greeting,
  type Login,
  loginAnswered,
  METHOD,
  methodChosen,
  readGreeting,
  readLogin,
  readRequest4,
  readRequest5,
  REPLY,
  type Reply,
  SocksFault,
  socksReply,
  type SocksRequest,
} from "../net/socks_reader.ts";
import { admitTo } from "./admit.ts";
import { ClientGone } from "./client_gone.ts";
import type { Exchange } from "./exchange.ts";
import { identifyBy, wrongPassword } from "./identity/identify.ts";
import { keepTo, refusal } from "./judgement.ts";
import type { Session } from "./session.ts";
import { openTunnel } from "./tunnel.ts";

const VERSION_5 = 5;
/** How the record names what was asked for. */
const METHODS: Readonly<Record<number, string>> = {
  [COMMAND.connect]: "CONNECT",
  [COMMAND.bind]: "BIND",
  [COMMAND.associate]: "UDP-ASSOCIATE",
};

/** What a client is told of a failure, by its RFC 9209 type; what is not here is a general one. */
const REPLIES: Readonly<Record<string, Reply>> = {
  http_request_denied: REPLY.notAllowed,
  proxy_loop_detected: REPLY.notAllowed,
  destination_ip_unroutable: REPLY.networkUnreachable,
  dns_error: REPLY.hostUnreachable,
  dns_timeout: REPLY.hostUnreachable,
  connection_refused: REPLY.refused,
  connection_timeout: REPLY.timeOut,
};

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Serves a connection that began with the first byte of SOCKS, which is one exchange. */
export async function socks(session: Session): Promise<void> {
  const exchange = session.begin();
  const handshake = new Handshake(session, exchange);
  try {
    await handshake.serve();
    session.finish(exchange);
  } catch (error) {
    if (error instanceof ClientGone) {
      exchange.truncated = true;
      const late = session.down.expired && exchange.status === 0;
      exchange.details = late ? "the client's SOCKS handshake took too long" : error.message;
      session.finish(exchange);
    } else if (error instanceof HttpError || error instanceof SocksFault) {
      await handshake.refuse(error);
      session.finish(exchange);
    } else {
      session.finish(exchange, "proxy_internal_error", String(error));
      throw error;
    }
  } finally {
    session.letGo(exchange);
  }
}

class Handshake {
  /** How the client is told that it goes no further, in the words of the message that it waits for. */
  #refusal: (reply: Reply) => Uint8Array;

  constructor(readonly session: Session, readonly exchange: Exchange) {
    const { down } = session;
    const isVersion5 = down.buffer[down.start] === VERSION_5;
    exchange.protocol = isVersion5 ? "socks5" : "socks4";
    this.#refusal = isVersion5
      ? () => methodChosen(METHOD.unacceptable)
      : (reply) => socksReply("socks4", reply);
  }

  /** Throws {@link HttpError} or {@link SocksFault} for what must not go on. */
  async serve(): Promise<void> {
    const { session, exchange } = this;
    const { down } = session;
    this.#hurry();
    let user: string | null = null;
    let request: SocksRequest;
    if (exchange.protocol === "socks5") {
      user = await this.#introduction();
      this.#refusal = (reply) => socksReply("socks5", reply);
      request = await this.#next(readRequest5);
    } else request = await this.#next(readRequest4);
    exchange.protocol = request.version;
    exchange.headAt = performance.now();
    exchange.kind = "tunnel";
    exchange.method = METHODS[request.command] ?? "";
    if (request.command !== COMMAND.connect) {
      const what = exchange.method || `the command ${request.command}`;
      throw new SocksFault(`${what} of SOCKS is not offered: only CONNECT is`, REPLY.noSuchCommand);
    }
    const authority = authorityOf(request);
    exchange.target = authority.text;
    exchange.host = authority.host;
    exchange.port = authority.port;
    down.deadline = Infinity;
    const admitted = admitTo(session, exchange, exchange.method, authority, null, () => user);
    if (admitted !== null) await admitted;
    await openTunnel(session, exchange, authority, (up) => granted(request, up));
  }

  /** What comes before a request of version 5: how the client says who it is, if it has to. Resolves with who it is. */
  async #introduction(): Promise<string | null> {
    const { session, exchange } = this;
    const { services: { settings: { policy, users } }, facts } = session;
    const { methods }: Greeting = await this.#next(readGreeting);
    facts.user = null;
    const verdict = users === null ? null : policy.receive(facts);
    // who is refused whoever they are need not be asked, and makes nobody compute hashes
    const asked = users !== null && !(verdict?.decision === "deny" && verdict.enforced);
    const open = methods.includes(METHOD.none) && verdict?.decision !== "authenticate";
    if (methods.includes(METHOD.login) && (asked || !open)) {
      await this.#say(methodChosen(METHOD.login));
      this.#refusal = () => loginAnswered(false);
      const login = await this.#next(readLogin);
      const user = asked ? await this.#prove(login) : null;
      await this.#say(loginAnswered(true));
      this.#hurry();
      return user;
    }
    if (open) {
      await this.#say(methodChosen(METHOD.none));
      return null;
    }
    if (verdict === null) throw badRequest("the SOCKS client offers no way to begin that is known here");
    keepTo(session, exchange, verdict);
    throw refusal(verdict);
  }

  async #prove({ user, password }: Login): Promise<string | null> {
    const { session, exchange } = this;
    session.down.deadline = Infinity;
    const proved = await identifyBy(session, exchange, user, password);
    // where nothing is refused, that is as good as having said nothing
    if (proved === null && !session.services.settings.policy.reportsOnly) throw wrongPassword(exchange);
    return proved;
  }

  /** Gives the client its time for what it has to say next. */
  #hurry(): void {
    const { down, services } = this.session;
    down.deadline = services.clock.in(services.settings.headTimeout);
  }

  /** The next message. All that a client may say before its tunnel has room in the smallest buffer. */
  async #next<T extends { end: number }>(
    read: (bytes: Uint8Array, start: number, end: number) => T | null,
  ): Promise<T> {
    const { down } = this.session;
    for (;;) {
      const message = read(down.buffer, down.start, down.end);
      if (message !== null) {
        this.exchange.requestHeadBytes += message.end - down.start;
        down.start = message.end;
        return message;
      }
      if (down.start === down.end && !down.reading) down.empty();
      if (await down.read() <= 0) throw new ClientGone();
    }
  }

  async #say(bytes: Uint8Array): Promise<void> {
    if (!await this.session.down.write(bytes)) throw new ClientGone();
    this.exchange.responseHeadBytes += bytes.length;
  }

  /** Tells the client that there is no tunnel, and writes into the record why. */
  async refuse(error: HttpError | SocksFault): Promise<void> {
    const { session, exchange } = this;
    const { down, services } = session;
    const isFault = error instanceof SocksFault;
    exchange.error = isFault ? "http_request_error" : error.error;
    exchange.details = error.message;
    exchange.status = isFault ? (error.reply === REPLY.noSuchCommand ? 501 : 400) : error.status;
    exchange.ownAnswer = true;
    down.deadline = services.clock.in(services.settings.bodyTimeout);
    const bytes = this.#refusal(isFault ? error.reply : REPLIES[error.error] ?? REPLY.failure);
    session.lingers = await down.write(bytes);
    if (session.lingers) exchange.responseHeadBytes += bytes.length;
    else exchange.truncated = true;
  }
}

/** The canonical form of what is asked for; an address is read as it would be in a URL. Throws {@link HttpError}. */
function authorityOf({ address, name, port }: SocksRequest): Authority {
  if (address !== null) {
    const text = formatIp({ family: address.length === 4 ? 4 : 6, bytes: address });
    return parseAuthority(address.length === 4 ? `${text}:${port}` : `[${text}]:${port}`, null);
  }
  let text: string;
  try {
    text = strictUtf8.decode(name!);
  } catch {
    throw badRequest("a host that is not UTF-8");
  }
  // some clients write an address of IPv6 where a name belongs
  return parseAuthority(parseIp(text)?.family === 6 ? `[${text}]:${port}` : `${text}:${port}`, null);
}

/** The client is told the address from which its tunnel goes on (RFC 1928 §6). */
function granted({ version }: SocksRequest, up: Connection): Uint8Array {
  const { hostname, port } = (up.stream as Deno.TcpConn).localAddr as Deno.NetAddr;
  const ip = parseIp(hostname);
  return ip === null
    ? socksReply(version, REPLY.granted)
    : socksReply(version, REPLY.granted, ip.bytes, port);
}

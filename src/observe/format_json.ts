/** One JSON object per exchange, for programs. */

import { withoutUserInformation } from "../http/user_information.ts";
import type { Exchange } from "../proxy/exchange.ts";
import { jsonText } from "./printable.ts";
import { exactMilliseconds } from "./quantities.ts";
import { isoTime } from "./timestamps.ts";

const MAX_TARGET = 8192;
const MAX_FIELD = 2048;
const MAX_WORDS = 1024;
const MAX_NAME = 256;

/**
 * The record of an exchange as one JSON object, built by hand since that is several times faster. Keys come in this
 * order and keep their meaning from release to release; those without meaning for an exchange are left out.
 *
 * Always there: `time` (the start, ISO 8601, UTC), `number`, `kind`, `client`, `clientPort`, `listener`, `verdict`,
 * `status` (0 when nothing was answered), the four bytes counts `requestHeadBytes`, `requestBodyBytes`,
 * `responseHeadBytes`, `responseBodyBytes`, and `durationMs`.
 *
 * When known: `through` (the trusted proxy that told of the client), `user`, `method`, `version` (of HTTP; of others `protocol`: `socks4`, `socks4a`, `socks5`), `target`, `scheme`, `host`, `port`, `userAgent`, `referer`, `enforced`
 * (false: the verdict was only reported, and the exchange went on), `rule`, `reason`, `cache` (what the cache had to do with it: `hit`, `miss stored`, …), `serverName` (that a tunnel's
 * TLS named, where it was looked at), `parent` (the proxy through which it went, by its name; what it resolves a name
 * to is not known), `origin` (the address dialled, or that the parent was asked for) with `originPort`, `reused`, `retries`,
 * `upstreamSentBytes` and `upstreamReceivedBytes`, `originStatus`, `ownAnswer` with its `reference` (which the client
 * was shown), `contentType`, `headMs`,
 * `connectedMs` and `responseMs` (counted from the start), `error` (an RFC 9209 type), `details`, `odd` (what was odd
 * about the response and understood all the same: `LF line end, folded line`), `truncated`.
 */
export function formatJson(exchange: Exchange): string {
  let line =
    `{"time":"${isoTime(exchange.startedAt)}","number":${exchange.number},"kind":"${exchange.kind}"` +
    `${client.of(exchange.clientAddress)},"clientPort":${exchange.clientPort}${
      listener.of(exchange.listener)
    }`;
  if (exchange.through !== "") line += through.of(exchange.through);
  if (exchange.user !== "") line += user.of(exchange.user);
  if (exchange.method !== "") line += request(exchange);
  line += `,"verdict":"${exchange.verdict}"`;
  if (!exchange.enforced) line += ',"enforced":false';
  if (exchange.rule !== "") line += rule.of(exchange.rule);
  if (exchange.reason !== "") line += reason.of(exchange.reason);
  if (exchange.serverName !== "") line += serverName.of(exchange.serverName);
  if (exchange.cache !== "") line += cache.of(exchange.cache);
  if (exchange.originAddress !== "" || exchange.parent !== "") line += origin(exchange);
  line += `,"status":${exchange.status}`;
  if (exchange.originStatus !== 0) line += `,"originStatus":${exchange.originStatus}`;
  if (exchange.ownAnswer) line += `,"ownAnswer":true,"reference":"${exchange.reference}"`;
  if (exchange.contentType !== "") line += contentType.of(exchange.contentType);
  line += `,"requestHeadBytes":${exchange.requestHeadBytes},"requestBodyBytes":${exchange.requestBodyBytes}` +
    `,"responseHeadBytes":${exchange.responseHeadBytes},"responseBodyBytes":${exchange.responseBodyBytes}`;
  if (exchange.headAt >= 0) line += `,"headMs":${since(exchange, exchange.headAt)}`;
  if (exchange.connectedAt >= 0) line += `,"connectedMs":${since(exchange, exchange.connectedAt)}`;
  if (exchange.responseAt >= 0) line += `,"responseMs":${since(exchange, exchange.responseAt)}`;
  line += `,"durationMs":${since(exchange, exchange.endedAt)}`;
  if (exchange.error !== "") line += error.of(exchange.error);
  if (exchange.details !== "") line += details.of(exchange.details);
  if (exchange.odd !== "") line += odd.of(exchange.odd);
  return line + (exchange.truncated ? ',"truncated":true}' : "}");
}

function request(exchange: Exchange): string {
  let part = method.of(exchange.method);
  if (exchange.protocol !== "http") part += `,"protocol":"${exchange.protocol}"`;
  else part += exchange.minorVersion === 0 ? ',"version":"1.0"' : ',"version":"1.1"';
  if (exchange.target !== "") {
    part += `,"target":"${jsonText(withoutUserInformation(exchange.target), MAX_TARGET)}"`;
  }
  if (exchange.scheme !== "") part += scheme.of(exchange.scheme);
  if (exchange.host !== "") part += `${host.of(exchange.host)},"port":${exchange.port}`;
  const agent = exchange.fields.field("user-agent");
  if (agent !== "") part += userAgent.of(agent);
  const page = exchange.fields.field("referer");
  if (page !== "") part += referer.of(withoutUserInformation(page));
  return part;
}

function origin(exchange: Exchange): string {
  const way = exchange.parent === "" ? "" : parent.of(exchange.parent);
  const address = exchange.originAddress === "" ? "" : originAddress.of(exchange.originAddress);
  const part = `${way}${address}${address === "" ? "" : `,"originPort":${exchange.originPort}`}` +
    (exchange.reused ? ',"reused":true' : ',"reused":false') +
    (exchange.retries === 0 ? "" : `,"retries":${exchange.retries}`);
  return `${part},"upstreamSentBytes":${exchange.upstreamSentBytes}` +
    `,"upstreamReceivedBytes":${exchange.upstreamReceivedBytes}`;
}

function since(exchange: Exchange, at: number): string {
  return exactMilliseconds(Math.max(0, at - exchange.began));
}

/** A member whose value is often the one it had in the line before: that one is ready and looked at only once. */
class Member {
  #value = "";
  #text: string;

  constructor(readonly key: string, readonly limit: number) {
    this.#text = this.#make("");
  }

  /** `,"key":"value"` with the value escaped and bounded. */
  of(value: string): string {
    if (value !== this.#value) {
      this.#text = this.#make(value);
      this.#value = value;
    }
    return this.#text;
  }

  #make(value: string): string {
    // joined and not added: one flat string, which is cheaper to copy again and again
    return [',"', this.key, '":"', jsonText(value, this.limit), '"'].join("");
  }
}

const client = new Member("client", MAX_NAME);
const listener = new Member("listener", MAX_NAME);
const through = new Member("through", MAX_NAME);
const user = new Member("user", MAX_NAME);
const method = new Member("method", MAX_NAME);
const scheme = new Member("scheme", MAX_NAME);
const host = new Member("host", MAX_NAME);
const userAgent = new Member("userAgent", MAX_FIELD);
const referer = new Member("referer", MAX_FIELD);
const rule = new Member("rule", MAX_WORDS);
const reason = new Member("reason", MAX_WORDS);
const serverName = new Member("serverName", MAX_NAME);
const cache = new Member("cache", MAX_NAME);
const parent = new Member("parent", MAX_NAME);
const originAddress = new Member("origin", MAX_NAME);
const contentType = new Member("contentType", MAX_NAME);
const error = new Member("error", MAX_NAME);
const odd = new Member("odd", MAX_WORDS);
const details = new Member("details", MAX_WORDS);

/** A tunnel through a parent that speaks SOCKS 5, which resolves names itself (RFC 1928). */

import type { Authority } from "../../http/authority.ts";
import {
  connectMessage,
  greeting,
  passwordMessage,
  readMethod,
  readWelcome,
  replyLength,
} from "../../net/socks_client.ts";
import { METHOD, REPLY } from "../../net/socks_reader.ts";
import type { Parent } from "./parent.ts";
import { called, ParentError, unwelcome } from "./parent_error.ts";
import type { Upstream } from "../upstream.ts";

interface Failure {
  readonly status: number;
  readonly error: string;
  readonly said: string;
}

/** What the replies of RFC 1928 §6 mean for a client. */
const FAILURES: Readonly<Record<number, Failure>> = {
  [REPLY.failure]: { status: 502, error: "destination_unavailable", said: "it failed" },
  [REPLY.notAllowed]: { status: 403, error: "http_request_denied", said: "its rules forbid it" },
  [REPLY.networkUnreachable]: {
    status: 502,
    error: "destination_ip_unroutable",
    said: "the network cannot be reached",
  },
  [REPLY.hostUnreachable]: {
    status: 502,
    error: "destination_ip_unroutable",
    said: "the host cannot be reached",
  },
  [REPLY.refused]: { status: 502, error: "connection_refused", said: "the connection was refused" },
  [REPLY.timeOut]: { status: 504, error: "connection_timeout", said: "it took too long" },
  [REPLY.noSuchCommand]: { status: 502, error: "destination_unavailable", said: "it makes no connections" },
  [REPLY.noSuchAddressType]: {
    status: 502,
    error: "destination_unavailable",
    said: "it knows no such addresses",
  },
};

/**
 * Asks the parent for a tunnel. Afterwards what it has sent behind its answer, the first bytes of the tunnel, stands
 * in the connection's buffer.
 *
 * @throws {ParentError} when there is no tunnel
 */
export async function askForSocksTunnel(up: Upstream, parent: Parent, authority: Authority): Promise<void> {
  const { credentials } = parent.spec;
  await say(up, parent, greeting(credentials !== null));
  await hear(up, parent, 2);
  const method = readMethod(up.buffer, up.start);
  up.start += 2;
  if (method === null) throw senseless(parent);
  if (method === METHOD.login && credentials !== null) {
    await say(up, parent, passwordMessage(credentials.user, credentials.password));
    await hear(up, parent, 2);
    const welcome = readWelcome(up.buffer, up.start);
    up.start += 2;
    if (welcome === null) throw senseless(parent);
    if (!welcome) throw unwelcome(parent, 0);
  } else if (method !== METHOD.none) throw unwelcome(parent, 0);

  await say(up, parent, connectMessage(authority.ip?.bytes ?? authority.host, authority.port));
  await hear(up, parent, 2);
  const code = up.buffer[up.start + 1];
  if (up.buffer[up.start] !== 5) throw senseless(parent);
  if (code !== REPLY.granted) {
    const { status, error, said } = FAILURES[code] ?? FAILURES[REPLY.failure];
    const verb = status === 403 ? "refuses" : "has no tunnel to";
    throw new ParentError(parent, status, error, `${called(parent)} ${verb} ${authority.text}: ${said}`);
  }
  await hear(up, parent, 5);
  const length = replyLength(up.buffer, up.start, up.end);
  if (length === null) throw senseless(parent);
  await hear(up, parent, length);
  up.start += length;
}

async function say(up: Upstream, parent: Parent, message: Uint8Array): Promise<void> {
  if (!await up.write(message)) throw silent(parent);
}

/** Waits until so many bytes are there. */
async function hear(up: Upstream, parent: Parent, count: number): Promise<void> {
  if (up.start === up.end) up.empty();
  while (up.end - up.start < count) if (await up.read() <= 0) throw silent(parent);
}

function silent(parent: Parent): ParentError {
  const message = `${called(parent)} closed the connection within the SOCKS handshake`;
  return new ParentError(parent, 502, "connection_terminated", message);
}

function senseless(parent: Parent): ParentError {
  return new ParentError(parent, 502, "http_protocol_error", `${called(parent)} does not speak SOCKS 5`);
}

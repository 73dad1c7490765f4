/** A tunnel through a parent that speaks HTTP: CONNECT, said by weir (RFC 9110 §9.3.6). */

import type { Authority } from "../../http/authority.ts";
import { HttpError } from "../../http/error.ts";
import { bytesOf } from "../../http/text.ts";
import type { Parent } from "./parent.ts";
import { called, ParentError, unwelcome } from "./parent_error.ts";
import type { Response } from "../response.ts";
import type { Services } from "../services.ts";
import type { Upstream } from "../upstream.ts";

/** Interim responses to one CONNECT. */
const MAX_INTERIM = 16;
const LONGEST_REASON = 120;

/**
 * Asks the parent for a tunnel. Afterwards what it has sent behind its answer, the first bytes of the tunnel, stands
 * in the connection's buffer.
 *
 * @param via the field's value: the proxies that the request has come through, this one at its end
 * @throws {ParentError} when there is no tunnel
 */
export async function askForTunnel(
  services: Services,
  up: Upstream,
  parent: Parent,
  authority: Authority,
  via: string,
): Promise<void> {
  const { text } = authority;
  const head = bytesOf(`CONNECT ${text} HTTP/1.1\r\nHost: ${text}\r\nVia: ${via}\r\n`);
  const end = bytesOf("\r\n");
  const response = services.borrowResponse();
  try {
    if (!await up.write(joined(head, parent.authorization ?? new Uint8Array(), end))) {
      throw silent(parent, text);
    }
    for (let interim = 0;; interim++) {
      await readHead(up, response, parent, text);
      if (response.status >= 200) break;
      if (response.status === 101 || interim === MAX_INTERIM) throw senseless(parent, "an interim answer");
      up.start = response.end;
    }
    up.odd = response.odd;
    if (response.status >= 300) throw refusal(parent, response, text);
    up.start = response.end;
  } catch (error) {
    if (!(error instanceof HttpError) || error instanceof ParentError) throw error;
    throw senseless(parent, error.message);
  } finally {
    services.giveBackResponse(response);
  }
}

async function readHead(up: Upstream, response: Response, parent: Parent, text: string): Promise<void> {
  if (up.start === up.end) up.empty();
  response.begin(up.buffer, up.start);
  for (;;) {
    if (up.start !== up.end) {
      if (response.read(up.end)) return;
      if (!response.mayBecome(up.end)) throw senseless(parent, "what is no HTTP/1.1");
      if (up.room === 0) up.grow(response, null);
    }
    if (await up.read() <= 0) throw silent(parent, text);
  }
}

function joined(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The parent says no. What it says is for its own client, which is weir: a challenge goes no further. */
function refusal(parent: Parent, response: Response, text: string): ParentError {
  const { status, head, reasonStart } = response;
  if (status === 407) return unwelcome(parent, status);
  const reason = parent.withoutSecrets(head.text(reasonStart, head.startLineEnd).trim());
  const said = `${status}${reason === "" ? "" : ` ${reason.slice(0, LONGEST_REASON)}`}`;
  if (status === 403) {
    return new ParentError(
      parent,
      403,
      "http_request_denied",
      `${called(parent)} refuses ${text}: ${said}`,
      403,
    );
  }
  const message = `${called(parent)} has no tunnel to ${text}: ${said}`;
  if (status === 504) return new ParentError(parent, 504, "connection_timeout", message, status);
  if (status === 429 || status === 503) {
    return new ParentError(parent, 503, "destination_unavailable", message, status);
  }
  return new ParentError(parent, 502, "destination_unavailable", message, status);
}

function silent(parent: Parent, text: string): ParentError {
  const message = `${called(parent)} closed the connection without an answer about ${text}`;
  return new ParentError(parent, 502, "connection_terminated", message);
}

function senseless(parent: Parent, what: string): ParentError {
  return new ParentError(
    parent,
    502,
    "http_protocol_error",
    `${called(parent)} answers senselessly: ${what}`,
  );
}

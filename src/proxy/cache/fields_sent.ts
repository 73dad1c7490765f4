/**
 * A request's fields as its origin gets them. Responses that vary do so by these: by what the client has said besides,
 * and weir has not sent on, it could have what was made for nobody in particular kept for others.
 */

import { fieldsOf } from "../../cache/field_lines.ts";
import { isCredentialField } from "../../cache/credential_fields.ts";
import type { Credentials, FieldLine, Fields } from "../../cache/stored_response.ts";
import { Field } from "../../http/field_names.ts";
import type { HeadReader } from "../../http/head_reader.ts";
import { copyOf } from "../../http/text.ts";
import { speaksByConnection } from "../own_connections.ts";
import type { Request } from "../request.ts";
import type { Session } from "../session.ts";

const FORWARDED: ReadonlySet<string> = new Set(["x-forwarded-for", "forwarded"]);

/**
 * For as long as the request's head is there. One that goes out on a connection that its user has authenticated has
 * credentials, though no field of it says so: what it brings is not for others.
 */
export function fieldsSent(session: Session, request: Request): Fields {
  const fields = fieldsOfHead(session, request);
  if (session.own === null || !speaksByConnection(session, request)) return fields;
  const { name: connection } = session.own;
  return { field: (name) => fields.field(name) || (name === "authorization" ? connection : "") };
}

function fieldsOfHead(session: Session, request: Request): Fields {
  const { head, options } = request;
  const { forwardedFor } = session.services.settings;
  if (options.named.size === 0 && forwardedFor === "leave") return head;
  return {
    field(name) {
      const value = options.named.has(name) ? "" : head.field(name);
      if (forwardedFor === "leave" || !FORWARDED.has(name)) return value;
      // where the client is told, it may be told in this one
      return forwardedFor === "delete" ? "" : `${forwardedFor === "set" ? "" : value}, ${session.client}`;
    },
  };
}

/** The same for as long as they are wanted. */
export function copyOfFieldsSent(session: Session, request: Request): Fields {
  const { head } = request;
  const fields = fieldsSent(session, request);
  const names = new Set(FORWARDED);
  for (let index = 0; index < head.count; index++) names.add(head.name(index).toLowerCase());
  const lines: FieldLine[] = [];
  for (const name of names) {
    const value = fields.field(name);
    if (value !== "") lines.push([copyOf(name), copyOf(value)]);
  }
  return fieldsOf(lines);
}

const AUTHORIZATION = 1 << Field.Authorization;
const COOKIE = 1 << Field.Cookie;

/** What a request proves of its client, by its fields or by the connection on which it goes out. */
export function credentialsIn(session: Session, request: Request): Credentials {
  const { head } = request;
  if ((head.seen & AUTHORIZATION) !== 0 || speaksByConnection(session, request)) return "key";
  for (let index = 0; index < head.count; index++) {
    if (head.number(index) === 0 && isCredentialField(head.name(index))) return "key";
  }
  return (head.seen & COOKIE) !== 0 ? "cookie" : "none";
}

const ACCEPT_ENCODING = "accept-encoding";
/** Where it differs from `accept-language`; another name that is taken for it does no harm. */
const TELLING = ACCEPT_ENCODING.indexOf("-") + 1;
const LETTER_E = 0x65;
const LOWER = 0x20;
const ZERO = 0x30;
const EQUALS = 0x3d;

/**
 * Whether nothing in a request's `Accept-Encoding` rules out what has no coding: no weight in it begins with 0. Reads
 * bytes alone, since it is asked for each hit.
 */
export function takesUncoded(head: HeadReader): boolean {
  const { bytes } = head;
  for (let index = 0; index < head.count; index++) {
    if (head.number(index) !== 0) continue;
    const start = head.lineStart(index);
    if (head.nameEnd(index) - start !== ACCEPT_ENCODING.length) continue;
    if ((bytes[start + TELLING] | LOWER) !== LETTER_E) continue;
    const end = head.valueEnd(index);
    for (let at = head.valueStart(index) + 1; at < end; at++) {
      if (bytes[at] === ZERO && bytes[at - 1] === EQUALS) return false;
    }
  }
  return true;
}

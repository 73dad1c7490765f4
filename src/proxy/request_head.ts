/** The head that goes to an origin. */

import type { Authority } from "../http/authority.ts";
import { SP } from "../http/characters.ts";
import { Field } from "../http/field_names.ts";
import { CHUNKED, unpaddedLength } from "../http/framing.ts";
import {
  CONNECTION_CLOSE,
  CONNECTION_UPGRADE,
  fieldLine,
  type HeadWriter,
  TE_TRAILERS,
  TRANSFER_ENCODING_CHUNKED,
} from "../http/head_writer.ts";
import { DEFAULT_PORTS } from "../http/target.ts";
import { bytesOf } from "../http/text.ts";
import { addForwardedFor } from "./forwarded_for.ts";
import { oneForwardLess } from "./max_forwards.ts";
import type { Parent } from "./parents/parent.ts";
import type { Request } from "./request.ts";
import type { Session } from "./session.ts";
import type { Storing } from "./cache/storing.ts";

const STAR = 0x2a;
const VIA = 1 << Field.Via;
const EXPECT = 1 << Field.Expect;
const TE = 1 << Field.TE;
const CONTENT_LENGTH = 1 << Field.ContentLength;
const MAX_FORWARDS = 1 << Field.MaxForwards;
const FORWARDED_FOR = (1 << Field.XForwardedFor) | (1 << Field.Forwarded);

/**
 * Writes the head that goes to the origin.
 *
 * @param storing the cache's part in it, which may have conditions of its own
 */
export function writeRequestHead(
  session: Session,
  request: Request,
  writer: HeadWriter,
  storing: Storing | null,
): void {
  const { services, client } = session;
  const { settings } = services;
  const { head, target, options } = request;
  const upgrading = request.asksUpgrade;
  const counted = (head.seen & MAX_FORWARDS) !== 0 ? oneForwardLess(request) : null;
  writer.begin(head);
  writer.upgrading = upgrading;
  if (counted !== null) writer.leaveOut |= MAX_FORWARDS;
  const length = unpaddedLength(head);
  if (length !== null) writer.leaveOut |= CONTENT_LENGTH;
  if (request.expectsInVain) writer.leaveOut |= EXPECT;
  if (settings.forwardedFor === "delete" || settings.forwardedFor === "set") writer.leaveOut |= FORWARDED_FOR;
  const namesItself = settings.via === "both";
  // some origins do not compress for proxies: they are not shown any, not those before this one either
  if (!namesItself) writer.leaveOut |= VIA;
  // what rules have said of the method and the path holds for what the origin gets
  writer.leaveOutOverrides = session.verdict?.readsRequest === true;
  storing?.prepare(writer);
  writer.requestLine(head, request, target, request.method);
  writer.fields(head, options, target);
  if (namesItself) writer.add(services.via[request.minorVersion]);
  if (request.framing === CHUNKED) writer.add(TRANSFER_ENCODING_CHUNKED);
  if (length !== null) writer.addField("Content-Length", length);
  if (counted !== null) writer.addField("Max-Forwards", counted);
  if (settings.forwardedFor === "set" || settings.forwardedFor === "append") {
    addForwardedFor(writer, head, client);
  }
  storing?.addConditions(writer);
  if (upgrading) writer.add(CONNECTION_UPGRADE);
  else {
    if ((head.seen & TE) !== 0 && offersTrailers(request)) writer.add(TE_TRAILERS);
    if (settings.originConnections === "close") writer.add(CONNECTION_CLOSE);
  }
  writer.end();
}

/**
 * The line `Via` that a parent gets though origins get none: it is between proxies that requests go round in circles
 * (RFC 9110 §7.6.3). `null` where the head for the origin has it already.
 */
export function viaForParent({ services: { settings } }: Session, request: Request): Uint8Array | null {
  if (settings.via === "both") return null;
  const before = request.head.values(Field.Via);
  const own = `1.${request.minorVersion} ${settings.pseudonym}`;
  return fieldLine("Via", before === "" ? own : `${before}, ${own}`);
}

/**
 * Makes of a head for an origin one for a parent: with the target in absolute form (RFC 9112 §3.2.2), and with what the
 * parent knows weir by.
 *
 * @param via see {@link viaForParent}
 */
export function addressToParent(
  writer: HeadWriter,
  authority: Authority,
  parent: Parent,
  via: Uint8Array | null,
): void {
  const { bytes } = writer;
  const target = bytes.indexOf(SP) + 1;
  const prefix = bytesOf(`http://${authority.hostField(DEFAULT_PORTS.http)}`);
  // OPTIONS * is the absolute form without a path (RFC 9112 §3.2.4)
  writer.insert(target, prefix, bytes[target] === STAR ? 1 : 0);
  if (via !== null) writer.insert(writer.length - 2, via);
  if (parent.authorization !== null) writer.insert(writer.length - 2, parent.authorization);
}

/** Whether the client takes trailers, which is offered anew in weir's own name (RFC 9110 §10.1.4). */
function offersTrailers(request: Request): boolean {
  return request.head.values(Field.TE).toLowerCase().split(",").some((member) =>
    member.trim() === "trailers"
  );
}

/** Schemes of HTTP authentication: which speak for one request, and which for the connection that it came on. */

import { Field } from "./field_names.ts";
import type { HeadReader } from "./head_reader.ts";

/**
 * Schemes whose credentials speak for the request that carries them: those of the IANA registry but `Negotiate`
 * (RFC 4559), and well-known ones besides. Every other scheme is taken for one that authenticates the connection, as
 * NTLM does: a connection that is shared less is a smaller loss than another client's identity.
 */
const PER_REQUEST: ReadonlySet<string> = new Set([
  ...["basic", "bearer", "concealed", "digest", "dpop", "gnap", "hoba", "mutual", "oauth", "privatetoken"],
  ...["vapid", "api-key", "apikey", "aws", "bot", "googlelogin", "hawk", "jwt", "key", "macaroon"],
  ...["sharedaccesssignature", "sharedkey", "sharedkeylite", "signature", "token"],
]);
const PER_REQUEST_FAMILY = /^(?:aws4|scram)-/;

/** A scheme, or the name of a parameter, and what stands behind it. */
const TOKEN = /^([!#$%&'*+\-.^_`|~0-9a-z]+)([^]*)$/;
const SPACE_OR_END = /^(?:[ \t]|$)/;

/** Whether a request's `Authorization` may authenticate the connection on which it goes (RFC 4559 §5). */
export function authenticatesConnection(request: HeadReader): boolean {
  return (request.seen & (1 << Field.Authorization)) !== 0 && namesOther(request, Field.Authorization);
}

/** Whether a response asks for credentials that authenticate the connection on which they come. */
export function asksToAuthenticateConnection(response: HeadReader): boolean {
  return namesOther(response, Field.WwwAuthenticate);
}

/** Whether one of these fields names a scheme that is not known to speak for one request alone. */
function namesOther(head: HeadReader, field: number): boolean {
  for (let at = head.find(field); at >= 0; at = head.find(field, at + 1)) {
    if (!isPerRequest(head.value(at).toLowerCase())) return true;
  }
  return false;
}

/** Whether each scheme of a list of challenges or credentials (RFC 9110 §11.3, §11.4), in lower case, is known. */
function isPerRequest(list: string): boolean {
  let first = true;
  for (const member of members(list)) {
    const [, token, behind] = TOKEN.exec(member) ?? ["", "", ""];
    // a further parameter of the scheme before
    if (!first && token !== "" && behind.trimStart().startsWith("=")) continue;
    first = false;
    const known = PER_REQUEST.has(token) || PER_REQUEST_FAMILY.test(token);
    if (!known || !SPACE_OR_END.test(behind)) return false;
  }
  return true;
}

/**
 * The members of a list that are not empty. A comma within quotes separates nothing; where they are not closed, others
 * may see members that cannot be seen here, and one that is no scheme stands for them.
 */
function* members(list: string): Generator<string> {
  let start = 0;
  let quoted = false;
  for (let at = 0; at <= list.length; at++) {
    const character = list[at];
    if (quoted && character === "\\") at++;
    else if (character === '"') quoted = !quoted;
    if (at < list.length && (quoted || character !== ",")) continue;
    const member = list.slice(start, at).trim();
    if (member !== "") yield member;
    start = at + 1;
  }
  if (quoted) yield '"';
}

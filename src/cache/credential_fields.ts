/** What of a request proves who sends it: a response to it may be this client's own, whatever it does not say. */

import { copyOf } from "../http/text.ts";
import type { CacheRequest, Credentials } from "./stored_response.ts";

/**
 * Words of which one is in the name of a field that carries a key: `X-Api-Key`, `X-Auth-Token`, `Private-Token`,
 * `X-Amz-Security-Token`, `X-Goog-Encryption-Key`, `X-Session-Id`, `X-Remote-User`, `X-ApiKey`; or by which a proxy that
 * has authenticated its user names them: `X-WebAuth-User`, `X-MS-Client-Principal`, `X-Amzn-Oidc-Data`, `X-SSL-Client-DN`.
 */
const CREDENTIAL_FIELD =
  /(?:^|[-_])(?:auth|authentication|authori[sz]ation|cert|credentials?|dn|jwt|[a-z]*key|oidc|passw(?:or)?d|principal|secret|session|sid|signature|[a-z]*token|(?:[a-z]*auth[a-z]*|forwarded|remote)[-_](?:email|user)|^x[-_]user(?:name)?)(?:$|[-_])/;

/** Names that have such a word, and of which the value is none. */
const HARMLESS: ReadonlySet<string> = new Set([
  "proxy-authorization",
  "sec-websocket-key",
  "surrogate-key",
  "x-user-agent",
]);

/** The same of parameters by which a URL itself is a key: `?token=`, `access_token=`, `X-Amz-Signature=`, `sig=`. */
const CREDENTIAL_PARAMETER =
  /[?&;](?:[a-z0-9_.-]*[_.-])?(?:auth|authorization|credential|jwt|[a-z]*key|passw(?:or)?d|secret|session(?:_?id)?|sid|sig|signature|[a-z]*token)=/i;

/** What is known of names that come again and again. */
const MEMO_SIZE = 512;
const MEMO_NAME = 64;
const known = new Map<string, boolean>();

/** Whether a field's name, in any case, says that its value is a key; `Cookie` is none here. */
export function isCredentialField(name: string): boolean {
  const before = known.get(name);
  if (before !== undefined) return before;
  const lower = name.toLowerCase();
  const is = CREDENTIAL_FIELD.test(lower) && !HARMLESS.has(lower);
  if (name.length <= MEMO_NAME) {
    if (known.size >= MEMO_SIZE) known.clear();
    // a slice would keep the head that it is of
    known.set(copyOf(name), is);
  }
  return is;
}

/**
 * Whether a URL has a key or a signature in its query. Only a client that has the same one finds what is stored for
 * it; but for how long it is good is not to be guessed.
 */
export function hasCredentialParameter(url: string): boolean {
  return CREDENTIAL_PARAMETER.test(url);
}

/** What a request proves, as far as is known. */
export function credentialsOf({ credentials, fields }: CacheRequest): Credentials {
  if (credentials !== undefined) return credentials;
  if (fields.field("authorization") !== "") return "key";
  return fields.field("cookie") === "" ? "none" : "cookie";
}

/** The same request as one that proves nothing. */
export function withoutCredentials(request: CacheRequest): CacheRequest {
  const { fields } = request;
  return {
    ...request,
    fields: { field: (name) => name === "authorization" || name === "cookie" ? "" : fields.field(name) },
    credentials: "none",
  };
}

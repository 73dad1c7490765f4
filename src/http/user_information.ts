/**
 * What a URL must not hold but might, user and password (RFC 9110 §4.2.4), and how it is kept out of words. Where there
 * is any, all up to the last `@` goes: a password may hold an `@` or a slash that should have been encoded.
 */

/** With a slash before it, as a gateway is asked for a URL. */
const SCHEME = /^\/*[a-z][a-z0-9+.-]*:[/\\]+/i;
/** The same in what a person has written: behind a blank, a quotation mark or a name, and badly. */
const SLASHES = /[a-z][a-z0-9+.-]*:[/\\]+|[/\\]{2,}/i;
/** A host and perhaps a port, at a glance. */
const AUTHORITY = /^(?:\[[^\]@]*\]|[^:@]*)(?::[0-9]{0,5})?$/;

/** A URL, or `host:port`, less its user information. */
export function withoutUserInformation(text: string): string {
  if (text.indexOf("@") < 0) return text;
  const start = afterScheme(text);
  return text.slice(0, start) + text.slice(hostStart(text, start));
}

/** The same with `***@` in its place. */
export function maskUserInformation(text: string): string {
  return text.indexOf("@") < 0 ? text : masked(text, afterScheme(text));
}

function masked(text: string, start: number): string {
  const host = hostStart(text, start);
  // an @ that nothing stands before is the beginning of a name
  return host <= start + 1 ? text : `${text.slice(0, start)}***@${text.slice(host)}`;
}

/**
 * The same for what a person has written, which need not be a URL: without a scheme only what holds a colon is taken for
 * a user and a password, so that `alice@example.com` stays.
 */
export function withoutPassword(text: string): string {
  if (text.indexOf("@") < 0) return text;
  const slashes = SLASHES.exec(text);
  if (slashes !== null) return masked(text, slashes.index + slashes[0].length);
  return text.slice(0, hostStart(text, 0)).includes(":") ? masked(text, 0) : text;
}

function afterScheme(text: string): number {
  return SCHEME.exec(text)?.[0].length ?? 0;
}

/** Where the host of an authority at `start` begins, behind its user information. */
function hostStart(text: string, start: number): number {
  const rest = text.slice(start);
  const end = rest.search(/[/?#\\]/);
  return AUTHORITY.test(end < 0 ? rest : rest.slice(0, end)) ? start : start + rest.lastIndexOf("@") + 1;
}

/** The URL of a parent proxy: how to speak to it, where it is, and who weir is to it. */

import { parseAuthority } from "../http/authority.ts";
import { HttpError } from "../http/error.ts";
import { withoutPassword } from "../http/user_information.ts";
import type { ParentSpec } from "../proxy/parents/parent.ts";
import { WrongValue } from "./errors.ts";
import { didYouMean } from "./nearest.ts";
import { printable, quote } from "./printable.ts";

const SCHEMES = ["http", "https", "socks5"] as const;
/** Bytes that SOCKS has room for (RFC 1929 §2). */
const LONGEST_IN_SOCKS = 255;
const LONGEST = 1024;

/**
 * Reads `http://proxy.example:3128`, `https://user:password@proxy.example:443`, `socks5://127.0.0.1:1080`. The port is
 * always written: programs do not agree on one. What is wrong is said without the user and the password.
 *
 * @param name what logs call it; `""`: its URL
 * @throws {WrongValue}
 */
export function parseParent(text: string, name = ""): ParentSpec {
  const [, written, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text) ?? [];
  if (written === undefined) {
    throw new WrongValue(
      `${quote(text.slice(text.lastIndexOf("@") + 1))} is no URL: write http://proxy.example:3128`,
    );
  }
  const scheme = written.toLowerCase() === "socks5h" ? "socks5" : written.toLowerCase();
  if (!isScheme(scheme)) {
    const wrong = `${printable(written)}:// is not how a parent is spoken to`;
    throw new WrongValue(`${wrong}: write one of ${SCHEMES.join(", ")}${didYouMean(scheme, SCHEMES)}`);
  }
  if (text.length > LONGEST) throw new WrongValue(`is longer than ${LONGEST} characters`);
  const at = rest.lastIndexOf("@");
  const place = rest.slice(at + 1).replace(/\/$/, "");
  // one that is not taken for a password elsewhere would be shown
  const isInPath = at >= 0 && withoutPassword(text) === text;
  if (isInPath || /[/?#]/.test(place)) {
    throw new WrongValue("has a path: a proxy has a host and a port, and no more");
  }
  try {
    const authority = parseAuthority(place, null);
    return {
      name: name || `${scheme}://${authority.text}`,
      scheme,
      authority,
      credentials: at < 0 ? null : credentialsOf(rest.slice(0, at), scheme),
      secretKey: `${scheme}://${rest.slice(0, at + 1)}${authority.text}`,
    };
  } catch (error) {
    if (error instanceof HttpError) throw new WrongValue(error.message);
    throw error;
  }
}

function isScheme(text: string): text is ParentSpec["scheme"] {
  return (SCHEMES as readonly string[]).includes(text);
}

function credentialsOf(text: string, scheme: ParentSpec["scheme"]): { user: string; password: string } {
  const colon = text.indexOf(":");
  const user = decoded(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? "" : decoded(text.slice(colon + 1));
  if (user === "") throw new WrongValue("has no user before its @");
  if (/\p{Cc}/u.test(user + password)) throw new WrongValue("has a user or password with control characters");
  if (scheme === "socks5") {
    const lengths = [user, password].map((each) => new TextEncoder().encode(each).length);
    if (lengths.some((length) => length === 0 || length > LONGEST_IN_SOCKS)) {
      throw new WrongValue(`needs a user and a password of 1 to ${LONGEST_IN_SOCKS} bytes each for SOCKS`);
    }
  } else if (user.includes(":")) throw new WrongValue("has a user with a colon, which Basic cannot carry");
  return { user, password };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new WrongValue("has a % in its user or password that is no percent-encoding: write it as %25");
  }
}

/** A word of a command line, which may hold a URL or a field of a request, as everybody may see it. */
export function withoutSecrets(text: string): string {
  const [, flag, value] = /^(--[a-z-]+=|-[A-Za-z](?=[^-]))?([^]*)$/.exec(text)!;
  const shown = withoutPassword(value).replace(SECRET_FIELD, "$1: ***");
  return (flag ?? "") + shown;
}

/** A field that says who asks, as `weir get --header` takes it. */
const SECRET_FIELD = /^((?:proxy-)?authorization|cookie)\s*:[^]*$/i;

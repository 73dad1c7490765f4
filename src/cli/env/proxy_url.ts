/** The proxy as other programs are told of it. */

import { WrongValue } from "../../config/errors.ts";
import { quote } from "../../config/printable.ts";

/**
 * Every part holds nothing but characters that may stand in a URL, so that neither quotes (`"`), white space,
 * backslashes nor control characters come up in it.
 */
export interface ProxyUrl {
  /** `http://user:password@host:8888`, the port always written: not all programs think of the same one. */
  readonly text: string;
  /** Without brackets. */
  readonly host: string;
  readonly port: string;
  /** Whether a user is named, which not every program can pass on. */
  readonly hasUser: boolean;
}

/**
 * Reads `http://host:8888`, `http://user:password@host:8888` or `host:8888`.
 *
 * @throws {WrongValue} with what to write
 */
export function readProxyUrl(text: string): ProxyUrl {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || url.hostname === "") throw wrong(text);
  if (url.protocol !== "http:") {
    throw new WrongValue(
      `programs speak plain HTTP to weir, for https:// sites too: write http://HOST:PORT, not ${
        shownWithout(text)
      }`,
    );
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") throw wrong(text);
  const { hostname, username, password } = url;
  const port = url.port === "" ? "80" : url.port;
  const user = username === "" && password === "" ? "" : `${username}:${password}@`;
  return {
    text: `http://${user}${hostname}:${port}`,
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port,
    hasUser: user !== "",
  };
}

function wrong(text: string): WrongValue {
  return new WrongValue(`must be a URL such as http://127.0.0.1:8888, not ${shownWithout(text)}`);
}

/** What was written, without what may be a password. */
function shownWithout(text: string): string {
  return quote(text.slice(text.lastIndexOf("@") + 1));
}

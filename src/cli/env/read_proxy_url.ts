/** The proxy as a person writes it. */

import { WrongValue } from "../../config/errors.ts";
import { quote } from "../../config/printable.ts";
import type { ProxyUrl } from "../../programs/proxy_url.ts";

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

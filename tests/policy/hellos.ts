/** TLS ClientHellos made by hand (RFC 8446 §4.1.2), as text with one character a byte. */

/** A number of so many bytes, the highest first. */
export function number(width: number, value: number): string {
  let text = "";
  for (let i = width - 1; i >= 0; i--) text += String.fromCharCode((value >>> (8 * i)) & 0xff);
  return text;
}

/** What stands behind a length of so many bytes, which may lie. */
export function vector(width: number, content: string, length = content.length): string {
  return number(width, length) + content;
}

export function extension(type: number, content: string, length = content.length): string {
  return number(2, type) + vector(2, content, length);
}

/** The extension `server_name` with these names (RFC 6066 §3). */
export function serverNames(...names: string[]): string {
  return extension(0, vector(2, names.map((name) => number(1, 0) + vector(2, name)).join("")));
}

/** An encrypted ClientHello, or what looks like one (RFC 9849 §5). */
export const ECH = extension(
  0xfe0d,
  "\0\0\x01\0\x01\x2a" + vector(2, "k".repeat(32)) + vector(2, "p".repeat(144)),
);

/** Other extensions that clients send: GREASE, groups, a key of 1,216 bytes, protocols, versions. */
export const USUAL = [
  extension(0x2a2a, ""),
  extension(10, vector(2, "\x11\xec\0\x1d")),
  extension(51, vector(2, "\x11\xec" + vector(2, "\xa5".repeat(1216)))),
  extension(16, vector(2, vector(1, "h2") + vector(1, "http/1.1"))),
  extension(43, vector(1, "\x03\x04\x03\x03")),
  extension(0xdada, "\0"),
].join("");

export interface HelloParts {
  version?: number;
  session?: string;
  suites?: string;
  compression?: string;
  /** The list with its length; `""` for a client that knows none. */
  extensions?: string;
}

/** What stands in a ClientHello. */
export function body(parts: HelloParts = {}): string {
  const { version = 0x0303, session = "s".repeat(32), suites = "\x13\x01\x13\x02", compression = "\0" } =
    parts;
  const { extensions = vector(2, USUAL) } = parts;
  return number(2, version) + "r".repeat(32) + vector(1, session) + vector(2, suites) +
    vector(1, compression) + extensions;
}

/** A handshake message with its header. */
export function message(content: string, type = 1, length = content.length): string {
  return number(1, type) + number(3, length) + content;
}

export function record(content: string, version = 0x0301, length = content.length): string {
  return "\x16" + number(2, version) + number(2, length) + content;
}

/** A message in records of so many bytes each, or fewer. */
export function records(whole: string, size: number): string {
  let text = "";
  for (let at = 0; at < whole.length; at += size) text += record(whole.slice(at, at + size));
  return text;
}

/** The message in which a client with these extensions asks for a host, or for none. */
export function helloMessage(name: string | null, more = USUAL): string {
  return message(body({ extensions: vector(2, (name === null ? "" : serverNames(name)) + more) }));
}

/** The same in one record, as most clients send it. */
export function hello(name: string | null, more = USUAL): string {
  return record(helloMessage(name, more));
}

/** The random value of a HelloRetryRequest (RFC 8446 §4.1.3). */
export const RETRY = String.fromCharCode(
  ...Uint8Array.fromHex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"),
);

/** A ServerHello with this random value, in a record. */
export function serverHello(random: string): string {
  const extensions = extension(43, "\x03\x04") + extension(51, "\0\x17");
  return record(
    message(
      "\x03\x03" + random + vector(1, "s".repeat(32)) + "\x13\x01\0" + vector(2, extensions),
      2,
    ),
    0x0303,
  );
}

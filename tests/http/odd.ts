/** Responses that are not quite HTTP and have one meaning left (http-rules §3a), and those that have none. */

export interface Odd {
  what: string;
  /** As the origin sends it, to GET; the connection is closed behind it. */
  response: string;
  /** What the record says of it. */
  odd: string;
  /** The status line and some of the fields as they are sent on. */
  startLine?: string;
  fields?: [name: string, value: string][];
  /** Names of fields that are not sent on. */
  without?: string[];
  content?: string;
}

const OK = "HTTP/1.1 200 OK\r\n";
const END = "Content-Length: 5\r\n\r\nhello";
const CHUNKED = "Transfer-Encoding: chunked\r\n";
const CHUNKS = "\r\n5\r\nhello\r\n0\r\n\r\n";

export const ODD: Odd[] = [
  {
    what: "a space before a colon",
    response: `${OK}Server : old/1.0\r\n${END}`,
    odd: "white space before a colon",
    fields: [["Server", "old/1.0"]],
  },
  {
    what: "a tab before the colon of the length",
    response: `${OK}Content-Length\t: 5\r\n\r\nhello`,
    odd: "white space before a colon",
    fields: [["Content-Length", "5"]],
  },
  {
    what: "one length twice",
    response: `${OK}Content-Length: 5\r\n${END}`,
    odd: "Content-Length more than once",
    fields: [["Content-Length", "5"]],
  },
  {
    what: "one length in a list",
    response: `${OK}Content-Length: 5, 5 ,5\r\n\r\nhello`,
    odd: "Content-Length more than once",
    fields: [["Content-Length", "5"]],
  },
  {
    what: "a length and chunks",
    response: `${OK}Content-Length: 3\r\n${CHUNKED}${CHUNKS}`,
    odd: "Content-Length with chunked",
    without: ["content-length"],
  },
  {
    what: "identity",
    response: `${OK}Transfer-Encoding: identity\r\n\r\nhello`,
    odd: "Transfer-Encoding: identity",
  },
  {
    what: "identity and a length",
    response: `${OK}Transfer-Encoding: Identity\r\n${END}`,
    odd: "Transfer-Encoding: identity",
    fields: [["Content-Length", "5"]],
    without: ["transfer-encoding"],
  },
  {
    what: "identity, then chunked",
    response: `${OK}Transfer-Encoding: identity, chunked\r\n${CHUNKS}`,
    odd: "Transfer-Encoding: identity",
  },
  {
    what: "chunked twice in a list",
    response: `${OK}Transfer-Encoding: chunked, chunked\r\n${CHUNKS}`,
    odd: "chunked more than once",
  },
  {
    what: "chunked twice in two fields",
    response: `${OK}${CHUNKED}transfer-encoding: Chunked\r\n${CHUNKS}`,
    odd: "chunked more than once",
  },
  {
    what: "empty members around chunked",
    response: `${OK}Transfer-Encoding: , chunked ,\r\n${CHUNKS}`,
    odd: "empty member in Transfer-Encoding",
  },
  {
    what: "an empty coding",
    response: `${OK}Transfer-Encoding:\r\n${END}`,
    odd: "empty member in Transfer-Encoding",
    without: ["transfer-encoding"],
  },
  {
    what: "LF for all line ends",
    response: "HTTP/1.1 200 OK\nA: b\nContent-Length: 5\n\nhello",
    odd: "LF line end",
    fields: [["A", "b"], ["Content-Length", "5"]],
  },
  {
    what: "LF for the empty line alone",
    response: `${OK}Content-Length: 5\r\n\nhello`,
    odd: "LF line end",
  },
  {
    what: "CR CR LF",
    response: "HTTP/1.1 200 OK\r\r\nContent-Length: 5\r\r\n\r\r\nhello",
    odd: "CR CR LF line end",
    fields: [["Content-Length", "5"]],
  },
  {
    what: "a folded line",
    response: `${OK}X-Policy: a; \r\n \t b\r\n${END}`,
    odd: "folded line",
    fields: [["X-Policy", "a; b"]],
  },
  {
    what: "the coding on a folded line",
    response: `${OK}Transfer-Encoding:\r\n chunked\r\n${CHUNKS}`,
    odd: "folded line",
  },
  {
    what: "a folded line that is blank",
    response: `${OK}X-A: a\r\n \r\n${END}`,
    odd: "folded line",
    fields: [["X-A", "a"]],
  },
  {
    what: "white space before the first field",
    response: `${OK} Content-Length: 4\r\n${END}`,
    odd: "line that continues none",
    fields: [["Content-Length", "5"]],
  },
  {
    what: "control characters in a value",
    response: `${OK}X-A: a\x7fb\x01\v\x1bc\r\n${END}`,
    odd: "control character in a value",
    fields: [["X-A", "a\x7fb\x01\v\x1bc"]],
  },
  {
    what: "a line that is no field",
    response: `${OK}hello world\r\n${END}`,
    odd: "line without a colon",
  },
  {
    what: "a second status line",
    response: `${OK}HTTP/1.1 204 No Content\r\n${END}`,
    odd: "line without a colon",
  },
  {
    what: "a name that is no token",
    response: `${OK}X-(a): b\r\n${END}`,
    odd: "invalid field name",
    without: ["x-(a)"],
  },
  {
    what: "a name with a space in it, and the line that continues it",
    response: `${OK}Transfer Encoding: chunked\r\n , gzip\r\n${END}`,
    odd: "invalid field name, line that continues none",
    fields: [["Content-Length", "5"]],
    without: ["transfer-encoding"],
  },
  {
    what: "a field without a name",
    response: `${OK}: b\r\n${END}`,
    odd: "invalid field name",
  },
  {
    what: "a space behind a chunk size",
    response: `${OK}${CHUNKED}\r\n5  \r\nhello\r\n0\t\r\n\r\n`,
    odd: "white space after a chunk size",
  },
  {
    what: "chunks whose lines end in LF",
    response: `${OK}${CHUNKED}\r\n5\nhello\n0\nA: b\n\n`,
    odd: "LF line end",
  },
  {
    what: "chunks whose lines end in CR CR LF",
    response: `${OK}${CHUNKED}\r\n5;x\r\r\nhello\r\r\n0\r\r\n\r\r\n`,
    odd: "CR CR LF line end",
  },
  {
    what: "a folded trailer",
    response: `${OK}${CHUNKED}\r\n5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n`,
    odd: "folded line",
  },
  {
    what: "empty lines before the status line",
    response: `\r\n\n${OK}${END}`,
    odd: "LF line end, empty line before the status line",
  },
  { what: "HTTP/2.0", response: `HTTP/2.0 200 OK\r\n${END}`, odd: "HTTP/2 in HTTP/1.1" },
  { what: "HTTP/2 without a minor version", response: `HTTP/2 200 OK\r\n${END}`, odd: "HTTP/2 in HTTP/1.1" },
  { what: "http/1.1 in lower case", response: `http/1.1 200 OK\r\n${END}`, odd: "lower-case HTTP" },
  {
    what: "a tab before the reason",
    response: `HTTP/1.1 200\tOK\r\n${END}`,
    odd: "no space before the reason",
  },
  {
    what: "nothing before the reason",
    response: `HTTP/1.1 200OK\r\n${END}`,
    odd: "no space before the reason",
  },
  { what: "ICY", response: `ICY 200 OK\r\nicy-name: radio\r\n\r\nhello`, odd: "ICY for HTTP" },
  {
    what: "300 fields",
    response: `${OK}${Array.from({ length: 300 }, (_, i) => `Set-Cookie: c${i}=1\r\n`).join("")}${END}`,
    odd: "more than 256 fields",
  },
  {
    what: "a head of 200 KiB",
    response: `${OK}X-A: ${"a".repeat(200 * 1024)}\r\n${END}`,
    odd: "head of more than 65536 bytes",
  },
].map((each) => ({ startLine: "HTTP/1.1 200 OK", content: "hello", ...each } as Odd));

/** What is put into odd responses: each has two meanings or none, and is refused with tolerance too. */
export const HOSTILE_FIELDS: [trick: string, line: string][] = [
  ["a NUL", "X-A: a\0b\r\n"],
  ["a NUL in a name", "X-A\0: b\r\n"],
  ["a NUL in a line that is no field", "hello\0\r\n"],
  ["a bare CR in a value", "X-A: a\rContent-Length: 7\r\n"],
  ["a bare CR in a name", "X\r-A: b\r\n"],
  ["three CR before LF", "X-A: b\r\r\r\n"],
  ["another length", "Content-Length: 77\r\nContent-Length: 78\r\n"],
  ["two lengths in a list", "Content-Length: 77, 78\r\n"],
  ["a length with a plus", "Content-Length: +5\r\n"],
  ["a length with a minus", "Content-Length: -5\r\n"],
  ["a length in hexadecimal", "Content-Length: 0x5\r\n"],
  ["a length before a form feed", "Content-Length: 5\f\r\n"],
  ["a length with a comma", "Content-Length: 5,\r\n"],
  ["an empty length", "Content-Length:\r\n"],
  ["gzip, then chunked", "Transfer-Encoding: gzip, chunked\r\n"],
  ["gzip", "Transfer-Encoding: gzip\r\n"],
  ["a coding nobody knows", "Transfer-Encoding: chunkedx\r\n"],
  ["a coding with a parameter", "Transfer-Encoding: chunked;a=b\r\n"],
  ["a coding after a vertical tab", "Transfer-Encoding: \vchunked\r\n"],
  ["two folded codings", "Transfer-Encoding: chunked\r\n , gzip\r\n"],
];

/** A response with a line put in before its first field. */
export function withLine(response: string, line: string): string {
  const at = /HTTP\/[^\n]*\n|ICY[^\n]*\n/i.exec(response)!;
  const end = at.index + at[0].length;
  return response.slice(0, end) + line + response.slice(end);
}

/**
 * Messages by which requests are smuggled past a proxy that understands them differently from the server behind
 * it. Each is refused, and by the status named here; none is interpreted.
 */

export interface Smuggled {
  trick: string;
  message: string;
  status: number;
}

const LINE = "POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\n";
const NEXT = "GET http://a.example/admin HTTP/1.1\r\nHost: a.example\r\n\r\n";

/** Fields that frame a body in two ways, or in one that some readers do not see. */
const FRAMING: [trick: string, fields: string, status: number][] = [
  ["CL.TE: a length and chunks", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", 400],
  ["TE.CL: chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", 400],
  ["a length of zero and chunks", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", 400],
  ["a length and a coding nobody knows", "Content-Length: 6\r\nTransfer-Encoding: x\r\n", 400],
  ["a length and an empty coding", "Content-Length: 6\r\nTransfer-Encoding:\r\n", 400],
  [
    "a length, and chunks that Connection names",
    "Connection: transfer-encoding\r\nContent-Length: 6\r\n" +
    "Transfer-Encoding: chunked\r\n",
    400,
  ],
  ["two lengths", "Content-Length: 6\r\nContent-Length: 5\r\n", 400],
  ["one length twice", "Content-Length: 5\r\nContent-Length: 5\r\n", 400],
  ["two lengths in a list", "Content-Length: 5, 6\r\n", 400],
  ["one length twice in a list", "Content-Length: 5,5\r\n", 400],
  ["a length and a comma", "Content-Length: 5,\r\n", 400],
  ["a length with a plus", "Content-Length: +5\r\n", 400],
  ["a length with a minus", "Content-Length: -5\r\n", 400],
  ["a length in hexadecimal", "Content-Length: 0x5\r\n", 400],
  ["a length with a fraction", "Content-Length: 5.0\r\n", 400],
  ["a length with an exponent", "Content-Length: 5e0\r\n", 400],
  ["a length with an underscore", "Content-Length: 5_0\r\n", 400],
  ["a length with a space inside", "Content-Length: 5 0\r\n", 400],
  ["a length with a NUL", "Content-Length: 5\0\r\n", 400],
  ["a length after a vertical tab", "Content-Length: \v5\r\n", 400],
  ["a length before a form feed", "Content-Length: 5\f\r\n", 400],
  ["a length after a no-break space", "Content-Length: \xa05\r\n", 400],
  ["a length beyond 64 bits", "Content-Length: 18446744073709551621\r\n", 400],
  ["a length beyond 53 bits", "Content-Length: 9007199254740993\r\n", 400],
  ["a length that is empty", "Content-Length:\r\n", 400],
  ["a space before the colon of the length", "Content-Length : 5\r\n", 400],
  ["a length on a folded line", "Content-Length:\r\n 5\r\n", 400],
  ["a space before the colon of the coding", "Transfer-Encoding : chunked\r\n", 400],
  ["a tab before the colon of the coding", "Transfer-Encoding\t: chunked\r\n", 400],
  ["a vertical tab before the colon of the coding", "Transfer-Encoding\v: chunked\r\n", 400],
  ["a NUL before the colon of the coding", "Transfer-Encoding\0: chunked\r\n", 400],
  ["a no-break space before the colon of the coding", "Transfer-Encoding\xa0: chunked\r\n", 400],
  ["a space before the coding's name", "X: y\r\n Transfer-Encoding: chunked\r\n", 400],
  ["the coding on a folded line", "Transfer-Encoding:\r\n chunked\r\n", 400],
  ["the coding on a line folded by a tab", "Transfer-Encoding:\r\n\tchunked\r\n", 400],
  ["the coding after a bare LF", "X: y\nTransfer-Encoding: chunked\r\n", 400],
  ["the coding after a bare CR", "X: y\rTransfer-Encoding: chunked\r\n", 400],
  ["the coding after a vertical tab", "Transfer-Encoding: \vchunked\r\n", 400],
  ["the coding before a vertical tab", "Transfer-Encoding: chunked\v\r\n", 400],
  ["the coding before a form feed", "Transfer-Encoding: chunked\f\r\n", 400],
  ["the coding before a bare CR", "Transfer-Encoding: chunked\r\r\n", 400],
  ["the coding before a NUL", "Transfer-Encoding: chunked\0\r\n", 400],
  ["the coding before a backspace", "Transfer-Encoding: chunkedx\b\r\n", 400],
  ["a coding that begins with another letter", "Transfer-Encoding: xchunked\r\n", 501],
  ["a coding that ends with another letter", "Transfer-Encoding: chunkedx\r\n", 501],
  ["a coding in quotes", 'Transfer-Encoding: "chunked"\r\n', 501],
  ["a coding with a parameter", "Transfer-Encoding: chunked;a=b\r\n", 501],
  ["chunked, then identity", "Transfer-Encoding: chunked, identity\r\n", 501],
  ["identity, then chunked", "Transfer-Encoding: identity, chunked\r\n", 501],
  ["gzip, then chunked", "Transfer-Encoding: gzip, chunked\r\n", 501],
  ["chunked twice in a list", "Transfer-Encoding: chunked, chunked\r\n", 501],
  ["chunked and a comma", "Transfer-Encoding: chunked,\r\n", 501],
  ["chunked twice in two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 501],
  ["TE.TE: a second coding nobody knows", "Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n", 501],
  ["TE.TE: a first coding nobody knows", "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n", 501],
  ["an empty coding", "Transfer-Encoding:\r\n", 501],
  ["identity", "Transfer-Encoding: identity\r\n", 501],
  ["a Kelvin sign for the k", "Transfer-Encoding: chun\xe2\x84\xaaed\r\n", 501],
  ["a no-break space after chunked", "Transfer-Encoding: chunked\xa0\r\n", 501],
];

/** Requests whose head, line or framing is refused before a byte of their body counts. */
export const SMUGGLED_HEADS: Smuggled[] = [
  ...FRAMING.map(([trick, fields, status]) => ({
    trick,
    status,
    message: `${LINE}${fields}\r\n0\r\n\r\n${NEXT}`,
  })),
  ...[
    [
      "chunks in HTTP/1.0",
      "POST http://a.example/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    ["a request within the target", "GET http://a.example/\rGET HTTP/1.1\r\n\r\n", 400],
    ["a line feed in the target", "GET http://a.example/\nGET / HTTP/1.1\r\n\r\n", 400],
    ["a request line of four words", "GET http://a.example/ HTTP/1.1 HTTP/1.1\r\n\r\n", 400],
    ["a tab for a space", "GET\thttp://a.example/\tHTTP/1.1\r\n\r\n", 400],
    ["HTTP/0.9", "GET http://a.example/\r\n\r\n", 400],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
    ["a user as a second host", "GET http://a.example@b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", 400],
    ["a backslash as a slash", "GET http://a.example\\@b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", 400],
  ].map(([trick, message, status]) => ({ trick, message, status }) as Smuggled),
];

export interface SmuggledBody {
  trick: string;
  body: string;
}

/** Chunked bodies that some readers would end elsewhere than others (RFC 9112 §7.1). */
export const SMUGGLED_CHUNKS: SmuggledBody[] = [
  ["a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"],
  ["a size with a plus", "+5\r\nhello\r\n0\r\n\r\n"],
  ["a size with a minus", "-5\r\nhello\r\n0\r\n\r\n"],
  ["a size of minus zero", "-0\r\n\r\n"],
  ["a space before the size", " 5\r\nhello\r\n0\r\n\r\n"],
  ["a tab before the size", "\t5\r\nhello\r\n0\r\n\r\n"],
  ["a space after the size", "5 \r\nhello\r\n0\r\n\r\n"],
  ["a space before an extension that is none", "5 a=b\r\nhello\r\n0\r\n\r\n"],
  ["a vertical tab after the size", "5\v\r\nhello\r\n0\r\n\r\n"],
  ["a NUL after the size", "5\0\r\nhello\r\n0\r\n\r\n"],
  ["an underscore in the size", "1_0\r\nhellohellohello!\r\n0\r\n\r\n"],
  ["a comma in the size", "5,5\r\nhello\r\n0\r\n\r\n"],
  ["a letter in the size", "5g\r\nhello\r\n0\r\n\r\n"],
  ["a size in quotes", '"5"\r\nhello\r\n0\r\n\r\n'],
  ["no size", "\r\nhello\r\n0\r\n\r\n"],
  ["an extension without a size", ";a=b\r\nhello\r\n0\r\n\r\n"],
  ["a size of 17 digits", "00000000000000005\r\nhello\r\n0\r\n\r\n"],
  ["a size of 64 bits", "ffffffffffffffff\r\nhello"],
  ["a size beyond 64 bits", "10000000000000005\r\nhello\r\n0\r\n\r\n"],
  ["a size beyond 53 bits", "20000000000000\r\nhello"],
  ["a bare LF after the size", "5\nhello\r\n0\r\n\r\n"],
  ["a bare CR after the size", "5\rhello\r\n0\r\n\r\n"],
  ["CR CR LF after the size", "5\r\r\nhello\r\n0\r\n\r\n"],
  ["LF CR after the size", "5\n\rhello\r\n0\r\n\r\n"],
  ["a bare LF in an extension", "5;a=\nhello\r\n0\r\n\r\n"],
  ["a bare CR in an extension", "5;a=\rb\r\nhello\r\n0\r\n\r\n"],
  ["a NUL in an extension", "5;a=\0\r\nhello\r\n0\r\n\r\n"],
  ["a bare LF in a quoted extension", '5;a="\n"\r\nhello\r\n0\r\n\r\n'],
  ["an extension beyond 4 KiB", `5;${"a".repeat(4096)}\r\nhello\r\n0\r\n\r\n`],
  ["no CRLF after the data", "5\r\nhello0\r\n\r\n"],
  ["a bare LF after the data", "5\r\nhello\n0\r\n\r\n"],
  ["a bare CR after the data", "5\r\nhello\r0\r\n\r\n"],
  ["data longer than its size", "4\r\nhello\r\n0\r\n\r\n"],
  ["data shorter than its size", "6\r\nhello\r\n0\r\n\r\n"],
  ["two bytes for CRLF that are none", "5\r\nhelloXX0\r\n\r\n"],
  ["an empty line between chunks", "5\r\nhello\r\n\r\n0\r\n\r\n"],
  ["a bare LF after the last chunk", "0\n\r\n"],
  ["a bare LF for the end", "0\r\n\n"],
  ["a request where trailers stand", "0\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a trailer with a space before the colon", "0\r\nA : b\r\n\r\n"],
  ["a trailer on a folded line", "0\r\nA: b\r\n c\r\n\r\n"],
  ["a folded line for the first trailer", "0\r\n A: b\r\n\r\n"],
  ["a trailer that ends in a bare LF", "0\r\nA: b\n\r\n"],
  ["a NUL in a trailer", "0\r\nA: \0\r\n\r\n"],
].map(([trick, body]) => ({ trick, body }));

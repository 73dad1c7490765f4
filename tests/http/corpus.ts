/**
 * Messages as they are met on the wire: what browsers and programs send through a proxy, what servers answer, and
 * what is legal but rarely seen. Names of hosts and values of cookies are made up; shapes and sizes are not.
 */

import { bytes, head } from "./reading.ts";

export interface Sample {
  name: string;
  bytes: Uint8Array;
}

function samples(messages: Record<string, string>): Sample[] {
  return Object.entries(messages).map(([name, message]) => ({ name, bytes: bytes(message) }));
}

/** Heads of browsers, 600 to 1,200 bytes: what most of a proxy's work is. */
export const BROWSER_REQUESTS: Sample[] = samples({
  "Chrome navigates": head(`
GET http://news.example.com/articles/2025/11/a-long-title-of-an-article?utm_source=feed&utm_medium=rss HTTP/1.1
Host: news.example.com
Proxy-Connection: keep-alive
Cache-Control: max-age=0
Upgrade-Insecure-Requests: 1
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7
Referer: http://news.example.com/
Accept-Encoding: gzip, deflate
Accept-Language: en-GB,en;q=0.9,de;q=0.8
Cookie: _ga=GA1.2.1234567890.1712345678; _gid=GA1.2.987654321.1712345678; session=eyJhbGciOiJIUzI1NiJ9.eyJ1aWQiOjQyfQ.c2lnbmF0dXJl; consent=all; theme=dark; ab=variant-7; __gads=ID=9d1f2a3b4c5d6e7f:T=1712345678:RT=1763703730:S=ALNI_MZ0aBcDeFgHiJkLmNoPqRsTuVwXyZ; _clck=1k2j3h4^2^fwx^1^1234; _uetsid=0a1b2c3d4e5f11ef8a7b6c5d4e3f2a1b; _uetvid=1b2c3d4e5f6011ef9b8c7d6e5f4a3b2c; OptanonConsent=isGpcEnabled=0&datestamp=Fri+Nov+21+2025&version=202409.1.0
If-None-Match: W/"5f3c-1a2b3c4d5e6f"
If-Modified-Since: Fri, 21 Nov 2025 05:42:10 GMT
`),
  "Chrome fetches an image": head(`
GET http://cdn.example.net/static/img/products/2048/thumbnails/7f/3a/7f3a9c0e41b24dd8.webp?w=320&h=240&q=80 HTTP/1.1
Host: cdn.example.net
Proxy-Connection: keep-alive
User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0
DNT: 1
Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8
Referer: http://shop.example.com/catalogue/cameras?page=2&sort=price
Accept-Encoding: gzip, deflate
Accept-Language: en-US,en;q=0.9
Cookie: visitor=0f8fad5b-d9cb-469f-a165-70867728950e; region=eu-central; exp=a%3D1%7Cb%3D2
`),
  "Chrome posts a form": head(`
POST http://shop.example.com/cart/add HTTP/1.1
Host: shop.example.com
Proxy-Connection: keep-alive
Content-Length: 87
Cache-Control: max-age=0
Upgrade-Insecure-Requests: 1
Origin: http://shop.example.com
Content-Type: application/x-www-form-urlencoded
User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8
Referer: http://shop.example.com/product/4711
Accept-Encoding: gzip, deflate
Accept-Language: de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7
Cookie: cart=8a7d6f5e4c3b2a19; csrf=Zm9vYmFyYmF6cXV4; _fbp=fb.1.1712345678901.1234567890; lang=de
`),
  "Firefox navigates": head(`
GET http://www.example.org/wiki/Hypertext_Transfer_Protocol?action=view&section=3 HTTP/1.1
Host: www.example.org
User-Agent: Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
Accept-Language: en-GB,en;q=0.5
Accept-Encoding: gzip, deflate
Referer: http://www.example.org/wiki/Main_Page
DNT: 1
Sec-GPC: 1
Connection: keep-alive
Cookie: WMF-Last-Access=21-Nov-2025; GeoIP=GB:ENG:London:51.51:-0.13:v4; enwikiSession=2n6k0s9v4q1t8r3m7p5x; VisitorId=c9a646d3-9c61-4cb7-bfcd-ee2522c8f633
Upgrade-Insecure-Requests: 1
If-Modified-Since: Thu, 20 Nov 2025 21:14:03 GMT
Priority: u=0, i
`),
  "Safari navigates": head(`
GET http://blog.example.com/2025/11/posts/on-reading-specifications/ HTTP/1.1
Host: blog.example.com
Cookie: __utma=1.1234567890.1712345678.1712345678.1712345678.1; __utmz=1.1712345678.1.1.utmcsr=(direct)|utmccn=(direct)|utmcmd=(none); wp-settings-1=editor%3Dtinymce; wp-settings-time-1=1712345678
Connection: keep-alive
Upgrade-Insecure-Requests: 1
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15
Accept-Language: en-GB,en-US;q=0.9,en;q=0.8
Accept-Encoding: gzip, deflate
Referer: http://blog.example.com/archive
`),
  "Chrome opens a WebSocket": head(`
GET http://live.example.com:8080/socket?room=general&token=1a2b3c4d5e6f HTTP/1.1
Host: live.example.com:8080
Connection: Upgrade
Pragma: no-cache
Cache-Control: no-cache
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36
Upgrade: websocket
Origin: http://live.example.com:8080
Sec-WebSocket-Version: 13
Accept-Encoding: gzip, deflate
Accept-Language: en-GB,en;q=0.9
Cookie: session=eyJhbGciOiJIUzI1NiJ9.eyJ1aWQiOjQyLCJyb29tcyI6WyJnZW5lcmFsIl19.c2lnbmF0dXJlLW9mLXNlc3Npb24
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits
`),
});

/** Other programs' requests, all of them valid. */
export const PROGRAM_REQUESTS: Sample[] = samples({
  "curl": head(`
GET http://example.com/ HTTP/1.1
Host: example.com
User-Agent: curl/8.14.1
Accept: */*
Proxy-Connection: Keep-Alive
`),
  "curl uploads and waits": head(`
PUT http://[2001:db8::7]:9000/bucket/object%20with%20spaces HTTP/1.1
Host: [2001:db8::7]:9000
User-Agent: curl/8.14.1
Accept: */*
Proxy-Connection: Keep-Alive
Transfer-Encoding: chunked
Expect: 100-continue
`),
  "curl opens a tunnel": head(`
CONNECT example.com:443 HTTP/1.1
Host: example.com:443
Proxy-Authorization: Basic dXNlcjpwYXNz
User-Agent: curl/8.14.1
Proxy-Connection: Keep-Alive
`),
  "curl speaks 1.0": head(`
GET http://example.com/old?a=1 HTTP/1.0
Host: example.com
User-Agent: curl/8.14.1
Accept: */*
`),
  "Chrome opens a tunnel": head(`
CONNECT www.example.com:443 HTTP/1.1
Host: www.example.com:443
Proxy-Connection: keep-alive
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36
`),
  "apt": head(`
GET http://archive.example.org/ubuntu/dists/noble-updates/InRelease HTTP/1.1
Host: archive.example.org
Cache-Control: max-age=0
Accept: text/*
If-Modified-Since: Fri, 21 Nov 2025 01:12:44 GMT
User-Agent: Debian APT-HTTP/1.3 (2.7.14build2) non-interactive
`),
  "git fetches": head(`
POST http://git.example.com/project.git/git-upload-pack HTTP/1.1
Host: git.example.com
User-Agent: git/2.47.3
Accept-Encoding: deflate, gzip, br, zstd
Content-Type: application/x-git-upload-pack-request
Accept: application/x-git-upload-pack-result
Accept-Language: en-GB, *;q=0.9
Git-Protocol: version=2
Content-Length: 175
`),
  "npm": head(`
GET http://packages.example.net/@scope%2fname HTTP/1.1
npm-session: 9f86d081884c7d65
pacote-req-id: 
npm-command: install
user-agent: npm/10.9.2 node/v22.12.0 linux x64 workspaces/false ci/github-actions
pacote-pkg-id: registry:@scope/name@latest
accept: application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*
Accept-Encoding: gzip,deflate
Host: packages.example.net
Connection: keep-alive
`),
  "wrk": head(`
GET http://127.0.0.1:8080/1k HTTP/1.1
Host: 127.0.0.1:8080
`),
  "Go's client": head(`
POST http://api.example.com/v1/metrics HTTP/1.1
Host: api.example.com
User-Agent: Go-http-client/1.1
Transfer-Encoding: chunked
Content-Type: application/json
Te: trailers
Connection: TE
Trailer: X-Checksum
Accept-Encoding: gzip
`),
  "an upgrade to HTTP/2": head(`
GET http://server.example.com/ HTTP/1.1
Host: server.example.com
Connection: Upgrade, HTTP2-Settings
Upgrade: h2c
HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA
`),
  "OPTIONS for a server as a whole": head(`
OPTIONS * HTTP/1.1
Host: example.com
Max-Forwards: 10
`),
  "no field at all": "GET http://example.com HTTP/1.0\r\n\r\n",
  "empty lines before it": "\r\n\r\nGET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
  "bytes beyond ASCII": head(`
GET http://example.com/caf\xc3\xa9?q=\xe9\xff HTTP/1.1
Host: example.com
X-Latin: na\xefve\x80\xff
X-Utf8: \xe2\x98\x83
`),
  "white space wherever it may stand": "GET http://example.com/ HTTP/1.1\r\nHost: \t example.com\t \r\n" +
    "Empty:\r\nBlank: \t \r\nNone:value\r\nInner:  a \t b  \r\n\r\n",
  "every character of a token": head(`
M-SEARCH http://example.com/ HTTP/1.1
Host: example.com
!#$%&'*+-.^_\`|~0123456789abcXYZ: odd
`),
  "a higher minor version": "GET http://example.com/ HTTP/1.9\r\nHost: example.com\r\n\r\n",
});

/** Real heads of responses. */
export const RESPONSES: Sample[] = samples({
  "nginx": head(`
HTTP/1.1 200 OK
Server: nginx/1.28.0
Date: Fri, 21 Nov 2025 06:10:00 GMT
Content-Type: text/html; charset=utf-8
Content-Length: 1024
Last-Modified: Thu, 20 Nov 2025 10:00:00 GMT
Connection: keep-alive
ETag: "691ee7a0-400"
Accept-Ranges: bytes
`),
  "Apache": head(`
HTTP/1.1 200 OK
Date: Fri, 21 Nov 2025 06:10:00 GMT
Server: Apache/2.4.65 (Debian)
Vary: Accept-Encoding
Content-Encoding: gzip
Keep-Alive: timeout=5, max=100
Connection: Keep-Alive
Transfer-Encoding: chunked
Content-Type: text/html;charset=UTF-8
`),
  "IIS": head(`
HTTP/1.1 302 Found
Cache-Control: private
Content-Type: text/html; charset=utf-8
Location: /Account/Login?ReturnUrl=%2f
Server: Microsoft-IIS/10.0
X-AspNet-Version: 4.0.30319
Set-Cookie: ASP.NET_SessionId=u1x2y3z4a5b6c7d8e9f0g1h2; path=/; HttpOnly; SameSite=Lax
Set-Cookie: lang=en-US; expires=Sat, 21-Nov-2026 06:10:00 GMT; path=/
X-Powered-By: ASP.NET
Date: Fri, 21 Nov 2025 06:10:00 GMT
Content-Length: 142
`),
  "an object store": head(`
HTTP/1.1 206 Partial Content
x-amz-id-2: nO1Xg9sYyZ4cB0v6u8t5Rr3Qq2Pp1Oo0Nn9Mm8Ll7Kk6Jj5Ii4Hh3Gg2Ff1Ee0Dd9Cc8Bb7Aa6=
x-amz-request-id: 5B1C3E7F9A2D4B6C
Date: Fri, 21 Nov 2025 06:10:00 GMT
Last-Modified: Mon, 03 Nov 2025 12:30:45 GMT
ETag: "9b2cf535f27731c974343645a3985328-12"
x-amz-server-side-encryption: AES256
Accept-Ranges: bytes
Content-Range: bytes 0-1048575/104857600
Content-Type: binary/octet-stream
Content-Length: 1048576
Server: AmazonS3
`),
  "a content delivery network": head(`
HTTP/1.1 200 OK
Connection: keep-alive
Content-Length: 48213
Cache-Control: public, max-age=31536000, immutable, stale-while-revalidate=86400
Content-Type: application/javascript; charset=utf-8
ETag: W/"bc55-19a0c1d2e3f"
Access-Control-Allow-Origin: *
Strict-Transport-Security: max-age=63072000; includeSubDomains; preload
Via: 1.1 varnish, 1.1 varnish
Accept-Ranges: bytes
Date: Fri, 21 Nov 2025 06:10:00 GMT
Age: 176213
X-Served-By: cache-iad-kiad7000025-IAD, cache-fra-eddf8230112-FRA
X-Cache: HIT, HIT
X-Cache-Hits: 53, 1107
X-Timer: S1763705400.123456,VS0,VE0
Vary: Accept-Encoding
alt-svc: h3=":443";ma=86400,h3-29=":443";ma=86400
`),
  "an edge network": head(`
HTTP/1.1 200 OK
Date: Fri, 21 Nov 2025 06:10:00 GMT
Content-Type: text/html
Transfer-Encoding: chunked
Connection: keep-alive
CF-Cache-Status: DYNAMIC
Report-To: {"endpoints":[{"url":"https:\\/\\/report.example.net\\/v4?s=abc%2Fdef"}],"group":"cf-nel","max_age":604800}
NEL: {"success_fraction":0,"report_to":"cf-nel","max_age":604800}
Server: cloudflare
CF-RAY: 8a1b2c3d4e5f6789-FRA
`),
  "not modified": head(`
HTTP/1.1 304 Not Modified
Date: Fri, 21 Nov 2025 06:10:00 GMT
ETag: "691ee7a0-400"
Content-Length: 1024
`),
  "early hints": head(`
HTTP/1.1 103 Early Hints
Link: </style.css>; rel=preload; as=style
Link: </script.js>; rel=preload; as=script
`),
  "continue": "HTTP/1.1 100 Continue\r\n\r\n",
  "a protocol is switched": head(`
HTTP/1.1 101 Switching Protocols
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
`),
  "a server of old": head(`
HTTP/1.0 200 OK
Server: SimpleHTTP/0.6 Python/3.12.3
Date: Fri, 21 Nov 2025 06:10:00 GMT
Content-type: text/html
`),
  "no reason phrase": "HTTP/1.1 204 \r\nDate: Fri, 21 Nov 2025 06:10:00 GMT\r\n\r\n",
  "no reason phrase and no space either": "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
  "a tab in the reason phrase": "HTTP/1.1 200 all\tis well\r\nContent-Length: 0\r\n\r\n",
  "a reason phrase beyond ASCII": "HTTP/1.1 404 Nicht gef\xfcnden\r\nContent-Length: 0\r\n\r\n",
});

export const REQUESTS: Sample[] = [...BROWSER_REQUESTS, ...PROGRAM_REQUESTS];

/** Heads that are refused: for every rule of reading a head, what breaks it, and what it is answered with. */
export interface Refused {
  rule: string;
  message: string;
  status: number;
}

const LINE = "GET http://example.com/ HTTP/1.1\r\n";
const HOST = "Host: example.com\r\n";

export const REFUSED_HEADS: Refused[] = [
  {
    rule: "a bare LF ends no request line (RFC 9112 §2.2)",
    message: "GET http://a/ HTTP/1.1\nHost: a\r\n\r\n",
  },
  { rule: "a bare LF ends no field line (RFC 9112 §2.2)", message: LINE + "Host: a\nA: b\r\n\r\n" },
  { rule: "a bare LF is no empty line (RFC 9112 §2.2)", message: LINE + HOST + "\n" },
  { rule: "a bare CR in the request line (RFC 9112 §2.2)", message: "GET http://a/\r HTTP/1.1\r\n\r\n" },
  { rule: "a bare CR in a value (RFC 9112 §2.2)", message: LINE + "A: b\rc\r\n\r\n" },
  { rule: "a bare CR in a name (RFC 9112 §5.1)", message: LINE + "A\rB: c\r\n\r\n" },
  { rule: "a bare CR instead of the empty line (RFC 9112 §2.2)", message: LINE + "\rA: b\r\n\r\n" },
  { rule: "CR CR LF ends no line (RFC 9112 §2.2)", message: LINE + "A: b\r\r\n\r\n" },
  { rule: "LF CR ends no line (RFC 9112 §2.2)", message: LINE + "A: b\n\r\n" },
  { rule: "a NUL in a value (RFC 9110 §5.5)", message: LINE + "A: b\0c\r\n\r\n" },
  { rule: "a NUL in a name (RFC 9110 §5.1)", message: LINE + "A\0: b\r\n\r\n" },
  { rule: "a NUL in the request line (RFC 9112 §3)", message: "GET http://a/\0 HTTP/1.1\r\n\r\n" },
  { rule: "a control character in a value (RFC 9110 §5.5)", message: LINE + "A: b\x01c\r\n\r\n" },
  { rule: "an escape in a value (RFC 9110 §5.5)", message: LINE + "A: \x1b[31mred\r\n\r\n" },
  { rule: "DEL in a value (RFC 9110 §5.5)", message: LINE + "A: b\x7f\r\n\r\n" },
  { rule: "VT is no white space around a value (RFC 9110 §5.6.3)", message: LINE + "A: \vb\r\n\r\n" },
  { rule: "FF is no white space around a value (RFC 9110 §5.6.3)", message: LINE + "A: b\f\r\n\r\n" },
  { rule: "DEL in the request line (RFC 9112 §3)", message: "GET http://a/\x7f HTTP/1.1\r\n\r\n" },
  { rule: "a folded line of a space (RFC 9112 §5.2)", message: LINE + "A: b\r\n c\r\n\r\n" },
  { rule: "a folded line of a tab (RFC 9112 §5.2)", message: LINE + "A: b\r\n\tc\r\n\r\n" },
  { rule: "a folded line that is empty (RFC 9112 §5.2)", message: LINE + "A: b\r\n \r\n\r\n" },
  { rule: "a space before the first field (RFC 9112 §2.2)", message: LINE + " A: b\r\n\r\n" },
  { rule: "a tab before the first field (RFC 9112 §2.2)", message: LINE + "\tA: b\r\n\r\n" },
  { rule: "white space alone in the first line (RFC 9112 §2.2)", message: LINE + " \r\n" + HOST + "\r\n" },
  { rule: "a space before the colon (RFC 9112 §5.1)", message: LINE + "A : b\r\n\r\n" },
  { rule: "a tab before the colon (RFC 9112 §5.1)", message: LINE + "A\t: b\r\n\r\n" },
  { rule: "a field without a name (RFC 9110 §5.1)", message: LINE + ": b\r\n\r\n" },
  { rule: "a field line without a colon (RFC 9112 §5)", message: LINE + "A\r\n\r\n" },
  { rule: "a second start line (RFC 9112 §5)", message: LINE + LINE + "\r\n" },
  { rule: "a name with a separator (RFC 9110 §5.1)", message: LINE + "A(b): c\r\n\r\n" },
  { rule: "a name with a slash (RFC 9110 §5.1)", message: LINE + "A/b: c\r\n\r\n" },
  { rule: "a name in quotes (RFC 9110 §5.1)", message: LINE + '"A": c\r\n\r\n' },
  { rule: "a name beyond ASCII (RFC 9110 §5.1)", message: LINE + "\xc3\x84: c\r\n\r\n" },
  { rule: "a byte of 0x80 in a name (RFC 9110 §5.1)", message: LINE + "A\x80: c\r\n\r\n" },
  { rule: "a space where the method begins (RFC 9112 §3)", message: " GET http://a/ HTTP/1.1\r\n\r\n" },
  { rule: "a bare LF before the request line (RFC 9112 §2.2)", message: "\n" + LINE + HOST + "\r\n" },
  { rule: "a bare CR before the request line (RFC 9112 §2.2)", message: "\r" + LINE + HOST + "\r\n" },
  { rule: "five empty lines before it (RFC 9112 §2.2)", message: "\r\n".repeat(5) + LINE + HOST + "\r\n" },
  { rule: "a TLS ClientHello on a plain port", message: "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" },
  { rule: "a SOCKS5 greeting", message: "\x05\x01\0" },
  { rule: "a SOCKS4 request", message: "\x04\x01\0P\x7f\0\0\x01\0" },
  { rule: "a byte above 0x7F where the method begins", message: "\xff\xfe" },
].map((refused) => ({ status: 400, ...refused }));

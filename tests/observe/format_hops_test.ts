import { assert, assertEquals } from "@std/assert";
import { hopsFormat } from "../../src/observe/format_hops.ts";
import { forward, own, tunnel, unreadable, withoutColors } from "./samples.ts";

const plain = hopsFormat(false);

Deno.test("an exchange is four lines, one for each leg", () => {
  assertEquals(plain(forward()).split("\n"), [
    "#42 client → weir  127.0.0.1:51234  GET http://example.com/index.html?a=b HTTP/1.1  " +
    "Mozilla/5.0 … Chrome/130.0.0.0 Safari/537.36  78 B",
    "#42 weir → origin  93.184.216.34:80  GET /index.html?a=b HTTP/1.1  connected in 12 ms  95 B",
    "#42 origin → weir  200  text/html; charset=utf-8  after 34 ms  1.5 kB",
    "#42 weir → client  200  text/html; charset=utf-8  in 47 ms  1.5 kB",
  ]);
});

Deno.test("a tunnel shows its bytes on each leg and sends no request line on", () => {
  assertEquals(plain(tunnel({ fields: {}, originAddress: "::1" })).split("\n"), [
    "#42 client → weir  127.0.0.1:51234  CONNECT example.com:443 HTTP/1.1  4.4 kB",
    "#42 weir → origin  [::1]:443  connected in 12 ms  4.3 kB",
    "#42 origin → weir  tunnel  1.8 MB",
    "#42 weir → client  200  in 1m 03s  1.8 MB",
  ]);
});

Deno.test("legs that did not happen are not there, and the last one says how it ended", () => {
  assertEquals(plain(own({ fields: {}, user: "alice" })).split("\n"), [
    "#42 client → weir  alice@127.0.0.1:51234  GET http://ads.example/ HTTP/1.1  78 B",
    `#42 weir → client  403  text/plain  in 0.4 ms  380 B  denied: the host is blocked  #${own().reference}`,
  ]);
  assertEquals(plain(unreadable()).split("\n"), [
    "#42 client → weir  127.0.0.1:51234  no valid request  78 B",
    `#42 weir → client  400  in 0.4 ms  380 B  the method is not a token  #${own().reference}`,
  ]);
  const refused = forward({
    fields: {},
    status: 502,
    originStatus: 0,
    upstreamSentBytes: 0,
    upstreamReceivedBytes: 0,
    connectedAt: -1,
    responseAt: -1,
    contentType: "text/plain",
    error: "connection_refused",
  });
  assertEquals(plain(refused).split("\n").slice(1), [
    "#42 weir → origin  93.184.216.34:80  GET /index.html?a=b HTTP/1.1  not connected  0 B",
    "#42 weir → client  502  text/plain  in 47 ms  1.5 kB  connection refused",
  ]);
  const left = forward({ status: 0, originStatus: 0, upstreamReceivedBytes: 0, details: "the client left" });
  assertEquals(plain(left).split("\n").length, 2);
  assert(plain(left).endsWith("95 B  no answer: the client left"));
});

Deno.test("a kept connection, a retry and an answer that was none are told", () => {
  assert(plain(forward({ reused: true })).includes("  reused connection  95 B"));
  assert(plain(forward({ retries: 1 })).includes("  connected in 12 ms after a retry  95 B"));
  assert(plain(forward({ reused: true, retries: 2 })).includes("  reused connection after 2 retries  95 B"));
  assert(plain(forward({ originStatus: 0 })).includes("#42 origin → weir  no valid response  1.5 kB"));
});

Deno.test("what was stored comes from the cache, and the origin was not asked", () => {
  const stored = {
    fields: {},
    connectedAt: -1,
    originStatus: 0,
    upstreamSentBytes: 0,
    upstreamReceivedBytes: 0,
  };
  for (const cache of ["hit", "stale", "collapsed"]) {
    assertEquals(plain(forward({ ...stored, cache })).split("\n").slice(1), [
      `#42 cache → weir   ${cache}  from 93.184.216.34:80`,
      "#42 weir → client  200  text/html; charset=utf-8  in 47 ms  1.5 kB",
    ]);
  }
  assertEquals(
    plain(forward({ ...stored, cache: "hit", parent: "corp", originAddress: "" })).split("\n")[1],
    "#42 cache → weir   hit  from corp",
  );
  assertEquals(
    plain(forward({ ...stored, cache: "hit", originAddress: "" })).split("\n")[1],
    "#42 cache → weir   hit",
  );
  // it was asked, in vain
  const inVain = { ...stored, cache: "stale", error: "connection_refused" };
  assertEquals(plain(forward(inVain)).split("\n").slice(1, 3), [
    "#42 weir → origin  93.184.216.34:80  GET /index.html?a=b HTTP/1.1  not connected  0 B",
    "#42 cache → weir   stale  from 93.184.216.34:80",
  ]);
  // it said that what is stored holds
  const held = plain(forward({ cache: "revalidated", originStatus: 304 }));
  assert(!held.includes("cache →"), held);
});

Deno.test("the origin gets a target in origin form", () => {
  const sent = (target: string) => plain(forward({ target })).split("\n")[1].split("  ")[2];
  assertEquals(sent("http://example.com/a?b"), "GET /a?b HTTP/1.1");
  assertEquals(sent("http://example.com"), "GET / HTTP/1.1");
  assertEquals(sent("https://example.com:8443/x//y"), "GET /x//y HTTP/1.1");
});

Deno.test("lines stay short and are no more than four, whatever the request holds", () => {
  const block = plain(forward({
    target: `http://example.com/${"a\n".repeat(30_000)}`,
    method: "X".repeat(1000),
    contentType: "y\r\n".repeat(1000),
    fields: { "user-agent": "z\n".repeat(1000) },
    details: "d\n".repeat(1000),
  }));
  assertEquals(block.split("\n").length, 4);
  for (const line of block.split("\n")) assert(line.length < 620, `${line.length}`);
});

Deno.test("in colour the text is the same", () => {
  for (const exchange of [forward(), tunnel(), own()]) {
    assertEquals(withoutColors(hopsFormat(true)(exchange)), plain(exchange));
  }
});

Deno.test("another protocol than HTTP stands where its version does", () => {
  const [request] = plain(tunnel({ protocol: "socks4a" })).split("\n");
  assert(request.includes("CONNECT example.com:443 SOCKS4A  "), request);
});

Deno.test("what went through a parent has it in the origin's place", () => {
  const through = { fields: {}, parent: "corp", originAddress: "", reused: true };
  assertEquals(plain(forward(through)).split("\n").slice(1, 3), [
    "#42 weir → parent  corp  reused connection  95 B",
    "#42 parent → weir  200  text/html; charset=utf-8  after 34 ms  1.5 kB",
  ]);
});

Deno.test("what was odd about a response stands behind what came", () => {
  assert(plain(forward({ odd: "LF line end" })).includes("after 34 ms  1.5 kB  odd: LF line end\n"));
});

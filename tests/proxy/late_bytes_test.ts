/** What crosses a request on a kept connection is not its answer (http-rules §3a). */

import { assertEquals, assertMatch } from "@std/assert";
import { cached, response } from "./cached.ts";
import { proxied, type Setting } from "./harness.ts";
import { type Peer, turn } from "./peer.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";
import { through } from "./through.ts";

const TIMEOUT = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/** Words that are no answer. */
const LATE: [what: string, words: string][] = [
  ["the rest of a body", "evil\r\n\r\nmore"],
  ["a byte of a body", "\0"],
  ["a body behind an empty line", "\r\n<html>"],
  ["a last chunk", "0\r\n\r\n"],
  ["many empty lines", "\r\n".repeat(100)],
  ["a 408 that closes", TIMEOUT],
  ["a 408 of HTTP/1.0", "HTTP/1.0 408 Request Timeout\r\n\r\n"],
  ["a 408 behind an empty line", "\r\n" + TIMEOUT],
];

/** The request has come on a kept connection; what comes there crosses it. */
async function crossed(
  setting: Setting,
  message: string,
  words: string,
): Promise<[client: Peer, upstream: Peer]> {
  const { client, upstream } = await roundTrip(setting, get(setting.origin));
  await client.send(message);
  await upstream.message();
  await upstream.send(words);
  return [client, upstream];
}

for (const [what, words] of LATE) {
  for (const method of ["GET", "HEAD", "DELETE"]) {
    proxied(`${what} that crosses ${method} on a kept connection: it goes to a new one`, async (setting) => {
      const { origin, exchanges } = setting;
      const [client, upstream] = await crossed(setting, request(origin, method, "/2"), words);
      const fresh = await origin.accept();
      assertEquals((await fresh.message()).startLine, `${method} /2 HTTP/1.1`);
      await fresh.send(method === "HEAD" ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" : OK);
      assertEquals((await client.message({ method })).startLine, "HTTP/1.1 200 OK");
      upstream.close();
      await exchanges.next();
      const { reused, retries } = await exchanges.next();
      assertEquals([reused, retries], [false, 1]);
    });
  }
}

proxied("it goes to a new connection to the parent as well", async (setting) => {
  through(setting);
  for (const [, words] of LATE) {
    const { client, upstream } = await roundTrip(setting, get({ authority: "a.example" }));
    await client.send(get({ authority: "a.example" }, "/2"));
    await upstream.message();
    await upstream.send(words);
    const fresh = await setting.origin.accept();
    await fresh.message();
    await fresh.send(OK);
    assertEquals((await client.message()).content, "ok");
    fresh.close();
    // so that the next request does not find it
    await turn();
  }
});

proxied("empty lines before an answer are skipped, however they come", async (setting) => {
  const { client, upstream } = await roundTrip(setting, get(setting.origin));
  for (
    const pieces of [["\r\n" + OK], ["\r", "\n", OK], [
      "\r\n\r\nHT",
      "TP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ]]
  ) {
    await client.send(get(setting.origin));
    await upstream.message();
    await upstream.sendInPieces(pieces);
    assertEquals((await client.message()).status, 200);
  }
  assertEquals(setting.origin.accepted, 1);
});

proxied("what is no answer on a connection of its own is told, and sent once", async (setting) => {
  for (const [words, status] of [["evil\r\n\r\n", 502], [TIMEOUT, 408]] as const) {
    const client = await setting.connect();
    await client.send(get(setting.origin));
    const upstream = await setting.origin.accept();
    await upstream.message();
    await upstream.send(words);
    assertEquals((await client.message()).status, status);
  }
  await setting.origin.assertNoFurtherConnection();
});

proxied("a 408 that does not close is an answer", async (setting) => {
  const [client] = await crossed(
    setting,
    get(setting.origin),
    "HTTP/1.1 408 No\r\nContent-Length: 0\r\n\r\n",
  );
  assertEquals((await client.message()).status, 408);
});

proxied("one that may not be repeated is not, and is told what came", async (setting) => {
  const { origin } = setting;
  for (const [words, status] of [["evil\r\n\r\n", 502], [TIMEOUT, 408]] as const) {
    const { client, upstream } = await roundTrip(setting, get(origin, "/", "Authorization: NTLM x"));
    await client.send(request(origin, "POST", "/", "Content-Length: 2") + "hi");
    await upstream.message();
    await upstream.send(words);
    assertEquals((await client.message()).status, status);
  }
  await origin.assertNoFurtherConnection();
});

for (const [what, words] of LATE) {
  cached(`${what} that crosses what is asked behind the client's back: it is asked anew`, async (setting) => {
    const { origin, exchanges } = setting;
    const stale = response('Cache-Control: max-age=0, stale-while-revalidate=60\r\nETag: "a"\r\n');
    const { client, upstream } = await roundTrip(setting, get(origin), stale);
    await client.send(get(origin));
    assertEquals((await client.message()).status, 200);
    await upstream.message();
    await upstream.send(words);
    const fresh = await origin.accept();
    assertMatch((await fresh.message()).head, /\r\nIf-None-Match: "a"\r\n/);
    await fresh.send('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nCache-Control: max-age=60\r\n\r\n');
    await exchanges.until(() => exchanges.all.some(({ originStatus }) => originStatus === 304));
    upstream.close();
  });
}

/** Responses without a body, to which an origin sends one all the same, a little later. */
for (
  const [method, head] of [
    ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"],
    ["GET", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["GET", "HTTP/1.1 304 Not Modified\r\n\r\n"],
  ]
) {
  proxied(
    `a body that comes late to ${method} ${head.slice(9, 12)} is no answer to the next`,
    async (setting) => {
      const { origin } = setting;
      const { client, upstream } = await roundTrip(setting, request(origin, method, "/"), head);
      await client.send(get(origin, "/2"));
      await upstream.message();
      await upstream.send("late" + OK);
      const fresh = await origin.accept();
      await fresh.message();
      await fresh.send(OK);
      assertEquals((await client.message()).content, "ok");
    },
  );
}

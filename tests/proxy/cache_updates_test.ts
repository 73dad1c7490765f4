/** What a 304 or a response to HEAD brings for one client, and what others get of it (RFC 9111 §3.2, §3.5, §4.3). */

import { assertEquals } from "@std/assert";
import { cached, FRESH, hit, miss, response, statusOf } from "./cached.ts";
import { type Message, valuesOf } from "./peer.ts";
import { get } from "./round_trip.ts";

const STALE = 'Cache-Control: max-age=0\r\nETag: "a"\r\n';
const TAG = 'ETag: "a"\r\n';
const NOT_MODIFIED = "HTTP/1.1 304 Not Modified\r\n";

/** The cookie, and what the field `X-User` says. */
function personal(message: Message): string[] {
  return [...valuesOf(message, "set-cookie"), ...valuesOf(message, "x-user")];
}

const DAY_AGO = `Last-Modified: ${new Date(Date.now() - 864e5).toUTCString()}\r\n`;
/** Credentials, and what the response to them has to say for others to get it. */
const CREDENTIALS: readonly [field: string, without: string, with_: string][] = [
  ["Authorization: Basic YTpi", FRESH, "Cache-Control: max-age=60, must-revalidate\r\n"],
  ["Cookie: session=a", DAY_AGO, FRESH],
  ["X-Api-Key: a", DAY_AGO, FRESH],
  ["Cookie: session=b", `Cache-Control: public\r\n${DAY_AGO}`, FRESH],
  ["Cookie: session=c", `Cache-Control: must-revalidate\r\n${DAY_AGO}`, FRESH],
];

for (const [field, own, shared] of CREDENTIALS) {
  const name = field.slice(0, field.indexOf(":"));
  for (const [what, fields] of [["may", shared], ["may not", own]]) {
    cached(
      `what confirms for ${name} and others ${what} have says so to them (${
        fields.split("\r\n")[0].slice(0, 32)
      })`,
      async (setting) => {
        const { origin } = setting;
        const client = await setting.connect();
        const first = response(`${TAG}${DAY_AGO}X-User: nobody\r\n`);
        const { upstream } = await miss(setting, client, get(origin), first);
        const reload = get(origin, "/", field, "Cache-Control: no-cache");
        for (const method of ["GET", "HEAD"]) {
          await client.send(reload.replace("GET", method));
          await upstream.message();
          const line = method === "GET" ? NOT_MODIFIED : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n";
          await upstream.send(`${line}${fields}${TAG}X-User: alice\r\n\r\n`);
          const got = await client.message({ method });
          assertEquals([got.status, personal(got)], [200, ["alice"]]);
          const later = await hit(await setting.connect(), get(origin));
          assertEquals([later.content, personal(later)], ["hello", [what === "may" ? "alice" : "nobody"]]);
        }
      },
    );
  }
}

cached(
  "a page that was for all is not so because a user is told that it has not changed",
  async (setting) => {
    const { origin } = setting;
    const client = await setting.connect();
    const { upstream } = await miss(setting, client, get(origin), response(STALE));
    const user = get(origin, "/", "Authorization: Basic YTpi");
    const { got } = await miss(setting, client, user, `${NOT_MODIFIED}${FRESH}${TAG}\r\n`, upstream);
    assertEquals([got.content, statusOf(got)], ["hello", "fwd=stale; fwd-status=304; ttl=60"]);
    const denied = await miss(setting, client, get(origin), response("", "", "403 No"), upstream);
    assertEquals([denied.got.status, denied.sent.head.includes("If-None-Match")], [403, true]);
  },
);

cached("a cookie that was for sharing is not once a 304 does not say so", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const { upstream } = await miss(
    setting,
    client,
    get(origin),
    response(`Cache-Control: public, max-age=60\r\n${TAG}Set-Cookie: all\r\nX-User: all\r\n`),
  );
  assertEquals(personal(await hit(client, get(origin))), ["all", "all"]);
  const reload = get(origin, "/", "Cache-Control: no-cache");
  const answer = `${NOT_MODIFIED}Cache-Control: max-age=60, private="x-user"\r\n${TAG}`;
  const { got } = await miss(setting, client, reload, `${answer}\r\n`, upstream);
  assertEquals([statusOf(got).includes("fwd-status=304"), personal(got)], [true, []]);
  // what came with the 304 is for the client that asked
  const own = await miss(setting, client, reload, `${answer}Set-Cookie: a\r\nX-User: b\r\n\r\n`, upstream);
  assertEquals(personal(own.got), ["a", "b"]);
  assertEquals(personal(await hit(client, get(origin))), []);
});

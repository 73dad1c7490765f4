/** Random crowds that ask for one URL at once: what a client gets of another one's fetch is fresh and shareable. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Asked, objection, objectionToSharing, type Sent, type Served } from "../cache/model.ts";
import { statusOf, turns, until } from "./cached.ts";
import { type Setting, SETTINGS, withProxy } from "./harness.ts";
import type { Message, Peer } from "./peer.ts";

const RUNS = 120;

const member = fc.record({
  credentials: fc.constantFrom("", "", "", "Cookie", "Cookie", "Authorization", "X-Api-Key"),
  control: fc.constantFrom("", "", "", "max-age=0", "no-cache", "max-age=20", "min-fresh=20", "max-stale"),
  condition: fc.constantFrom("", "", "", '"1"', '"x"', "*"),
  accept: fc.constantFrom("", "", "", "text/event-stream"),
  codings: fc.constantFrom("", "", "gzip", "identity"),
});

const answer = fc.record({
  control: fc.constantFrom(
    "",
    "max-age=60",
    "max-age=60",
    "public, max-age=60",
    "s-maxage=60",
    "max-age=0",
    "max-age=0, must-revalidate",
    "no-cache",
    "public, no-cache",
    "private, max-age=60",
    "no-store",
    "public",
    "max-age=60, must-revalidate",
    "max-age=0, stale-while-revalidate=60",
    "max-age=0, stale-if-error=60",
  ),
  tag: fc.boolean(),
  modified: fc.boolean(),
  cookie: fc.boolean(),
  coded: fc.boolean(),
  vary: fc.constantFrom("", "", "Accept-Encoding", "Cookie", "*"),
  /** Whether the head comes before the body. */
  slow: fc.boolean(),
  framing: fc.constantFrom("length", "chunked", "close"),
  status: fc.constantFrom(200, 200, 200, 200, 404, 500),
});

type Member = typeof member extends fc.Arbitrary<infer T> ? T : never;
type Answer = typeof answer extends fc.Arbitrary<infer T> ? T : never;

/** An origin that answers nothing before it is told to, and gives each client a page of its own. */
class Pages {
  plan!: Answer;
  readonly sent = new Map<string, Sent>();
  /** Clients whose requests have come here. */
  readonly reached = new Set<string>();
  #held = Promise.withResolvers<void>();
  #number = 0;

  hold(): void {
    this.#held = Promise.withResolvers();
  }

  letGo(): void {
    this.#held.resolve();
  }

  async serve(connection: Peer): Promise<void> {
    for (;;) {
      const message = await connection.message();
      const asked: Asked = { method: "GET", fields: fieldsOf(message) };
      this.reached.add(asked.fields.get("x-client")!);
      const { plan } = this;
      await this.#held.promise;
      const [head, body, ends] = this.#respond(plan, asked);
      await connection.send(head);
      if (plan.slow) await turns(1);
      await connection.send(body);
      if (ends) return connection.close();
    }
  }

  #respond(plan: Answer, asked: Asked): [head: string, body: string, ends: boolean] {
    const id = `${++this.#number}`;
    const now = Date.now();
    const known = plan.tag && plan.status === 200 &&
      (asked.fields.get("if-none-match") ?? "").includes('"1"');
    const status = known ? 304 : plan.status;
    // a field that is in a 304 too
    const fields = new Map([["content-location", `/${id}`], ["date", new Date(now).toUTCString()]]);
    if (plan.control !== "") fields.set("cache-control", plan.control);
    if (plan.tag) fields.set("etag", '"1"');
    if (plan.modified) fields.set("last-modified", new Date(now - 1e8).toUTCString());
    if (plan.cookie) fields.set("set-cookie", `session=${id}`);
    if (plan.vary !== "") fields.set("vary", plan.vary);
    const body = known ? "" : `page ${id} of ${asked.fields.get("x-client")}`;
    if (!known) {
      fields.set("x-body", id);
      if (plan.coded && asked.fields.get("accept-encoding") === "gzip") {
        fields.set("content-encoding", "gzip");
      }
    }
    const time = { at: now, steady: now };
    this.sent.set(id, { number: +id, url: "/", asked, status, fields, body, complete: true, ...time });
    const framing = known ? "none" : plan.framing;
    const framed = framing === "chunked" ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
    const lines = [...fields].map(([name, value]) => `${name}: ${value}\r\n`).join("") +
      (framing === "chunked"
        ? "Transfer-Encoding: chunked\r\n"
        : framing === "length"
        ? `Content-Length: ${body.length}\r\n`
        : "");
    return [`HTTP/1.1 ${status} X\r\n${lines}\r\n`, framed, framing === "close"];
  }
}

function fieldsOf({ fields }: { fields: [string, string][] }): Map<string, string> {
  return new Map(fields.map(([name, value]) => [name.toLowerCase(), value]));
}

async function ask(setting: Setting, client: Peer, name: string, about: Member): Promise<Asked> {
  const fields = new Map([["x-client", name]]);
  const { credentials, control, condition, accept, codings } = about;
  if (credentials !== "") fields.set(credentials.toLowerCase(), `secret of ${name}`);
  if (control !== "") fields.set("cache-control", control);
  if (condition !== "") fields.set("if-none-match", condition);
  if (accept !== "") fields.set("accept", accept);
  if (codings !== "") fields.set("accept-encoding", codings);
  const lines = [...fields].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const { url, authority } = setting.origin;
  await client.send(`GET ${url}/ HTTP/1.1\r\nHost: ${authority}\r\n${lines}\r\n`);
  return { method: "GET", fields };
}

/** Holds what a client got against what was sent. Returns how it came about. */
function judge(pages: Pages, name: string, asked: Asked, message: Message, began: number): string {
  const fields = fieldsOf(message);
  const said = statusOf(message);
  const latest = pages.sent.get((fields.get("content-location") ?? "").slice(1));
  if (latest === undefined) throw new Error(`nobody sent this: ${message.head}`);
  if (latest.asked.fields.get("x-client") === name) {
    if (message.status === 200) assert(message.content.startsWith("page "), message.head);
    return said.includes("fwd-status=304") ? "validated" : "own";
  }
  // what is stored is sent to all who wait in place of an error, as it is to each of them
  const fallback = said.includes("stale-if-error");
  const none = !pages.reached.has(name) || said.startsWith("hit") || fallback;
  assert(none, `asked, and got another one's: ${message.head}`);
  // a 304 says which page it means by its tag alone
  const brought = fields.get("x-body");
  const origin = pages.sent.get(brought ?? "") ?? latest;
  if (message.status === latest.status) assertEquals(message.content, origin.body);
  const steady = Date.now();
  const way = fallback ? "after error" : "store";
  // nor does a 304 repeat what its lifetime was estimated from
  const modified = message.status === 304 ? latest.fields.get("last-modified") : undefined;
  if (modified !== undefined) fields.set("last-modified", modified);
  const served: Served = { url: "/", asked, fields, steady, origin, latest, way };
  const collapsed = said.includes("collapsed") && !fallback;
  const against = collapsed ? objectionToSharing(served, latest.steady >= began) : objection(served, []);
  assertEquals(against, null, `${said}: ${message.head}${JSON.stringify([...asked.fields])}`);
  return collapsed ? "collapsed" : way;
}

async function live(
  first: Answer,
  seeds: readonly Member[],
  second: Answer,
  crowd: readonly Member[],
  seen: Map<string, number>,
): Promise<void> {
  await withProxy(
    { settings: { ...SETTINGS, cacheSize: 1 << 20, cacheEstimates: "all" } },
    async (setting) => {
      const pages = new Pages();
      setting.origin.serve((connection) => pages.serve(connection));
      for (const [plan, members] of [[first, seeds], [second, crowd]] as const) {
        pages.plan = plan;
        pages.reached.clear();
        pages.hold();
        const clients: Peer[] = [];
        const asked: Asked[] = [];
        const began: number[] = [];
        for (const [index, about] of members.entries()) {
          clients.push(await setting.connect());
          began.push(Date.now());
          asked.push(await ask(setting, clients[index], `client ${index}`, about));
          await turns(2);
        }
        pages.letGo();
        const messages = await Promise.all(clients.map((client) => client.message()));
        for (const [index, message] of messages.entries()) {
          const how = judge(pages, `client ${index}`, asked[index], message, began[index]);
          seen.set(how, (seen.get(how) ?? 0) + 1);
        }
        for (const client of clients) client.close();
        await until(() => setting.proxy.active === 0, "nothing is under way");
      }
    },
  );
}

Deno.test("a client that did not reach the origin got what was fresh and shareable", async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      answer,
      fc.array(member, { maxLength: 1 }),
      answer,
      fc.array(member, { minLength: 2, maxLength: 5 }),
      (first, seeds, second, crowd) => live(first, seeds, second, crowd, seen),
    ),
    { numRuns: RUNS },
  );
  // and all of it has happened
  for (const how of ["own", "validated", "collapsed", "store"]) {
    assert((seen.get(how) ?? 0) > 0, `${how}: ${JSON.stringify([...seen])}`);
  }
});

/** Random histories of requests, responses, times and evictions: all that is served is what RFC 9111 permits. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { CacheClock } from "../../src/cache/cache_clock.ts";
import { ageOf, type Asked, type Invalidation, objection, type Sent, type Served } from "../cache/model.ts";
import { type Setting, SETTINGS, withProxy } from "./harness.ts";
import type { Message, Peer } from "./peer.ts";
import { statusOf, until } from "./cached.ts";

const START = Date.UTC(2024, 2, 15, 12);
const RUNS = 400;
const URLS = ["/plain", "/varies", "/other"];
/** Most happens to one of them. */
const ANY_URL = fc.oneof({ weight: 3, arbitrary: fc.constant(URLS[0]) }, fc.constantFrom(...URLS));

/** How the origin answers what comes until the next step. */
const answer = fc.record({
  /** Whether there is another representation than before. */
  changes: fc.boolean(),
  control: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom("max-age=60", "max-age=10", "max-age=0", "s-maxage=30", "max-age=3600"),
    },
    fc.constantFrom("max-age=5, stale-if-error=30", "max-age=0, stale-if-error=300"),
    fc.constantFrom(
      "",
      "no-store",
      "private, max-age=60",
      "no-cache",
      "max-age=10, must-revalidate",
      "max-age=60, public",
      "max-age=5, stale-while-revalidate=30",
      "max-age=60, immutable",
      "max-age=0, proxy-revalidate",
      "s-maxage=5, stale-while-revalidate=60",
    ),
  ),
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(200 as const) },
    { weight: 2, arbitrary: fc.constantFrom("silent" as const) },
    { weight: 2, arbitrary: fc.constantFrom(500 as const, 503 as const) },
    fc.constantFrom(404, 301, 410, 204, "cut") as fc.Arbitrary<number | "silent" | "cut">,
  ),
  tag: fc.constantFrom("strong", "weak", "none"),
  modified: fc.boolean(),
  date: fc.constantFrom(0, 0, 0, -30, 30, null),
  age: fc.constantFrom(null, null, null, 0, 7, 100),
  expires: fc.constantFrom(null, null, null, 20, -20),
  star: fc.integer({ min: 0, max: 15 }).map((n) => n === 0),
  cookie: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
  chunked: fc.boolean(),
  length: fc.constantFrom(0, 10, 500, 1500, 2500),
  elsewhere: fc.constantFrom(null, null, ...URLS),
  /** Whether a 304 says all that a 200 would. */
  terse: fc.boolean(),
});

const question = fc.record({
  url: ANY_URL,
  method: fc.oneof({ weight: 10, arbitrary: fc.constant("GET") }, fc.constantFrom("HEAD", "POST", "DELETE")),
  control: fc.oneof(
    { weight: 4, arbitrary: fc.constant("") },
    fc.constantFrom(
      "no-cache",
      "no-store",
      "max-age=0",
      "max-age=20",
      "min-fresh=20",
      "max-stale",
      "max-stale=20",
      "only-if-cached",
      "stale-if-error=60",
      "max-age=5, stale-if-error=20",
    ),
  ),
  language: fc.constantFrom("", "", "a", "b"),
  range: fc.constantFrom("", "", "", "", "bytes=2-7", "bytes=-3", "bytes=400-", "bytes=5-1"),
  condition: fc.constantFrom("", "", "", "current", "other", "*"),
  authorized: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
  cookied: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
});

const step = fc.record({
  wait: fc.constantFrom(0, 0, 0, 1, 5, 9, 15, 30, 61, 4000, -20, -5000),
  question,
  answer,
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Representation {
  id: number;
  tag: string;
  modified: string;
  body: string;
}

/** The origin, and all that has happened. */
class World {
  /** The system's clock, and one that is never set back. */
  now = START;
  steady = START;
  plan!: Step["answer"];
  /** What was sent since the last question. */
  readonly recent: Sent[] = [];
  readonly sent = new Map<number, Sent>();
  readonly invalidations: Invalidation[] = [];
  silences = 0;
  #count = 0;
  readonly #current = new Map<string, Representation>();

  next(): number {
    return ++this.#count;
  }

  representation(url: string, language: string): Representation | undefined {
    return this.#current.get(`${url} ${url === "/varies" ? language : ""}`);
  }

  #represent(url: string, language: string, id: number): Representation {
    const key = `${url} ${url === "/varies" ? language : ""}`;
    const before = this.#current.get(key);
    if (before !== undefined && !this.plan.changes) return before;
    const { tag, modified, length } = this.plan;
    const representation = {
      id,
      tag: tag === "none" ? "" : `${tag === "weak" ? "W/" : ""}"b${id}"`,
      modified: modified ? new Date(this.now - 1_000_000).toUTCString() : "",
      body: length === 0 ? "" : `#${id}#`.padEnd(length, `${id} ${url} ${language};`),
    };
    this.#current.set(key, representation);
    return representation;
  }

  /** The bytes of an answer, and whether the connection ends with them; `null` for none. */
  respond(message: Message): { text: string; ends: boolean } | null {
    const { plan, now, steady } = this;
    const [method, url] = message.startLine.split(" ");
    const asked: Asked = { method, fields: mapOf(message) };
    const id = this.next();
    if (plan.kind === "silent") {
      this.silences++;
      return null;
    }
    const unsafe = method !== "GET" && method !== "HEAD";
    const status = plan.kind === "cut" ? 200 : plan.kind;
    const about = this.#represent(url, asked.fields.get("x-l") ?? "", id);
    const { tag, modified } = about;
    const known = asked.fields.get("if-none-match")?.split(", ").includes(tag) ?? false;
    const unmodified = status === 200 && !unsafe && tag !== "" && known;
    const fields = new Map<string, string>();
    const set = (name: string, value: string) => value === "" ? fields : fields.set(name, value);
    set("x-id", `${id}`);
    if (!unmodified || !plan.terse) {
      set("cache-control", plan.control);
      if (plan.expires !== null) set("expires", new Date(now + plan.expires * 1000).toUTCString());
      set("last-modified", modified);
    }
    set("etag", tag);
    if (plan.date !== null) set("date", new Date(now + plan.date * 1000).toUTCString());
    if (plan.age !== null) set("age", `${plan.age}`);
    if (url === "/varies") set("vary", plan.star ? "*" : "X-L");
    if (plan.cookie) set("set-cookie", `a=${id}`);
    if (unsafe && plan.elsewhere !== null) set("location", plan.elsewhere);
    // what updates a stored response is not what brought its body
    if (!unmodified && method !== "HEAD") set("x-body", `${id}`);
    const final = unmodified ? 304 : status;
    const body = unmodified || status === 204 ? "" : `${about.body}`;
    this.#note({
      number: id,
      url,
      asked,
      status: final,
      fields,
      body,
      complete: plan.kind !== "cut" || body.length < 2,
      at: now,
      steady,
    });
    if (unsafe && status < 400) {
      for (const each of new Set([url, plan.elsewhere ?? url])) {
        this.invalidations.push({ number: this.next(), url: each });
      }
    }
    const bodiless = final === 304 || final === 204;
    const chunked = plan.chunked && !bodiless && method !== "HEAD";
    if (chunked) fields.set("transfer-encoding", "chunked");
    else if (!bodiless) fields.set("content-length", `${body.length}`);
    const lines = [...fields].map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const head = `HTTP/1.1 ${final} X\r\n${lines}\r\n`;
    fields.delete("transfer-encoding");
    if (bodiless || method === "HEAD") return { text: head, ends: false };
    const framed = chunked
      ? `${body === "" ? "" : `${body.length.toString(16)}\r\n${body}\r\n`}0\r\n\r\n`
      : body;
    const cut = plan.kind === "cut" && body.length >= 2;
    return { text: head + (cut ? framed.slice(0, framed.length >> 1) : framed), ends: cut };
  }

  #note(sent: Sent): void {
    this.sent.set(sent.number, sent);
    this.recent.push(sent);
  }
}

function mapOf(message: { fields: [string, string][] }): Map<string, string> {
  const map = new Map<string, string>();
  for (const [name, value] of message.fields) {
    const lower = name.toLowerCase();
    const before = map.get(lower);
    map.set(lower, before === undefined ? value : `${before}, ${value}`);
  }
  return map;
}

/** Asks one question and holds the answer against all that has happened. Returns how it was answered. */
async function ask(setting: Setting, world: World, client: Peer, asked: Step["question"]): Promise<string> {
  const { origin } = setting;
  const { url, method, control, language, range, condition, authorized, cookied } = asked;
  const lines = new Map<string, string>();
  if (control !== "") lines.set("cache-control", control);
  if (language !== "") lines.set("x-l", language);
  if (range !== "" && method === "GET") lines.set("range", range);
  const tag = condition === "current"
    ? world.representation(url, language)?.tag
    : condition === "other"
    ? '"x"'
    : condition;
  if (tag && (method === "GET" || method === "HEAD")) lines.set("if-none-match", tag);
  if (authorized) lines.set("authorization", "Basic eA==");
  if (cookied) lines.set("cookie", "session=1");
  const fields = [...lines].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  world.recent.length = world.silences = 0;
  await client.send(`${method} ${origin.url}${url} HTTP/1.1\r\nHost: ${origin.authority}\r\n${fields}\r\n`);
  const head = await client.head();
  client.received = head + client.received;
  const recent = [...world.recent];
  let message: Message;
  try {
    message = await client.message({ method });
  } catch (error) {
    // a body that was cut short, visibly: the origin's own, that was sent just now
    assert(recent.some(({ complete }) => !complete), `${head} ${error}`);
    return "cut";
  }
  const got = mapOf(message);
  const { status } = message;
  const said = statusOf(message) ?? "";
  if (got.has("proxy-status")) {
    if (status === 504 && control === "only-if-cached") assertEquals(recent.length + world.silences, 0);
    else assert(world.silences > 0, `${message.head}`);
    return "own";
  }
  if (method !== "GET" && method !== "HEAD") return "unsafe";
  const hit = said.startsWith("hit");
  if (control === "only-if-cached") assert(hit, said);
  // an answer to the question itself, as the origin gave it
  const own = recent.find(({ number }) => got.get("x-id") === `${number}`);
  if (!hit && own !== undefined && own.status === status) {
    if (method === "GET" && status !== 304) assertEquals(message.content, own.body);
    return said.includes("stored") ? "stored" : "relayed";
  }
  if (status === 416) {
    assertEquals([got.get("cache-control"), message.content], ["no-store", ""]);
    return "unsatisfiable";
  }
  if (status === 304) {
    const condition = lines.get("if-none-match") ?? "";
    const weak = (each: string) => each.replace("W/", "");
    assert(condition === "*" || weak(condition) === weak(got.get("etag") ?? "?"), message.head);
    return "unmodified";
  }
  const body = world.sent.get(Number(got.get("x-body")));
  const latest = world.sent.get(Number(got.get("x-id")));
  if (body === undefined || latest === undefined) throw new Error(`nobody sent this: ${message.head}`);
  const failed = recent.some(({ status }) => status >= 500);
  const way = hit
    ? "store"
    : recent.includes(latest)
    ? "validated"
    : failed
    ? "after error"
    : world.silences > 0
    ? "after silence"
    : "store";
  const served: Served = {
    url,
    asked: { method, fields: lines },
    fields: got,
    steady: world.steady,
    origin: body,
    latest,
    way,
  };
  assertEquals(
    objection(served, world.invalidations),
    null,
    `${way}: ${message.head}${JSON.stringify([...lines])}`,
  );
  const age = ageOf(served);
  assert(Math.abs(Number(got.get("age")) - age) <= 1, `Age ${got.get("age")} and not ${age}`);
  if (method === "HEAD") {
    if (status === 200) assertEquals(got.get("content-length"), `${body.body.length}`);
  } else if (status === 206) {
    const [, first, last, whole] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(got.get("content-range") ?? "")!;
    assertEquals(Number(whole), body.body.length);
    assertEquals(message.content, body.body.slice(Number(first), Number(last) + 1));
  } else assertEquals([status, message.content], [body.status, body.body]);
  return way;
}

async function live(steps: readonly Step[], cacheSize: number, seen: Map<string, number>): Promise<void> {
  const world = new World();
  const real = Date.now;
  Date.now = () => world.now;
  try {
    await withProxy({ settings: { ...SETTINGS, cacheSize, cacheEstimates: "all" } }, async (setting) => {
      setting.proxy.cache!.clock = new CacheClock(() => world.now, () => world.steady);
      setting.origin.serve(async (connection) => {
        for (;;) {
          const answer = world.respond(await connection.message());
          if (answer !== null) await connection.send(answer.text);
          if (answer === null || answer.ends) return connection.close();
        }
      });
      let client = await setting.connect();
      for (const { wait, question, answer } of steps) {
        world.now += wait * 1000;
        world.steady += Math.max(0, wait) * 1000;
        world.plan = answer;
        const how = await ask(setting, world, client, question);
        seen.set(how, (seen.get(how) ?? 0) + 1);
        // before the time goes on, what goes on behind the client's back is over
        await until(() => setting.proxy.active === 0, "nothing is under way");
        const ended = client.ending !== null || how === "cut" || how === "own";
        if (ended) {
          client.close();
          client = await setting.connect();
        }
      }
    });
  } finally {
    Date.now = real;
  }
}

Deno.test("whatever happens, what is served is what RFC 9111 permits", async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40 }),
      fc.constantFrom(32 * 1024, 1024 * 1024),
      (steps, cacheSize) => live(steps, cacheSize, seen),
    ),
    { numRuns: RUNS },
  );
  // and all of it has happened
  for (
    const how of [
      "store",
      "validated",
      "stored",
      "relayed",
      "after error",
      "after silence",
      "unmodified",
      "cut",
    ]
  ) {
    assert((seen.get(how) ?? 0) > 0, `${how}: ${JSON.stringify([...seen])}`);
  }
});

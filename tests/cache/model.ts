/**
 * A small model of RFC 9111, written from its text and sharing nothing with the rules in `src/cache`: not how a
 * cache decides, but whether what it has sent from its store was permitted.
 */

/**
 * What an origin has sent, as it knows it. Times are ms: `at` by the system's clock, which may be set back, and
 * `steady` by one that is not.
 */
export interface Sent {
  /** Counts all that happens, in order. */
  readonly number: number;
  readonly url: string;
  readonly asked: Asked;
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  /** The whole body, even if it was cut short. */
  readonly body: string;
  readonly complete: boolean;
  readonly at: number;
  readonly steady: number;
}

/** A request: its method, and its fields by name in lower case. */
export interface Asked {
  readonly method: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** Something that makes what was sent before invalid (§4.4). */
export interface Invalidation {
  readonly number: number;
  readonly url: string;
}

/** What a client got that was not asked of the origin, or was confirmed by it, or takes an error's place. */
export interface Served {
  readonly url: string;
  readonly asked: Asked;
  readonly fields: ReadonlyMap<string, string>;
  readonly steady: number;
  /** What brought the body, and what spoke of it last: the same, or a 304. */
  readonly origin: Sent;
  readonly latest: Sent;
  /** How it came about. */
  readonly way: "store" | "validated" | "after error" | "after silence";
}

/** Why something must not have been served; `null` when it was permitted. */
export function objection(served: Served, invalidations: readonly Invalidation[]): string | null {
  const { origin, latest, asked, fields, url, steady, way } = served;
  if (origin.url !== url || latest.url !== url) return "another URL's response (§4)";
  if (!origin.complete) return "an incomplete response (§3.3)";
  if (origin.asked.method !== "GET") return "a response to another method (§3)";
  // what has validated it for this very request is this client's own
  const notShared = mayBeShared(origin) ??
    (way === "validated" ? null : mayBeShared({ ...latest, fields }));
  if (notShared !== null) return notShared;
  const vary = (origin.fields.get("vary") ?? "").split(",").map((name) => name.trim().toLowerCase());
  for (const name of vary) {
    if (name === "") continue;
    if (name === "*") return "Vary: * (§4.1)";
    const wanted = asked.fields.get(name);
    const fits = [origin, latest].some((each) => each.asked.fields.get(name) === wanted);
    if (!fits) return `another ${name} (§4.1)`;
  }
  for (const invalidation of invalidations) {
    if (invalidation.url === url && invalidation.number > latest.number) return "made invalid before (§4.4)";
  }
  if (way === "validated") return latest.steady === steady ? null : "validated by nobody";
  if (isGuess(origin) && !isForSharing(fields)) return "kept on a guess in spite of credentials";
  if (fields.has("set-cookie") && !isForSharing(fields)) return "another client's cookie (§7.3)";
  return staleness(served);
}

/**
 * Why a client must not have got what came for another one; `null` when it was fresh, and shareable.
 *
 * @param early whether it was asked for before it came: then it has been validated since
 */
export function objectionToSharing(served: Served, early: boolean): string | null {
  const { asked, origin, latest, fields } = served;
  const own = new Map(asked.fields);
  if (early && directives(own.get("cache-control")).has("max-age")) own.delete("cache-control");
  const against = objection({ ...served, asked: { ...asked, fields: own }, way: "store" }, []);
  if (against !== null) return against;
  if (lifetimeOf(served) <= ageOf(served)) return "stale, and nobody was asked";
  const proven = [asked, latest.asked, origin.asked].some(provesClient);
  return proven && !isForSharing(fields) ? "shared with or by a request with credentials" : null;
}

function isForSharing(fields: Served["fields"]): boolean {
  const says = directives(fields.get("cache-control"));
  return says.has("public") || says.has("s-maxage");
}

function provesClient({ fields }: Asked): boolean {
  return ["authorization", "cookie", "x-api-key"].some((name) => fields.has(name));
}

/** Whether it is for one client as far as anybody knows, and nobody has said for how long. */
function isGuess({ asked, fields }: Sent): boolean {
  const says = directives(fields.get("cache-control"));
  const said = ["max-age", "s-maxage", "no-cache"].some((name) => says.has(name)) || fields.has("expires");
  return provesClient(asked) && !said;
}

/** §3, §3.5, §5.2.2. */
function mayBeShared({ asked, fields }: Sent): string | null {
  const says = directives(fields.get("cache-control"));
  if (directives(asked.fields.get("cache-control")).has("no-store")) {
    return "the request was no-store (§5.2.1.5)";
  }
  if (says.has("no-store")) return "no-store (§5.2.2.5)";
  if (says.has("private")) return "private (§5.2.2.7)";
  const shared = says.has("public") || says.has("s-maxage") || says.has("must-revalidate");
  if (asked.fields.has("authorization") && !shared) return "a response to Authorization (§3.5)";
  return null;
}

/** §4.2 and the directives of the request, for what was not validated. */
function staleness(served: Served): string | null {
  const { asked, fields, way } = served;
  const wants = directives(asked.fields.get("cache-control"));
  const says = directives(fields.get("cache-control"));
  const age = ageOf(served);
  const lifetime = lifetimeOf(served);
  const left = lifetime - age;
  if (wants.has("no-cache")) return "the request was no-cache (§5.2.1.4)";
  if (says.has("no-cache")) return "no-cache (§5.2.2.4)";
  const unchanging = says.has("immutable") && left > 0;
  const most = number(wants, "max-age");
  const afterError = way !== "store";
  const allowsErrors = number(wants, "stale-if-error") !== null;
  if (most !== null && age > most && !(most === 0 && unchanging) && !(afterError && allowsErrors)) {
    return "older than the request's max-age (§5.2.1.1)";
  }
  const least = number(wants, "min-fresh");
  if (least !== null && left < least && !(afterError && allowsErrors)) {
    return "less fresh than the request's min-fresh (§5.2.1.3)";
  }
  if (left > 0) return null;
  for (const name of ["must-revalidate", "proxy-revalidate", "s-maxage"]) {
    if (says.has(name)) return `stale in spite of ${name} (§4.2.4)`;
  }
  const minds = wants.get("max-stale");
  const limits = [
    minds === "" ? Infinity : minds === undefined ? -1 : Number(minds),
    number(says, "stale-while-revalidate") ?? -1,
  ];
  if (afterError) {
    limits.push(number(says, "stale-if-error") ?? -1, number(wants, "stale-if-error") ?? -1);
    // §4.2.4 sets no limit where a cache is disconnected; a day is weir's
    if (way === "after silence") limits.push(86_400);
  }
  return -left <= Math.max(...limits) ? null : `stale by ${-left} s (§4.2.4)`;
}

/** The age that it had, in seconds (§4.2.3). */
export function ageOf({ latest, steady }: Pick<Served, "latest" | "steady">): number {
  const date = Date.parse(latest.fields.get("date") ?? "");
  const apparent = Number.isNaN(date) ? 0 : Math.max(0, latest.at - date);
  const initial = Math.max(apparent, Number(latest.fields.get("age") ?? 0) * 1000);
  return Math.floor((initial + steady - latest.steady) / 1000);
}

/** §4.2.1, in seconds; of what is sent, in which the fields are as the cache keeps them. */
function lifetimeOf({ fields, latest, origin }: Served): number {
  const says = directives(fields.get("cache-control"));
  const explicit = number(says, "s-maxage") ?? number(says, "max-age");
  if (explicit !== null) return explicit;
  const date = Date.parse(fields.get("date") ?? "") || latest.at;
  const expires = fields.get("expires");
  // what was over before it began has lasted for no time
  if (expires !== undefined) return Math.max(0, Math.floor(((Date.parse(expires) || 0) - date) / 1000));
  if (provesClient(origin.asked)) return 0;
  const modified = Date.parse(fields.get("last-modified") ?? "");
  // a clock that has gone back makes what has changed later than it was sent
  return Number.isNaN(modified) ? 0 : Math.max(0, Math.min(86_400, (date - modified) / 10_000));
}

function directives(text = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const member of text.split(",")) {
    const [name, value = ""] = member.trim().split("=");
    if (name !== "") found.set(name.toLowerCase(), value);
  }
  return found;
}

function number(from: Map<string, string>, name: string): number | null {
  const value = from.get(name);
  return value === undefined ? null : Number(value);
}

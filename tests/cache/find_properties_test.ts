/** What holds for any stored responses, requests and times. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MAX_SECONDS } from "../../src/cache/cache_control.ts";
import { fieldsOf } from "../../src/cache/field_lines.ts";
import { find, type Finding } from "../../src/cache/find.ts";
import { ageOf, lifetimeOf } from "../../src/cache/freshness.ts";
import { mayStore } from "../../src/cache/storability.ts";
import type { CacheRequest, FieldLine, StoredResponse } from "../../src/cache/stored_response.ts";
import { matches, varyOf } from "../../src/cache/vary.ts";
import { after, at, NOON } from "./making.ts";

const RUNS = { numRuns: 1500 };

const seconds = fc.oneof(fc.nat(200), fc.constantFrom(0, 1, 86_400, 2 ** 31, 2 ** 40));
const written = fc.oneof(seconds.map(String), fc.constantFrom("", "-1", "x", "1.5", '"60"', "0, 0", "0,5"));
const date = fc.oneof(
  fc.integer({ min: -200, max: 200 }).map(at),
  fc.constantFrom("", "0", "x", at(-1e9), at(1e9)),
);

const responseDirective = fc.oneof(
  fc.constantFrom("public", "private", "no-store", "no-cache", "must-revalidate", "proxy-revalidate"),
  fc.constantFrom("immutable", "must-understand", 'no-cache="a"', 'private="set-cookie"', "x", '"'),
  fc.tuple(
    fc.constantFrom("max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"),
    written,
  ).map(([name, value]) => `${name}=${value}`),
);
const requestDirective = fc.oneof(
  fc.constantFrom("no-cache", "no-store", "only-if-cached", "max-stale", "x"),
  fc.tuple(fc.constantFrom("max-age", "min-fresh", "max-stale", "stale-if-error"), written)
    .map(([name, value]) => `${name}=${value}`),
);

/** A line of a head, or none. */
function line(name: string, value: fc.Arbitrary<string>): fc.Arbitrary<FieldLine[]> {
  return fc.array(value.map((value): FieldLine => [name, value]), { maxLength: 2 });
}

const responseFields = fc.tuple(
  line("Cache-Control", fc.array(responseDirective, { maxLength: 4 }).map((all) => all.join(", "))),
  line("Date", date),
  line("Expires", date),
  line("Last-Modified", date),
  line("Age", written),
  line("ETag", fc.constantFrom('"a"', '"b"', 'W/"a"', "a", "")),
  line("Vary", fc.constantFrom("Foo", "foo, bar", "*", "Accept-Language", "")),
  line("Set-Cookie", fc.constant("a=b")),
).map((lines) => lines.flat());

const time = fc.oneof(fc.integer({ min: -100, max: 300 }), fc.constantFrom(-1e7, 1e7)).map(after);
const status = fc.constantFrom(200, 200, 200, 204, 206, 301, 302, 404, 500, 599);

const storedResponse: fc.Arbitrary<StoredResponse> = fc.record({
  status,
  fields: responseFields,
  requestTime: time,
  responseTime: time,
  vary: fc.constantFrom<FieldLine[]>([], [["foo", "1"]], [["foo", ""], ["bar", "2"]]),
  length: fc.constant(5),
  range: fc.constantFrom(null, null, { first: 0, last: 4, whole: 10 }, { first: 5, last: 9, whole: 10 }),
});

const request: fc.Arbitrary<CacheRequest> = fc.record({
  method: fc.constantFrom("GET", "GET", "GET", "HEAD", "POST"),
  hasBody: fc.constantFrom(false, false, false, true),
  fields: fc.tuple(
    line("Cache-Control", fc.array(requestDirective, { maxLength: 3 }).map((all) => all.join(", "))),
    line("Foo", fc.constantFrom("1", "2")),
    line("Range", fc.constantFrom("bytes=0-1", "bytes=-3", "bytes=0-", "x")),
    line("If-None-Match", fc.constantFrom('"a"', "*")),
    line("If-Range", fc.constantFrom('"a"', at(0))),
    line("Authorization", fc.constant("x")),
  ).map((lines) => fieldsOf(lines.flat())),
});

const variants = fc.array(storedResponse, { maxLength: 4 });

/** A response that says one thing more. */
function saying(stored: StoredResponse, directive: string): StoredResponse {
  return { ...stored, fields: [...stored.fields, ["Cache-Control", directive]] };
}

/** A request that says one thing more. */
function asking(request: CacheRequest, directive: string): CacheRequest {
  const { fields } = request;
  const asked = fields.field("cache-control");
  const more = asked === "" ? directive : `${asked}, ${directive}`;
  return { ...request, fields: { field: (name) => name === "cache-control" ? more : fields.field(name) } };
}

/** How much a finding makes of what is stored: answered with it; in need for errors, for silence; not at all. */
function use(finding: Finding): number {
  if (finding.kind === "hit") return 4;
  if (finding.kind === "stale") return 3;
  if (finding.kind !== "validate") return 0;
  return finding.staleIfError ? 2 : finding.staleIfDisconnected ? 1 : 0;
}

Deno.test("lifetimes and ages are whole seconds from 0 to 2^31, whatever is stored (RFC 9111 §1.2.2)", () => {
  fc.assert(
    fc.property(storedResponse, fc.oneof(time, fc.double()), (stored, now) => {
      for (const number of [lifetimeOf(stored).seconds, ageOf(stored, now)]) {
        assert(Number.isInteger(number) && number >= 0 && number <= MAX_SECONDS, String(number));
      }
    }),
    RUNS,
  );
});

Deno.test("what is found is consistent in itself, whatever is stored and asked", () => {
  fc.assert(
    fc.property(variants, request, time, (variants, request, now) => {
      const finding = find(variants, request, now);
      if (finding.kind === "unsatisfiable") {
        assert(request.fields.field("cache-control").includes("only-if-cached"));
      }
      if (!("stored" in finding)) return;
      const { stored, age, ttl } = finding as Extract<Finding, { kind: "hit" }>;
      assert(variants.includes(stored) && matches(stored, request));
      assertEquals([age, ttl], [ageOf(stored, now), lifetimeOf(stored).seconds - ageOf(stored, now)]);
      assert(["GET", "HEAD"].includes(request.method) && !request.hasBody);
      if (finding.kind === "stale") assert(ttl <= 0);
    }),
    RUNS,
  );
});

Deno.test("a response is never of more use the older it gets", () => {
  fc.assert(
    fc.property(storedResponse, request, fc.nat(400), fc.nat(400), (stored, request, first, more) => {
      const now = stored.responseTime + first * 1000;
      const before = find([stored], request, now);
      const later = find([stored], request, now + more * 1000);
      assert(use(later) <= use(before), `${before.kind} became ${later.kind}`);
    }),
    RUNS,
  );
});

Deno.test("nothing that forbids makes a response fresher, or of more use (RFC 9111 §5.2)", () => {
  const forbidding = fc.oneof(
    fc.constantFrom("no-store", "no-cache", "must-revalidate", "proxy-revalidate", "private", "max-age=x"),
    fc.constantFrom("max-age=0, s-maxage=0", "s-maxage=0"),
  );
  fc.assert(
    fc.property(storedResponse, request, time, forbidding, (stored, request, now, directive) => {
      const strict = saying(stored, directive);
      // but for an estimate, which ends where something is said
      assert(lifetimeOf(strict).seconds <= lifetimeOf(stored).seconds || !directive.includes("age"));
      const [before, then] = [find([stored], request, now), find([strict], request, now)];
      assert(use(then) <= use(before), `${before.kind} became ${then.kind} by ${directive}`);
    }),
    RUNS,
  );
});

Deno.test("nothing that a request asks for besides gets it more, but max-stale and stale-if-error (RFC 9111 §5.2.1)", () => {
  const forbidding = fc.constantFrom(
    "no-cache",
    "no-store",
    "max-age=5",
    "max-age=0",
    "min-fresh=5",
    "max-age=x",
  );
  fc.assert(
    fc.property(variants, request, time, forbidding, (variants, request, now, directive) => {
      const before = find(variants, request, now);
      const then = find(variants, asking(request, directive), now);
      assert(use(then) <= use(before), `${before.kind} became ${then.kind} by ${directive}`);
    }),
    RUNS,
  );
});

Deno.test("nothing that forbids makes a response one that may be stored (RFC 9111 §3)", () => {
  const forbidding = fc.constantFrom("no-store", "private", "no-cache", "s-maxage=0", "must-understand");
  fc.assert(
    fc.property(status, responseFields, request, forbidding, (status, lines, request, directive) => {
      const asked = { ...request, method: "GET", hasBody: false };
      const strict: FieldLine[] = [...lines, ["Cache-Control", directive]];
      const [before, then] = [lines, strict].map((lines) =>
        mayStore(asked, { status, fields: fieldsOf(lines) }, NOON)
      );
      // a lifetime of none is a word of it all the same, and must-understand is made to lift no-store
      const excused = directive === "s-maxage=0" || directive === "must-understand";
      assert(!then.store || before.store || excused, JSON.stringify(before));
      const lifted = fieldsOf(lines).field("cache-control").includes("must-understand");
      if (directive === "private" || directive === "no-store" && !lifted) assert(!then.store);
    }),
    RUNS,
  );
});

Deno.test("what may be stored answers the same request again, unless it has to ask (RFC 9111 §4)", () => {
  fc.assert(
    fc.property(status, responseFields, request, (status, lines, request) => {
      const response = { status, fields: fieldsOf(lines) };
      if (!mayStore(request, response, NOON).store) return;
      const vary = varyOf(request, response);
      assert(vary !== null);
      const stored: StoredResponse = {
        status,
        fields: lines,
        requestTime: NOON,
        responseTime: NOON,
        vary: vary!,
        length: 10,
        range: null,
      };
      assert(matches(stored, request));
      const { kind } = find([stored], request, NOON);
      assert(["hit", "stale", "validate", "unsatisfiable", "bypass"].includes(kind), kind);
    }),
    RUNS,
  );
});

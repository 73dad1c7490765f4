import { assert, assertEquals, assertRejects } from "@std/assert";
import { ResolveError, Resolver } from "../../src/net/resolve.ts";
import { systemLookup } from "../../src/net/system_lookup.ts";

/** A look-up whose answers the test gives when it likes. */
function fakeLookup() {
  const asked: string[] = [];
  const waiting = new Map<string, PromiseWithResolvers<string[]>>();
  return {
    asked,
    lookup(host: string): Promise<string[]> {
      asked.push(host);
      const answer = Promise.withResolvers<string[]>();
      waiting.set(host, answer);
      return answer.promise;
    },
    answer(host: string, ...addresses: string[]) {
      waiting.get(host)!.resolve(addresses);
    },
    fail(host: string, error: Error) {
      waiting.get(host)!.reject(error);
    },
  };
}

function systemError(code: string): Error {
  return Object.assign(new Error(`getaddrinfo ${code}`), { code });
}

/** Lets everything happen that waits for nothing outside. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await null;
}

async function rejection(promise: Promise<unknown>): Promise<ResolveError> {
  return await assertRejects(() => promise, ResolveError);
}

Deno.test("literal addresses come back as they are, and nobody is asked", async () => {
  const fake = fakeLookup();
  const resolver = new Resolver({ lookup: fake.lookup });
  for (
    const address of ["192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "2001:db8::1", "::ffff:192.0.2.1"]
  ) {
    assertEquals(await resolver.resolve(address), [address]);
  }
  assertEquals(fake.asked, []);
});

Deno.test("what is almost an IPv4 address is no literal", async () => {
  const resolver = new Resolver({ lookup: () => Promise.resolve(["198.51.100.1"]) });
  for (const host of ["127.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4.", "0x7f.0.0.1"]) {
    assertEquals(await resolver.resolve(host), ["198.51.100.1"], host);
  }
});

Deno.test("localhost and the names below it are loopback whatever a name server says (RFC 6761 §6.3)", async () => {
  const resolver = new Resolver({ lookup: () => Promise.resolve(["203.0.113.1"]) });
  for (const host of ["localhost", "app.localhost", "a.b.localhost"]) {
    assertEquals(await resolver.resolve(host), ["127.0.0.1", "::1"]);
  }
  assertEquals(await resolver.resolve("notlocalhost"), ["203.0.113.1"]);
  assertEquals(await resolver.resolve("localhost.example"), ["203.0.113.1"]);
});

Deno.test("all addresses of a name come in the order of the answer, each once", async () => {
  const resolver = new Resolver({
    lookup: () => Promise.resolve(["2001:db8::1", "192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.1"]),
  });
  assertEquals(await resolver.resolve("example.com"), ["2001:db8::1", "192.0.2.1", "192.0.2.2"]);
});

Deno.test("a name that is asked for by many at once is looked up once", async () => {
  const fake = fakeLookup();
  const resolver = new Resolver({ lookup: fake.lookup });
  const all = Promise.all([1, 2, 3].map(() => resolver.resolve("example.com")));
  await settle();
  fake.answer("example.com", "192.0.2.1");
  assertEquals(await all, [["192.0.2.1"], ["192.0.2.1"], ["192.0.2.1"]]);
  assertEquals(fake.asked, ["example.com"]);
});

Deno.test("an answer is remembered for its lifetime and a failure for a shorter one", async () => {
  let now = 0;
  let asked = 0;
  let missing = false;
  const resolver = new Resolver({
    lifetime: 5_000,
    failureLifetime: 1_000,
    now: () => now,
    lookup: () => {
      asked++;
      return missing ? Promise.reject(systemError("ENOTFOUND")) : Promise.resolve([`192.0.2.${asked}`]);
    },
  });
  assertEquals(await resolver.resolve("example.com"), ["192.0.2.1"]);
  now = 4_999;
  assertEquals(await resolver.resolve("example.com"), ["192.0.2.1"]);
  now = 5_000;
  assertEquals(await resolver.resolve("example.com"), ["192.0.2.2"]);

  missing = true;
  now = 10_000;
  assertEquals((await rejection(resolver.resolve("example.com"))).kind, "not_found");
  now = 10_999;
  missing = false;
  assertEquals((await rejection(resolver.resolve("example.com"))).kind, "not_found");
  assertEquals(asked, 3);
  now = 11_000;
  assertEquals(await resolver.resolve("example.com"), ["192.0.2.4"]);
});

Deno.test("a lifetime of 0 remembers nothing", async () => {
  let asked = 0;
  const resolver = new Resolver({ lifetime: 0, lookup: () => Promise.resolve([`192.0.2.${++asked}`]) });
  assertEquals(await resolver.resolve("example.com"), ["192.0.2.1"]);
  assertEquals(await resolver.resolve("example.com"), ["192.0.2.2"]);
});

Deno.test("the memory is bounded: the oldest answers make room", async () => {
  const asked: string[] = [];
  const resolver = new Resolver({
    maxEntries: 2,
    lookup: (host) => {
      asked.push(host);
      return Promise.resolve(["192.0.2.1"]);
    },
  });
  for (const host of ["a.example", "b.example", "c.example"]) await resolver.resolve(host);
  asked.length = 0;
  for (const host of ["b.example", "c.example"]) await resolver.resolve(host);
  assertEquals(asked, []);
  await resolver.resolve("a.example");
  assertEquals(asked, ["a.example"]);
});

Deno.test("failures say what they are", async () => {
  const errors: Record<string, Error> = {
    "missing.example": systemError("ENOTFOUND"),
    "later.example": systemError("EAI_AGAIN"),
    "odd.example": new TypeError("odd"),
  };
  const resolver = new Resolver({
    lookup: (host) => host === "empty.example" ? Promise.resolve([]) : Promise.reject(errors[host]),
  });
  const missing = await rejection(resolver.resolve("missing.example"));
  assertEquals([missing.kind, missing.message], [
    "not_found",
    "no name server knows an address of missing.example",
  ]);
  const later = await rejection(resolver.resolve("later.example"));
  assertEquals([later.kind, later.message], [
    "failed",
    "looking up later.example failed: getaddrinfo EAI_AGAIN",
  ]);
  assertEquals((await rejection(resolver.resolve("odd.example"))).kind, "failed");
  assertEquals((await rejection(resolver.resolve("empty.example"))).kind, "not_found");
});

Deno.test("a look-up that throws instead of rejecting fails like any other", async () => {
  const resolver = new Resolver({
    lookup: () => {
      throw new TypeError("at once");
    },
  });
  const error = await rejection(resolver.resolve("example.com"));
  assertEquals([error.kind, error.message], ["failed", "looking up example.com failed: at once"]);
});

Deno.test("no caller waits longer than the time-out, and the late answer is remembered", async () => {
  const fake = fakeLookup();
  let now = 0;
  const resolver = new Resolver({ lookup: fake.lookup, timeout: 1, silenceLifetime: 1_000, now: () => now });
  const waiting = rejection(resolver.resolve("slow.example"));
  now = 1;
  const error = await waiting;
  assertEquals([error.kind, error.message], ["timeout", "no answer about slow.example within 1 ms"]);

  // The next to ask is told the same without waiting, until the failure is forgotten …
  assertEquals(await rejection(resolver.resolve("slow.example")), error);
  now = 1_001;
  // … and then joins the question that is still open, instead of asking once more.
  assertEquals((await rejection(resolver.resolve("slow.example"))).kind, "timeout");
  assertEquals(fake.asked, ["slow.example"]);

  fake.answer("slow.example", "192.0.2.1");
  await settle();
  assertEquals(await resolver.resolve("slow.example"), ["192.0.2.1"]);
  assertEquals(fake.asked, ["slow.example"]);
});

Deno.test("a signal ends one caller's waiting and nobody else's", async () => {
  const fake = fakeLookup();
  const resolver = new Resolver({ lookup: fake.lookup });
  const gone = new AbortController();
  const late = new AbortController();
  const first = rejection(resolver.resolve("example.com", gone.signal));
  const second = resolver.resolve("example.com");
  gone.abort();
  assertEquals((await first).kind, "aborted");
  await settle();
  fake.answer("example.com", "192.0.2.1");
  assertEquals(await second, ["192.0.2.1"]);

  const third = rejection(resolver.resolve("slow.example", late.signal));
  await settle();
  late.abort(new DOMException("late", "TimeoutError"));
  assertEquals((await third).kind, "timeout");
  fake.answer("slow.example", "192.0.2.1");
});

Deno.test("a deadline that passes after the answer changes nothing", async () => {
  const resolver = new Resolver({ lookup: () => Promise.resolve(["192.0.2.1"]) });
  const controller = new AbortController();
  assertEquals(await resolver.resolve("example.com", controller.signal), ["192.0.2.1"]);
  controller.abort(new DOMException("late", "TimeoutError"));
  assertEquals(await resolver.resolve("example.com"), ["192.0.2.1"]);
});

Deno.test("a caller who goes early says nothing about the name", async () => {
  const fake = fakeLookup();
  const resolver = new Resolver({ lookup: fake.lookup });
  const gone = new AbortController();
  const first = rejection(resolver.resolve("example.com", gone.signal));
  gone.abort();
  assertEquals((await first).kind, "aborted");
  const second = resolver.resolve("example.com");
  fake.answer("example.com", "192.0.2.1");
  assertEquals(await second, ["192.0.2.1"]);
  assertEquals(fake.asked, ["example.com"]);
});

Deno.test("a signal that has spoken already asks nobody, but takes what is remembered", async () => {
  const fake = fakeLookup();
  const resolver = new Resolver({ lookup: fake.lookup });
  assertEquals((await rejection(resolver.resolve("example.com", AbortSignal.abort()))).kind, "aborted");
  assertEquals(fake.asked, []);
  const answer = resolver.resolve("example.com");
  await settle();
  fake.answer("example.com", "192.0.2.1");
  await answer;
  assertEquals(await resolver.resolve("example.com", AbortSignal.abort()), ["192.0.2.1"]);
});

Deno.test("only so many look-ups run at once; the others follow in their order", async () => {
  const fake = fakeLookup();
  const resolver = new Resolver({ lookup: fake.lookup, maxLookups: 2, shared: false });
  const all = ["a", "b", "c", "d"].map((host) => resolver.resolve(host));
  await settle();
  assertEquals(fake.asked, ["a", "b"]);
  fake.answer("b", "192.0.2.2");
  await settle();
  assertEquals(fake.asked, ["a", "b", "c"]);
  fake.fail("c", systemError("ENOTFOUND"));
  assertEquals((await rejection(all[2])).kind, "not_found");
  await settle();
  assertEquals(fake.asked, ["a", "b", "c", "d"]);
  fake.answer("a", "192.0.2.1");
  fake.answer("d", "192.0.2.4");
  assertEquals([await all[0], await all[1], await all[3]], [["192.0.2.1"], ["192.0.2.2"], ["192.0.2.4"]]);

  // Both places are free again.
  fake.asked.length = 0;
  const more = ["e", "f", "g"].map((host) => resolver.resolve(host));
  assertEquals(fake.asked, ["e", "f"]);
  fake.answer("e", "192.0.2.5");
  fake.answer("f", "192.0.2.6");
  await settle();
  fake.answer("g", "192.0.2.7");
  await Promise.all(more);
});

Deno.test("a queued name that nobody waits for any more is never looked up", async () => {
  const fake = fakeLookup();
  const resolver = new Resolver({ lookup: fake.lookup, maxLookups: 1 });
  const gone = new AbortController();
  const first = resolver.resolve("a");
  const second = rejection(resolver.resolve("b", gone.signal));
  const third = resolver.resolve("c");
  gone.abort();
  await second;
  await settle();
  fake.answer("a", "192.0.2.1");
  await first;
  await settle();
  assertEquals(fake.asked, ["a", "c"]);
  fake.answer("c", "192.0.2.3");
  assertEquals(await third, ["192.0.2.3"]);
});

Deno.test("a failure that nobody waits for any more is no unhandled rejection", async () => {
  const fake = fakeLookup();
  const resolver = new Resolver({ lookup: fake.lookup });
  const gone = new AbortController();
  const only = rejection(resolver.resolve("example.com", gone.signal));
  await settle();
  gone.abort();
  await only;
  fake.fail("example.com", systemError("ENOTFOUND"));
  await settle();
  assertEquals((await rejection(resolver.resolve("example.com"))).kind, "not_found");
});

Deno.test("the system's own resolver reads /etc/hosts and knows what is missing", async () => {
  const addresses = await systemLookup("localhost");
  assert(addresses.length > 0);
  for (const address of addresses) assert(address === "::1" || address.startsWith("127."), address);
  // RFC 6761 §6.4: no name below `invalid` exists.
  const error = await rejection(new Resolver().resolve("weir.invalid"));
  assertEquals(error.kind, "not_found", "even where no name server can be asked");
});

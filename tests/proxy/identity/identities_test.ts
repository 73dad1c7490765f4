import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { Clock } from "../../../src/net/clock.ts";
import { UNLISTED } from "../../../src/net/roster.ts";
import { Identities, type Outcome, type Waiter } from "../../../src/proxy/identity/identities.ts";
import { FakeTime, settled } from "../../net/fakes.ts";
import { bytes } from "../../http/reading.ts";
import { KnownUsers } from "../known_users.ts";

const HERE = "192.0.2.1";
const THERE = "198.51.100.7";

/** A clock that runs because somebody is connected, users, and what is remembered of them. */
class Scene {
  readonly time = new FakeTime();
  readonly clock = new Clock(this.time);
  readonly users = new KnownUsers({ alice: "right", bob: "good" });
  readonly identities = new Identities(this.clock);

  constructor() {
    this.clock.watch({ place: UNLISTED, deadline: Infinity, expire() {} });
  }

  tag(text: string): string {
    const value = bytes(text);
    return this.identities.tagOf(value, 0, value.length);
  }

  prove(text: string, address = HERE, users = this.users): Waiter {
    const [user, password] = text.split(":");
    return this.identities.prove(users, { user, password }, this.tag(text), address);
  }

  recall(text: string, users = this.users): string | undefined {
    return this.identities.recall(users, this.tag(text));
  }

  /** Proves it and lets time pass until that is done. */
  async proved(text: string, address = HERE): Promise<Outcome> {
    let outcome: Outcome | undefined;
    this.prove(text, address).outcome.then((each) => outcome = each);
    await settled();
    while (outcome === undefined) await this.pass(250);
    return outcome;
  }

  /** Time is looked at every 250 ms. */
  async pass(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= 250) {
      this.time.pass(250);
      await settled();
    }
  }

  /** How long the next attempt waits before it is verified, ms. */
  async delay(text: string, address = HERE): Promise<number> {
    const before = this.users.asked.length;
    const waiter = this.prove(text, address);
    await settled();
    let waited = 0;
    for (; this.users.asked.length === before; waited += 250) await this.pass(250);
    await waiter.outcome;
    return waited;
  }
}

Deno.test("a verified credential is known again, and no other is", async () => {
  const scene = new Scene();
  assertEquals(scene.recall("alice:right"), undefined);
  assertEquals(await scene.proved("alice:right"), "right");
  assertEquals(scene.recall("alice:right"), "alice");
  for (const other of ["alice:wrong", "alice:right ", "bob:right", "bob:good"]) {
    assertEquals(scene.recall(other), undefined);
  }
  assertEquals(scene.users.asked, ["alice:right"]);
});

Deno.test("what a credential is known by is another in each process", () => {
  const [one, other] = [new Scene(), new Scene()];
  assertEquals(one.tag("alice:right"), one.tag("alice:right"));
  assertNotEquals(one.tag("alice:right"), other.tag("alice:right"));
});

Deno.test("a wrong credential is never remembered", async () => {
  const scene = new Scene();
  for (const wrong of ["alice:wrong", "nobody:right"]) {
    assertEquals(await scene.proved(wrong), "wrong");
    assertEquals(scene.recall(wrong), undefined);
  }
});

Deno.test("what is in use stays known, and is verified again after ten minutes without", async () => {
  const scene = new Scene();
  await scene.proved("alice:right");
  for (let minutes = 0; minutes < 60; minutes += 5) {
    assertEquals(scene.recall("alice:right"), "alice");
    scene.time.pass(300_000);
  }
  assertEquals(scene.recall("alice:right"), "alice");
  scene.time.pass(599_000);
  assertEquals(scene.recall("alice:right"), "alice");
  scene.time.pass(600_000);
  assertEquals(scene.recall("alice:right"), undefined);
  assertEquals(await scene.proved("alice:right"), "right");
  assertEquals(scene.users.asked.length, 2);
});

Deno.test("another password or a user who has gone is noticed at once, and the others are left alone", async () => {
  const scene = new Scene();
  await scene.proved("alice:right");
  await scene.proved("bob:good");
  scene.users.set({ alice: "new", bob: "good" });
  assertEquals([scene.recall("alice:right"), scene.recall("bob:good")], [undefined, "bob"]);
  scene.users.set({ alice: "right" });
  assertEquals([scene.recall("alice:right"), scene.recall("bob:good")], [undefined, undefined]);
});

Deno.test("the same users from another file are the same, others are not", async () => {
  const scene = new Scene();
  await scene.proved("alice:right");
  await scene.proved("bob:good");
  const others = new KnownUsers({ alice: "right", bob: "other" });
  assertEquals(scene.recall("alice:right", others), "alice");
  assertEquals(scene.recall("bob:good", others), undefined);
});

Deno.test("a password that changes while the old one is verified is not remembered", async () => {
  const scene = new Scene();
  scene.users.hold();
  const { outcome } = scene.prove("alice:right");
  scene.users.set({ alice: "new" });
  scene.users.letGo();
  assertEquals(await outcome, "right");
  assertEquals(scene.recall("alice:right"), undefined);
});

Deno.test("who guesses waits longer each time, up to five seconds", async () => {
  const scene = new Scene();
  const delays: number[] = [];
  for (let i = 0; i < 9; i++) delays.push(await scene.delay(`alice:${i}`));
  assertEquals(delays[0], 0);
  const wanted = [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000];
  delays.forEach((delay, i) => {
    assert(delay >= wanted[i] && delay <= wanted[i] + (i === 0 ? 0 : 750), `${delay} for ${wanted[i]}`);
  });
});

Deno.test("only the client that has failed is slowed, and only for what is not remembered", async () => {
  const scene = new Scene();
  await scene.proved("alice:right");
  for (let i = 0; i < 7; i++) await scene.proved(`alice:${i}`);
  assertEquals(scene.recall("alice:right"), "alice");
  assertEquals(await scene.delay("bob:wrong", THERE), 0);
  assert(await scene.delay("bob:good") >= 5_000);
});

Deno.test("a right one does not wash the failures away, a quiet minute does", async () => {
  const scene = new Scene();
  for (let i = 0; i < 5; i++) await scene.proved(`alice:${i}`);
  await scene.proved("alice:right");
  assert(await scene.delay("bob:good") >= 1_600);
  scene.time.pass(60_500);
  assertEquals(await scene.delay("alice:x"), 0);
});

Deno.test("the same credential many times at once is verified once, from whichever clients", async () => {
  const scene = new Scene();
  scene.users.hold();
  const waiters = Array.from({ length: 100 }, (_, i) => scene.prove("alice:right", `192.0.2.${i % 50}`));
  assertEquals(scene.identities.waiting, 1);
  scene.users.letGo();
  assertEquals(new Set(await Promise.all(waiters.map(({ outcome }) => outcome))), new Set(["right"]));
  assertEquals(scene.users.asked, ["alice:right"]);
  assertEquals(scene.identities.waiting, 0);
});

Deno.test("one client has one credential verified at a time, and only some waiting", async () => {
  const scene = new Scene();
  scene.users.hold();
  const waiters = Array.from({ length: 9 }, (_, i) => scene.prove(`alice:${i}`));
  assertEquals(await waiters[8].outcome, "busy");
  assertEquals(scene.users.asked, ["alice:0"]);
  const there = scene.prove("bob:good", THERE);
  scene.users.letGo();
  assertEquals(await there.outcome, "right");
  // the others of that client wait for their time, which its failures put off
  assertEquals(scene.users.asked, ["alice:0", "bob:good"]);
  for (const { leave } of waiters) leave();
  await settled();
  assertEquals(scene.identities.waiting, 0);
});

Deno.test("of all clients together only some wait", async () => {
  const scene = new Scene();
  scene.users.hold();
  const waiters = Array.from(
    { length: 300 },
    (_, i) => scene.prove(`alice:${i}`, `10.0.${i >> 8}.${i & 255}`),
  );
  assertEquals(scene.identities.waiting, 256);
  assertEquals(await waiters[256].outcome, "busy");
  for (const { leave } of waiters) leave();
  scene.users.letGo();
  await settled();
  assertEquals(scene.identities.waiting, 0);
  assertEquals(scene.users.asked, ["alice:0"]);
});

Deno.test("who has never failed is next and finds room, however many guessers wait", async () => {
  const scene = new Scene();
  const guessers = Array.from({ length: 40 }, (_, i) => `10.0.0.${i}`);
  for (const guesser of guessers) assertEquals(await scene.proved(`mallory:${guesser}`, guesser), "wrong");
  await scene.pass(1_000);
  scene.users.hold();
  const guesses = guessers.flatMap((guesser) =>
    Array.from({ length: 8 }, (_, i) => scene.prove(`mallory:${guesser}-${i}`, guesser))
  );
  await scene.pass(1_000);
  assertEquals(scene.identities.waiting, 256);
  const before = scene.users.asked.length;
  const names = Array.from({ length: 30 }, (_, i) => `user${i}`);
  scene.users.set(Object.fromEntries(names.map((name) => [name, "x"])));
  const newcomers = names.map((name, i) => scene.prove(`${name}:x`, `192.0.2.${i}`));
  scene.users.letGo();
  for (const { outcome } of newcomers) assertEquals(await outcome, "right");
  assertEquals(scene.users.asked.slice(before, before + 30), names.map((name) => `${name}:x`));
  for (const { leave } of guesses) leave();
  await settled();
  assertEquals(scene.identities.waiting, 0);
});

Deno.test("a full queue turns away an attempt of the client that has failed most", async () => {
  const scene = new Scene();
  await scene.proved("mallory:0", "10.1.0.1");
  for (let i = 0; i < 2; i++) await scene.proved(`mallory:${i}`, "10.1.0.2");
  scene.users.hold();
  const others = Array.from({ length: 254 }, (_, i) => scene.prove(`alice:${i}`, `10.2.0.${i}`));
  const [once, twice] = ["10.1.0.1", "10.1.0.2"].map((address) =>
    scene.prove(`mallory:x${address}`, address)
  );
  assertEquals(scene.identities.waiting, 256);
  const first = scene.prove("bob:good", THERE);
  assertEquals(await twice.outcome, "busy");
  const second = scene.prove("bob:other", "198.51.100.8");
  assertEquals(await once.outcome, "busy");
  assertEquals(await scene.prove("bob:third", "198.51.100.9").outcome, "busy", "no other has failed");
  assertEquals(await scene.prove("mallory:2", "10.1.0.2").outcome, "busy");
  for (const { leave } of [...others, first, second]) leave();
  scene.users.letGo();
  await settled();
  assertEquals(scene.identities.waiting, 0);
});

Deno.test("among those who have failed as often, the one with most attempts waiting makes room", async () => {
  const scene = new Scene();
  scene.users.hold();
  const waiters = Array.from({ length: 256 }, (_, i) => scene.prove(`alice:${i}`, `10.0.0.${i >> 3}`));
  const { outcome } = scene.prove("bob:good", THERE);
  assertEquals(scene.identities.waiting, 256);
  const outcomes: Outcome[] = [];
  for (const waiter of waiters) waiter.outcome.then((each) => outcomes.push(each));
  await settled();
  assertEquals(outcomes, ["busy"]);
  for (const { leave } of waiters) leave();
  scene.users.letGo();
  assertEquals(await outcome, "right");
});

Deno.test("whose turn it is depends on the failures of an hour", async () => {
  const scene = new Scene();
  const order = async () => {
    scene.users.hold();
    const before = scene.users.asked.length + 1;
    const waiters = [
      scene.prove("alice:under way", "203.0.113.1"),
      scene.prove("alice:guesser", HERE),
      scene.prove("alice:newcomer", THERE),
    ];
    await settled();
    scene.users.letGo();
    for (const { outcome } of waiters) await outcome;
    return scene.users.asked.slice(before);
  };
  await scene.proved("mallory:0", HERE);
  scene.time.pass(59 * 60_000);
  assertEquals(await order(), ["alice:newcomer", "alice:guesser"]);
  scene.time.pass(61 * 60_000);
  assertEquals(await order(), ["alice:guesser", "alice:newcomer"]);
});

Deno.test("who leaves while waiting leaves nothing behind, and the next takes the turn", async () => {
  const scene = new Scene();
  await scene.proved("alice:wrong");
  const watched = scene.clock.size;
  const first = scene.prove("alice:other");
  const second = scene.prove("alice:right");
  assertEquals(scene.clock.size, watched + 1);
  first.leave();
  assertEquals(await first.outcome, "left");
  await scene.pass(1_000);
  assertEquals(await second.outcome, "right");
  assertEquals(scene.users.asked, ["alice:wrong", "alice:right"]);
  const third = scene.prove("alice:third");
  third.leave();
  third.leave();
  assertEquals(scene.clock.size, watched);
  assertEquals(scene.identities.waiting, 0);
});

Deno.test("who leaves while others wait for the same does not take it from them", async () => {
  const scene = new Scene();
  await scene.proved("alice:wrong");
  const [one, other] = [scene.prove("alice:right"), scene.prove("alice:right")];
  one.leave();
  await scene.pass(1_000);
  assertEquals([await one.outcome, await other.outcome], ["left", "right"]);
});

Deno.test("a guess counts even when its client has gone before it was found wrong", async () => {
  const scene = new Scene();
  for (let i = 0; i < 5; i++) {
    scene.users.hold();
    const before = scene.users.asked.length;
    const { leave, outcome } = scene.prove(`alice:${i}`);
    while (scene.users.asked.length === before) await scene.pass(250);
    leave();
    assertEquals(await outcome, "left");
    scene.users.letGo();
    await settled();
  }
  assert(await scene.delay("alice:x") >= 1_600);
});

Deno.test("what cannot be verified is told to those who wait, and is nobody's failure", async () => {
  const scene = new Scene();
  scene.users.breakDown();
  await assertRejects(() => scene.prove("alice:right").outcome, Error, "out of memory");
  scene.users.letGo();
  assertEquals(await scene.delay("alice:right"), 0);
  assertEquals(scene.recall("alice:right"), "alice");
  assertEquals(scene.identities.waiting, 0);
});

Deno.test("who guesses from the same address does not keep out those who are known", async () => {
  const scene = new Scene();
  await scene.proved("alice:right");
  for (let i = 0; i < 8; i++) scene.prove(`mallory:${i}`);
  assertEquals(await scene.prove("bob:good").outcome, "busy");
  for (let minutes = 0; minutes < 30; minutes += 5) {
    assertEquals(scene.recall("alice:right"), "alice");
    scene.time.pass(300_000);
  }
});

Deno.test("of those that are remembered the one that was used last goes last", async () => {
  const scene = new Scene();
  const names = Array.from({ length: 10_001 }, (_, i) => `user${i}`);
  scene.users.set(Object.fromEntries(names.map((name) => [name, "x"])));
  const last = names.pop();
  for (const name of names) assertEquals(await scene.prove(`${name}:x`).outcome, "right");
  scene.time.pass(60_000);
  assertEquals(scene.recall("user0:x"), "user0");
  assertEquals(await scene.prove(`${last}:x`).outcome, "right");
  assertEquals(scene.recall("user0:x"), "user0");
  assertEquals(scene.recall("user1:x"), undefined);
});

Deno.test("only so many credentials are remembered, the oldest are forgotten first", async () => {
  const scene = new Scene();
  const names = Array.from({ length: 10_001 }, (_, i) => `user${i}`);
  scene.users.set(Object.fromEntries(names.map((name) => [name, "x"])));
  for (const name of names) assertEquals(await scene.prove(`${name}:x`).outcome, "right");
  assertEquals(scene.recall("user0:x"), undefined);
  assertEquals(scene.recall("user1:x"), "user1");
  assertEquals(scene.recall("user10000:x"), "user10000");
});

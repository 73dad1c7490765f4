import { assertEquals } from "@std/assert";
import { Resolver } from "../../src/net/resolve.ts";
import { NamedAddress } from "../../src/proxy/named_address.ts";
import { fakeClock, settled } from "../net/fakes.ts";

/** An address of a name, and a resolver that answers what a test says, at once or never. */
class Setting {
  readonly clock;
  readonly time;
  readonly named: NamedAddress;
  answer: string[] | Error | null = ["192.0.2.1"];
  asked = 0;
  readonly #resolver: Resolver;
  /** Lets the clock tick. */
  readonly #watched = { place: -1, deadline: Infinity, expire() {} };

  constructor() {
    ({ clock: this.clock, time: this.time } = fakeClock());
    this.clock.watch(this.#watched);
    this.#resolver = new Resolver({
      lifetime: 0,
      failureLifetime: 0,
      timeout: 10_000,
      lookup: () => {
        this.asked++;
        const { answer } = this;
        if (answer === null) return new Promise(() => {});
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    });
    this.named = new NamedAddress("a.example", "192.0.2.1", this.clock);
  }

  ask(): Promise<void> {
    return this.named.ask(this.#resolver, "192.0.2.1");
  }

  /** What a request that comes now does: goes out, asks beside it, or waits. */
  get state(): string {
    const { named, clock: { now } } = this;
    if (named.gone) return "gone";
    return now < named.askFrom ? "known" : now < named.waitFrom ? "asks" : "waits";
  }

  end(): void {
    this.clock.unwatch(this.#watched);
    assertEquals([this.clock.size, this.time.running], [0, 0]);
  }
}

Deno.test("a name is asked about a second after its last answer, and waited for after two", async () => {
  const setting = new Setting();
  const { time } = setting;
  const states: string[] = [];
  for (let i = 0; i < 5; i++) {
    states.push(setting.state);
    time.pass(500);
  }
  assertEquals(states, ["known", "known", "asks", "asks", "waits"]);
  await setting.ask();
  assertEquals([setting.state, setting.asked], ["known", 1]);
  setting.end();
});

Deno.test("an address that is not among the name's any more is gone, and so is a name that is", async () => {
  for (const answer of [["192.0.2.2"], Object.assign(new Error("none"), { code: "ENOTFOUND" })]) {
    const setting = new Setting();
    setting.answer = answer;
    await setting.ask();
    assertEquals(setting.state, "gone");
    setting.end();
  }
});

Deno.test("without an answer in two seconds no request waits for one, for a minute since the last", async () => {
  const setting = new Setting();
  const { time } = setting;
  time.pass(2_000);
  setting.answer = null;
  const asked = setting.ask();
  assertEquals(setting.ask(), asked, "two that ask wait for the same answer");
  time.passDeadline(2_000);
  await asked;
  const states: string[] = [];
  for (let i = 0; i < 4; i++) {
    time.pass(1_000);
    states.push(setting.state);
  }
  assertEquals(states, ["asks", "asks", "asks", "asks"]);
  time.pass(55_000);
  assertEquals(setting.state, "waits");
  const last = setting.ask();
  time.passDeadline(2_000);
  await last;
  assertEquals(setting.state, "gone");
  setting.end();
});

Deno.test("an answer after a time without makes all as it was", async () => {
  const setting = new Setting();
  setting.answer = Object.assign(new Error("broken"), { code: "ESERVFAIL" });
  await setting.ask();
  assertEquals(setting.state, "known");
  setting.answer = ["192.0.2.3", "192.0.2.1"];
  setting.time.pass(1_000);
  await setting.ask();
  setting.time.pass(2_000);
  assertEquals(setting.state, "waits");
  setting.end();
});

Deno.test("a question that is given up says nothing", async () => {
  const setting = new Setting();
  setting.time.pass(2_000);
  setting.answer = null;
  const asked = setting.ask();
  await settled();
  setting.named.giveUp();
  await asked;
  assertEquals([setting.state, setting.named.asking], ["waits", false]);
  setting.end();
});

import { assertEquals } from "@std/assert";
import { type Unfinished, UnfinishedMessages } from "../../src/net/unfinished.ts";

/** Messages by name, `a1` of the client `a`, and those that were given up. */
class Scene {
  readonly messages = new UnfinishedMessages();
  readonly givenUp: string[] = [];
  readonly #all = new Map<string, Unfinished>();

  constructor(readonly most: number) {}

  hold(name: string, bytes: number): void {
    const message = this.#all.get(name) ?? { clientKey: name[0], giveUp: () => void this.givenUp.push(name) };
    this.#all.set(name, message);
    this.messages.hold(message, bytes, this.most);
  }

  letGo(name: string): void {
    this.messages.letGo(this.#all.get(name)!);
  }
}

Deno.test("up to the limit nothing is given up, however much comes and goes", () => {
  const scene = new Scene(10);
  for (let round = 0; round < 100; round++) {
    scene.hold("a1", 2);
    scene.hold("a1", 4);
    scene.hold("b1", 6);
    assertEquals(scene.messages.bytes, 10);
    scene.letGo("a1");
    scene.letGo("b1");
    scene.letGo("b1");
    assertEquals(scene.messages.bytes, 0);
  }
  assertEquals(scene.givenUp, []);
});

Deno.test("over the limit the largest of the client that holds most is given up, and the oldest of equals", () => {
  const scene = new Scene(20);
  scene.hold("a1", 3);
  scene.hold("b1", 9);
  scene.hold("a2", 4);
  scene.hold("a3", 4);
  scene.hold("c1", 1);
  assertEquals([scene.givenUp, scene.messages.bytes], [["a2"], 17]);
  scene.hold("c1", 4);
  assertEquals([scene.givenUp, scene.messages.bytes], [["a2"], 20]);
  scene.hold("c2", 1);
  assertEquals([scene.givenUp, scene.messages.bytes], [["a2", "b1"], 12]);
});

Deno.test("one that is too large for all alone is given up itself", () => {
  const scene = new Scene(10);
  scene.hold("a1", 5);
  scene.hold("b1", 11);
  assertEquals([scene.givenUp, scene.messages.bytes], [["b1"], 5]);
});

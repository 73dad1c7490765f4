import { assert, assertEquals } from "@std/assert";
import { isLackOfDescriptors, SpareDescriptors } from "../../src/net/spare_descriptors.ts";

/** A system with so many descriptors. */
class System {
  open = 0;

  constructor(public most: number) {}

  readonly take = () => {
    if (this.open === this.most) throw new Error("Too many open files");
    this.open++;
    return { close: () => void this.open-- };
  };
}

Deno.test("descriptors are held back, given up at once, and taken again when all can be had", () => {
  const system = new System(20);
  const spare = new SpareDescriptors(system.take);
  assertEquals(spare.release(), false);
  assert(spare.take());
  assert(spare.complete);
  const { open } = system;
  assert(open > 0 && spare.take());
  assertEquals(system.open, open);
  assert(spare.release());
  assertEquals(system.open, 0);
  system.most = open - 1;
  assertEquals([spare.take(), spare.complete, system.open], [false, false, 0]);
  system.most = open;
  assert(spare.take());
});

Deno.test("they are sockets of this machine, and all closed", () => {
  const spare = new SpareDescriptors();
  assert(spare.take());
  assert(spare.release());
});

Deno.test("a lack of descriptors is told from other failures", () => {
  const coded = (code: string) => Object.assign(new Error("failed"), { code });
  assertEquals(["EMFILE", "ENFILE", "ECONNABORTED"].map((code) => isLackOfDescriptors(coded(code))), [
    true,
    true,
    false,
  ]);
});

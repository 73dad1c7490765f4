import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { PatternError } from "../../src/policy/pattern_error.ts";
import { formatPorts, parsePorts, portsInclude } from "../../src/policy/port_range.ts";

Deno.test("a port, a range and all ports are read", () => {
  assertEquals(parsePorts("443"), { first: 443, last: 443 });
  assertEquals(parsePorts("8000-8999"), { first: 8000, last: 8999 });
  assertEquals(parsePorts("1-65535"), { first: 1, last: 65535 });
  assertEquals(parsePorts("*"), { first: 1, last: 65535 });
  assertEquals(parsePorts("80-80"), { first: 80, last: 80 });
});

Deno.test("what is no plain port is refused, with what to write", () => {
  for (
    const text of [
      "",
      "0",
      "080",
      "+80",
      "-80",
      "80-",
      "80-90-100",
      "65536",
      "443 ",
      "0x50",
      "1e3",
      "4.43",
      "https",
      "８０",
      "80-*",
      "**",
      "9".repeat(1000),
    ]
  ) {
    assertThrows(() => parsePorts(text), PatternError, "write a number from 1 to 65535", text);
  }
  assertThrows(() => parsePorts("8999-8000"), PatternError, "write 8000-8999");
  assertThrows(() => parsePorts("80,443"), PatternError, "write them as a list, as in [80, 443]");
});

Deno.test("ranges hold their first and last port and nothing around them", () => {
  const ranges = [parsePorts("443"), parsePorts("8000-8002")];
  const held = [1, 442, 443, 444, 7999, 8000, 8001, 8002, 8003, 65535].filter((port) =>
    portsInclude(ranges, port)
  );
  assertEquals(held, [443, 8000, 8001, 8002]);
  assertEquals(portsInclude([], 443), false);
});

Deno.test("ranges that are written are read again as the same", () => {
  const port = fc.integer({ min: 1, max: 65535 });
  fc.assert(fc.property(fc.array(fc.tuple(port, port), { minLength: 1, maxLength: 5 }), (pairs) => {
    const ranges = pairs.map(([one, other]) => ({ first: Math.min(one, other), last: Math.max(one, other) }));
    assertEquals(formatPorts(ranges).split(",").map(parsePorts), ranges);
  }));
  assertEquals(formatPorts([parsePorts("443"), parsePorts("8000-8999")]), "443,8000-8999");
  assertEquals(formatPorts([parsePorts("*")]), "*");
});

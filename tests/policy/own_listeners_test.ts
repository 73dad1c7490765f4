import { assertEquals } from "@std/assert";
import { OwnListeners } from "../../src/policy/own_listeners.ts";

interface Case {
  listen: string;
  /** Target addresses that lead back to the listener, and some that do not; the port is the listener's. */
  own: string[];
  others: string[];
}

/** The client came in on this address of this machine. */
const LOCAL = "192.0.2.10";
const PORT = 8888;

const CASES: Case[] = [
  {
    listen: "127.0.0.1",
    // a connection to "no address" reaches this machine
    own: ["127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "::", "::ffff:0.0.0.0"],
    others: ["127.0.0.2", "::1", LOCAL, "192.0.2.11", "8.8.8.8", "2001:db8::1"],
  },
  {
    listen: "::1",
    own: ["::1", "0:0:0:0:0:0:0:1", "::"],
    others: ["127.0.0.1", "::2", LOCAL, "fe80::1"],
  },
  {
    listen: "0.0.0.0",
    own: ["127.0.0.1", "127.1.2.3", "0.0.0.0", "::ffff:127.0.0.1", LOCAL, `::ffff:${LOCAL}`],
    others: ["192.0.2.11", "8.8.8.8", "::ffff:192.0.2.11"],
  },
  {
    listen: "::ffff:0.0.0.0",
    own: ["127.0.0.1", "127.1.2.3", "0.0.0.0", LOCAL],
    others: ["192.0.2.11", "8.8.8.8"],
  },
  {
    listen: "::",
    own: ["::1", "::", "127.0.0.1", "127.255.255.254", "0.0.0.0", LOCAL, `::ffff:${LOCAL}`],
    others: ["192.0.2.11", "2001:db8::1", "::2"],
  },
  {
    listen: LOCAL,
    own: [LOCAL, `::ffff:${LOCAL}`, "0.0.0.0"],
    others: ["127.0.0.1", "192.0.2.11", "::1"],
  },
  {
    listen: "2001:db8::10",
    own: ["2001:db8::10", "2001:0db8:0:0::10", "2001:DB8::10"],
    others: ["2001:db8::11", "127.0.0.1", "::1"],
  },
];

for (const { listen, own, others } of CASES) {
  Deno.test(`a listener on ${listen} is found by every address that leads to it, and by no other`, () => {
    const listeners = new OwnListeners();
    listeners.set([{ hostname: listen, port: PORT }]);
    for (const address of own) assertEquals(listeners.includes(address, PORT, LOCAL), true, address);
    for (const address of others) assertEquals(listeners.includes(address, PORT, LOCAL), false, address);
    for (const address of [...own, ...others]) {
      assertEquals(listeners.includes(address, PORT + 1, LOCAL), false, `${address} on another port`);
    }
  });
}

Deno.test("on all addresses the one that the client came in on counts, mapped or not", () => {
  const listeners = new OwnListeners();
  listeners.set([{ hostname: "::", port: PORT }]);
  assertEquals(listeners.includes("198.51.100.7", PORT, "::ffff:198.51.100.7"), true);
  assertEquals(listeners.includes("198.51.100.7", PORT, "198.51.100.8"), false);
  assertEquals(listeners.includes("2001:db8::7", PORT, "2001:db8::7"), true);
});

Deno.test("several listeners are looked at with their own ports, and the last set counts", () => {
  const listeners = new OwnListeners();
  assertEquals(listeners.includes("127.0.0.1", PORT, LOCAL), false, "there is none yet");
  listeners.set([{ hostname: "127.0.0.1", port: 1 }, { hostname: "::1", port: 2 }]);
  assertEquals(["127.0.0.1", "::1"].map((address) => listeners.includes(address, 1, LOCAL)), [true, false]);
  assertEquals(["127.0.0.1", "::1"].map((address) => listeners.includes(address, 2, LOCAL)), [false, true]);
  listeners.set([]);
  assertEquals(listeners.includes("127.0.0.1", 1, LOCAL), false);
});

Deno.test("what is no address is no listener of weir's, and does no harm", () => {
  const listeners = new OwnListeners();
  listeners.set([{ hostname: "127.0.0.1", port: PORT }, { hostname: "/run/weir", port: PORT }]);
  for (const address of ["", "localhost", "127.1", "0x7f.0.0.1", "fe80::1%eth0", "[::1]"]) {
    assertEquals(listeners.includes(address, PORT, LOCAL), false, address);
  }
  assertEquals(listeners.includes("127.0.0.1", PORT, "not an address"), true);
});

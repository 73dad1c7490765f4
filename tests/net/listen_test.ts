import { createConnection, Socket } from "node:net";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { acceptLoop, listen, ListenError, parseListenAddress } from "../../src/net/listen.ts";
import { HAS_IPV6 } from "./ipv6.ts";

Deno.test("an address to listen on is read as people write it", () => {
  const all = Deno.build.os === "windows" ? "0.0.0.0" : "::";
  const addresses: [string, string, number][] = [
    ["8888", "127.0.0.1", 8888],
    ["0", "127.0.0.1", 0],
    [":8888", all, 8888],
    ["127.0.0.1:8888", "127.0.0.1", 8888],
    ["0.0.0.0:65535", "0.0.0.0", 65535],
    ["[::1]:8888", "::1", 8888],
    ["[::]:8888", "::", 8888],
    ["[2001:DB8::1]:1", "2001:db8::1", 1],
    ["localhost:8888", "localhost", 8888],
    ["Proxy_1.example.com:3128", "proxy_1.example.com", 3128],
  ];
  for (const [text, hostname, port] of addresses) {
    assertEquals(parseListenAddress(text), { hostname, port }, text);
  }
});

Deno.test("what is no address to listen on is refused with what to write", () => {
  for (
    const text of [
      "",
      ":",
      "127.0.0.1",
      "localhost",
      "127.0.0.1:",
      "::1",
      "::1:8888",
      "[::1]",
      "[::1]8888",
      "[localhost]:8888",
      "http://127.0.0.1:8888",
      "127.0.0.1:8888/",
      "127.0.0.1:+1",
      "127.0.0.1:-1",
      " 8888",
      "8888 ",
      "8 888",
      "8888,8889",
      "*:8888",
      "a b:8888",
      "99999999",
    ]
  ) {
    assertThrows(
      () => parseListenAddress(text),
      Error,
      "write 8888, :8888, 127.0.0.1:8888 or [::1]:8888",
      text,
    );
  }
  assertThrows(() => parseListenAddress("127.0.0.1:65536"), Error, "above 65535");
});

function portOf(listener: Deno.TcpListener): number {
  return (listener.addr as Deno.NetAddr).port;
}

Deno.test("a busy port is told plainly, with another to pick", () => {
  const first = listen({ hostname: "127.0.0.1", port: 0 });
  const port = portOf(first);
  const error = assertThrows(() => listen({ hostname: "127.0.0.1", port }), ListenError);
  const other = port < 65535 ? port + 1 : port - 1;
  assertEquals(
    error.message,
    `127.0.0.1:${port} is taken by another program: stop that one, or pick another port with --listen 127.0.0.1:${other}`,
  );
  first.close();
});

Deno.test("an address of another machine is told plainly", () => {
  // 192.0.2.0/24 is for documents alone (RFC 5737).
  assertThrows(
    () => listen({ hostname: "192.0.2.1", port: 0 }),
    ListenError,
    "192.0.2.1 is no address of this machine",
  );
});

Deno.test("a privileged port is told plainly, and so is every other trouble", () => {
  const failing = (error: Error) => () => {
    throw error;
  };
  const denied = failing(new Deno.errors.PermissionDenied("os error 13"));
  assertThrows(
    () => listen({ hostname: "::1", port: 80 }, denied),
    ListenError,
    "such as --listen [::1]:8888",
  );
  assertThrows(() => listen({ hostname: "::", port: 80 }, denied), ListenError, "Port 80 needs rights");
  assertThrows(
    () => listen({ hostname: "::1", port: 8888 }, denied),
    ListenError,
    "does not let this user listen",
  );
  const odd = failing(new TypeError("odd"));
  assertThrows(
    () => listen({ hostname: "::", port: 8888 }, odd),
    ListenError,
    "Cannot listen on 0.0.0.0:8888: odd",
  );
});

Deno.test("all addresses do not shrink to IPv4 when the port is taken", () => {
  let tried = 0;
  const busy = () => {
    tried++;
    throw new Deno.errors.AddrInUse("os error 98");
  };
  assertThrows(() => listen({ hostname: "::", port: 8888 }, busy), ListenError, "[::]:8888 is taken");
  assertEquals(tried, 1);
});

Deno.test("without IPv6, all addresses are all IPv4 addresses", () => {
  const tried: (string | undefined)[] = [];
  const listener = {} as Deno.TcpListener;
  const bound = listen({ hostname: "::", port: 8888 }, ({ hostname }) => {
    tried.push(hostname);
    if (hostname === "::") throw Object.assign(new Error("os error 97"), { code: "EAFNOSUPPORT" });
    return listener;
  });
  assertEquals(bound, listener);
  assertEquals(tried, ["::", "0.0.0.0"]);
});

Deno.test("all addresses take IPv4 and IPv6 connections", async () => {
  const listener = listen(parseListenAddress(":0"));
  for (const hostname of listener.addr.hostname === "::" && HAS_IPV6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
    const conn = await Deno.connect({ hostname, port: portOf(listener) });
    (await listener.accept()).close();
    conn.close();
  }
  listener.close();
});

const nobody = {
  onTrouble(error: Error) {
    throw error;
  },
};

Deno.test("accepting takes every connection and ends when the listener is closed", async () => {
  const listener = listen({ hostname: "127.0.0.1", port: 0 });
  const clients = await Promise.all(
    Array.from({ length: 300 }, () => Deno.connect({ hostname: "127.0.0.1", port: portOf(listener) })),
  );
  const ports = new Set<number>();
  const all = Promise.withResolvers<void>();
  const loop = acceptLoop(listener, (conn) => {
    ports.add((conn.remoteAddr as Deno.NetAddr).port);
    conn.close();
    if (ports.size === clients.length) all.resolve();
  }, nobody);
  await all.promise;
  assertEquals(ports, new Set(clients.map((client) => (client.localAddr as Deno.NetAddr).port)));
  for (const client of clients) client.close();
  listener.close();
  await loop;
});

/** A listener that does, accept by accept, what the script says; then it is closed. */
function scripted(...script: (Deno.TcpConn | Error)[]): Pick<Deno.TcpListener, "accept"> {
  return {
    accept() {
      const next = script.shift() ?? new Deno.errors.BadResource("closed");
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
  };
}

const conn = {} as Deno.TcpConn;
const noDescriptor = () => Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });

Deno.test("out of descriptors, accepting waits longer each time, up to 500 ms, and goes on", async () => {
  const waits: number[] = [];
  const troubles: string[] = [];
  let taken = 0;
  const failures = Array.from({ length: 8 }, noDescriptor);
  await acceptLoop(scripted(conn, ...failures, conn, noDescriptor(), conn), () => taken++, {
    onTrouble: (error) => troubles.push((error as Error & { code: string }).code),
    pause: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
  });
  assertEquals(waits, [10, 20, 40, 80, 160, 320, 500, 500, 10]);
  assertEquals(troubles, Array(9).fill("EMFILE"));
  assertEquals(taken, 3);
});

Deno.test("a client that has gone before it was taken is no trouble", async () => {
  let taken = 0;
  const gone = [
    new Deno.errors.ConnectionAborted("os error 103"),
    new Deno.errors.NotConnected("os error 107"),
  ];
  await acceptLoop(scripted(...gone, conn, ...gone, conn), () => taken++, {
    ...nobody,
    pause: () => Promise.reject(new Error("others wait for it")),
  });
  assertEquals(taken, 2);
});

Deno.test({
  name: "clients that have reset before they are taken hold up nobody",
  // Deno 2.6 cannot reset a connection
  ignore: !("resetAndDestroy" in Socket.prototype),
  async fn() {
    const listener = listen({ hostname: "127.0.0.1", port: 0 });
    for (let i = 0; i < 20; i++) {
      const gone = Promise.withResolvers<void>();
      const socket = createConnection({ host: "127.0.0.1", port: portOf(listener) });
      socket.on("close", () => gone.resolve());
      socket.on("connect", () => socket.resetAndDestroy());
      await gone.promise;
    }
    const client = await Deno.connect({ hostname: "127.0.0.1", port: portOf(listener) });
    const { port } = client.localAddr as Deno.NetAddr;
    await acceptLoop(listener, (conn) => {
      const last = (conn.remoteAddr as Deno.NetAddr).port === port;
      conn.close();
      if (last) listener.close();
    }, { ...nobody, pause: () => Promise.reject(new Error("others wait for it")) });
    client.close();
  },
});

Deno.test("one connection's failure does not end accepting", async () => {
  const troubles: string[] = [];
  let taken = 0;
  await acceptLoop(scripted(conn, conn), () => {
    if (++taken === 1) throw new Error("odd");
  }, { onTrouble: (error) => troubles.push(error.message) });
  assertEquals(taken, 2);
  assertEquals(troubles, ["odd"]);
});

Deno.test("the gate holds connections off until it opens", async () => {
  const listener = listen({ hostname: "127.0.0.1", port: 0 });
  const open = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let taken = 0;
  const loop = acceptLoop(listener, (conn) => {
    conn.close();
    if (++taken === 2) second.resolve();
  }, {
    ...nobody,
    gate() {
      if (taken !== 1) return undefined;
      asked.resolve();
      return open.promise;
    },
  });
  const clients = [];
  for (let i = 0; i < 2; i++) {
    clients.push(await Deno.connect({ hostname: "127.0.0.1", port: portOf(listener) }));
  }
  await asked.promise;
  // The second client is connected, to the system's queue alone.
  assertEquals(taken, 1);
  open.resolve();
  await second.promise;
  assert(taken === 2);
  for (const client of clients) client.close();
  listener.close();
  await loop;
});

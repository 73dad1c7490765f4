/** What a client begins a tunnel with, compared with what the tunnel was opened for, seen from outside. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { TlsCheck } from "../../src/policy/spec.ts";
import type { Decider, Verdict } from "../../src/policy/verdict.ts";
import type { Exchange } from "../../src/proxy/exchange.ts";
import { bytes, text } from "../http/reading.ts";
import { AUTHORITY, KEY, VALID } from "../net/tls_certificates.ts";
import {
  ECH,
  extension,
  hello,
  helloMessage,
  record,
  records,
  RETRY,
  serverHello,
  USUAL,
} from "../policy/hellos.ts";
import { HELLO_DISGUISES } from "../policy/hello_disguises.ts";
import { proxied, type Setting, type SettingOptions } from "./harness.ts";
import { type Peer, turn } from "./peer.ts";
import { policy } from "./policies.ts";

const ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n";
/** A fatal alert `access_denied` (RFC 8446 §6.2). */
const ALERT = "\x15\x03\x03\0\x02\x02\x31";

/** A policy that allows everything and looks at tunnels in this way. */
function looking(tls: TlsCheck, changes: Partial<Verdict> = {}): Decider {
  const verdict: Verdict = {
    decision: "allow",
    rule: "rule 1",
    reason: "",
    note: "",
    enforced: true,
    tls,
    rates: null,
    ...changes,
  };
  // only a policy that reports lets go on what it checks and does not enforce
  const reportsOnly = changes.enforced === false;
  return {
    looksAtPaths: false,
    reportsOnly,
    mayComplete: () => true,
    receive: () => null,
    passwordNeed: () => "never",
    decide: () => verdict,
  };
}

/** All names lead to the origin of the test. */
const RESOLVER = { lookup: () => Promise.resolve(["127.0.0.1"]) };

function options(policy: Decider, settings: SettingOptions["settings"] = {}): SettingOptions {
  return { settings: { ...settings, policy }, resolver: RESOLVER };
}

/** A test with a policy that looks at tunnels in this way. */
function checked(
  name: string,
  tls: TlsCheck,
  run: (setting: Setting) => Promise<void>,
  settings: SettingOptions["settings"] = {},
): void {
  proxied(`${tls}: ${name}`, options(looking(tls), settings), run);
}

interface Tunnel {
  client: Peer;
  upstream: Peer;
}

/** A tunnel to the origin under a name, and its two ends. */
async function open(setting: Setting, { host = "a.example", early = "" } = {}): Promise<Tunnel> {
  const { connect, origin } = setting;
  const client = await connect();
  await client.send(`CONNECT ${host}:${origin.port} HTTP/1.1\r\nHost: a\r\n\r\n${early}`);
  const upstream = await origin.accept();
  assertEquals(await client.head(), ESTABLISHED);
  return { client, upstream };
}

/** Both ends have been closed, the client with `told`, and not one of its bytes has reached the origin. */
async function assertRefused(
  { exchanges }: Setting,
  { client, upstream }: Tunnel,
  told: string,
  reason: string,
): Promise<Exchange> {
  assertEquals(await upstream.restAndEnding(), ["", "end"]);
  assertEquals(await client.restAndEnding(), [told, "end"]);
  client.close();
  const exchange = await exchanges.next();
  assertEquals(
    [exchange.kind, exchange.status, exchange.verdict, exchange.rule, exchange.enforced, exchange.truncated],
    ["tunnel", 200, "deny", "tls", true, true],
  );
  assertEquals([exchange.reason, exchange.details, exchange.error], [reason, reason, "http_request_denied"]);
  assertEquals([exchange.requestBodyBytes, exchange.upstreamSentBytes], [0, 0]);
  return exchange;
}

/** What the client sends reaches the origin as it is, and the tunnel goes on both ways. */
async function assertPasses(
  { exchanges }: Setting,
  { client, upstream }: Tunnel,
  sent: string,
): Promise<Exchange> {
  assertEquals(await upstream.exactly(sent.length), sent);
  await upstream.send("answer");
  assertEquals(await client.exactly(6), "answer");
  await client.send("more");
  assertEquals(await upstream.exactly(4), "more");
  client.close();
  assertEquals(await upstream.rest(), "");
  upstream.close();
  const exchange = await exchanges.next();
  assertEquals([exchange.verdict, exchange.rule, exchange.error], ["allow", "rule 1", ""]);
  assertEquals(exchange.requestBodyBytes, sent.length + 4);
  return exchange;
}

// what passes

for (const tls of ["match", "require"] as const) {
  checked("a ClientHello for the tunnel's host goes on unchanged", tls, async (setting) => {
    const tunnel = await open(setting);
    await tunnel.client.send(hello("a.example", ECH + USUAL));
    const exchange = await assertPasses(setting, tunnel, hello("a.example", ECH + USUAL));
    assertEquals(exchange.serverName, "a.example");
  });

  checked("a ClientHello may come in one packet with the CONNECT, whole or in part", tls, async (setting) => {
    const sent = `${hello("a.example")}\x17\x03\x03\0\x13and what follows it`;
    for (const length of [1, 5, 50, sent.length]) {
      const tunnel = await open(setting, { early: sent.slice(0, length) });
      await tunnel.client.send(sent.slice(length));
      await assertPasses(setting, tunnel, sent);
    }
  });

  checked("a ClientHello without a name may pass to an address", tls, async (setting) => {
    const tunnel = await open(setting, { host: "127.0.0.1" });
    await tunnel.client.send(hello(null));
    assertEquals((await assertPasses(setting, tunnel, hello(null))).serverName, "");
  });

  checked(
    "a ClientHello in many records, and with much behind it, goes on unchanged",
    tls,
    async (setting) => {
      const whole = helloMessage("A.Example.", USUAL + extension(21, "\0".repeat(20_000)));
      for (const size of [1, 100, 16_384]) {
        const sent = records(size === 1 ? helloMessage("a.example", "") : whole, size) +
          "\x17\x03\x03\0\x01\x16".repeat(5_000);
        const tunnel = await open(setting);
        await tunnel.client.send(sent);
        assertEquals((await assertPasses(setting, tunnel, sent)).serverName, "a.example");
      }
    },
  );
}

checked("a ClientHello may be split anywhere", "match", async (setting) => {
  const sent = hello("a.example", "");
  for (let cut = 1; cut < sent.length; cut++) {
    const tunnel = await open(setting);
    await tunnel.client.sendInPieces([sent.slice(0, cut), sent.slice(cut)]);
    await assertPasses(setting, tunnel, sent);
  }
  const tunnel = await open(setting);
  await tunnel.client.sendInPieces(sent);
  await assertPasses(setting, tunnel, sent);
});

checked("what is not TLS may pass", "match", async (setting) => {
  for (const sent of ["SSH-2.0-x\r\n", "\x13\x03\x01", "\x19\x03\x01", "\x7f\x2e\x01\x03\x01", "G"]) {
    const tunnel = await open(setting);
    await tunnel.client.send(sent);
    assertEquals((await assertPasses(setting, tunnel, sent)).serverName, "");
  }
});

checked("a ClientHello without a name may pass", "match", async (setting) => {
  const tunnel = await open(setting);
  await tunnel.client.send(hello(null));
  await assertPasses(setting, tunnel, hello(null));
});

checked("nothing is looked at", "any", async (setting) => {
  for (const sent of [hello("b.example"), hello(""), "\x16", "GET /"]) {
    const tunnel = await open(setting);
    await tunnel.client.send(sent);
    assertEquals((await assertPasses(setting, tunnel, sent)).serverName, "");
  }
});

// a second ClientHello

/** What clients may send between two: for old boxes on the way, and early data (RFC 8446 §4.2.10, §D.4). */
const BETWEEN = [
  "",
  "\x14\x03\x03\0\x01\x01",
  `\x17\x03\x03\0\x20${"\x16".repeat(32)}\x14\x03\x03\0\x01\x01`,
];

for (const tls of ["match", "require"] as const) {
  for (const between of BETWEEN) {
    checked(
      `a second ClientHello for the same host goes on, behind ${between.length} bytes`,
      tls,
      async (setting) => {
        const { exchanges } = setting;
        const { client, upstream } = await open(setting);
        const second = hello("a.example", USUAL + extension(44, "cookie"));
        await client.send(hello("a.example"));
        assertEquals(await upstream.exactly(hello("a.example").length), hello("a.example"));
        await upstream.send(serverHello(RETRY));
        assertEquals(await client.exactly(serverHello(RETRY).length), serverHello(RETRY));
        await client.sendInPieces([between, second.slice(0, 7), second.slice(7), "\x16 and all the rest"]);
        const rest = `${between}${second}\x16 and all the rest`;
        assertEquals(await upstream.exactly(rest.length), rest);
        client.close();
        upstream.close();
        assertEquals((await exchanges.next()).verdict, "allow");
      },
    );

    checked(
      `a second ClientHello for another host goes no further, behind ${between.length} bytes`,
      tls,
      async (setting) => {
        const { exchanges } = setting;
        // in time, or ahead of it: the client may know what the server is going to say
        for (const early of [false, true]) {
          const { client, upstream } = await open(setting);
          const [first, second] = [hello("a.example"), between + records(helloMessage("b.example"), 700)];
          await client.send(first + (early ? second : ""));
          const passed = first + (early ? between : "");
          assertEquals(await upstream.exactly(passed.length), passed);
          await upstream.send(serverHello(RETRY));
          assertEquals(await client.exactly(serverHello(RETRY).length), serverHello(RETRY));
          if (!early) await client.send(second);
          assertEquals(await upstream.rest(), early ? "" : between);
          assertEquals(await client.rest(), ALERT);
          client.close();
          const exchange = await exchanges.next();
          assertEquals([exchange.verdict, exchange.rule, exchange.serverName], ["deny", "tls", "b.example"]);
          assertEquals(exchange.reason, "the TLS ClientHello in the tunnel to a.example is for b.example");
        }
      },
    );
  }

  checked("what a server does not ask for again is not looked at", tls, async (setting) => {
    const { exchanges } = setting;
    const { client, upstream } = await open(setting);
    const answer = serverHello("r".repeat(32));
    await client.send(hello("a.example"));
    assertEquals(await upstream.exactly(hello("a.example").length), hello("a.example"));
    await upstream.send(answer);
    assertEquals(await client.exactly(answer.length), answer);
    // a key exchange of TLS 1.2, and what may look like a ClientHello once it is encrypted
    await client.send(record("\x10\0\0\0") + record(helloMessage("b.example")));
    const rest = record("\x10\0\0\0") + record(helloMessage("b.example"));
    assertEquals(await upstream.exactly(rest.length), rest);
    client.close();
    upstream.close();
    assertEquals((await exchanges.next()).verdict, "allow");
  });

  checked(
    "a client that ends behind a ClientHello that nobody asked for is refused",
    tls,
    async (setting) => {
      const { exchanges } = setting;
      const { client, upstream } = await open(setting);
      await client.send(hello("a.example") + hello("b.example"));
      assertEquals(await upstream.exactly(hello("a.example").length), hello("a.example"));
      await client.closeWrite();
      assertEquals(await upstream.rest(), "");
      assertEquals(await client.rest(), ALERT);
      client.close();
      const exchange = await exchanges.next();
      assertEquals([exchange.verdict, exchange.rule], ["deny", "tls"]);
      assertStringIncludes(exchange.reason, "before the server has answered");
    },
  );
}

// what is refused

for (const tls of ["match", "require"] as const) {
  checked("a ClientHello for another host is refused with an alert", tls, async (setting) => {
    for (const host of ["a.example", "127.0.0.1"]) {
      const tunnel = await open(setting, { host });
      await tunnel.client.send(hello("b.example"));
      const reason = `the TLS ClientHello in the tunnel to ${host} is for b.example`;
      const exchange = await assertRefused(setting, tunnel, ALERT, reason);
      assertEquals([exchange.serverName, exchange.host], ["b.example", host]);
      assertEquals(exchange.responseBodyBytes, ALERT.length);
    }
  });

  checked(
    "a name in the last byte of many pieces is still seen before anything goes on",
    tls,
    async (setting) => {
      const tunnel = await open(setting);
      await tunnel.client.sendInPieces(records(helloMessage("b.example", ""), 3));
      await assertRefused(
        setting,
        tunnel,
        ALERT,
        "the TLS ClientHello in the tunnel to a.example is for b.example",
      );
    },
  );

  checked(
    "a ClientHello for another host in one packet with the CONNECT is refused",
    tls,
    async (setting) => {
      const tunnel = await open(setting, { early: hello("b.example") + "x".repeat(20_000) });
      await assertRefused(
        setting,
        tunnel,
        ALERT,
        "the TLS ClientHello in the tunnel to a.example is for b.example",
      );
    },
  );

  checked("a client that goes on sending can still read why it was refused", tls, async (setting) => {
    const tunnel = await open(setting);
    await tunnel.client.send(hello("b.example") + "x".repeat(500_000));
    await assertRefused(
      setting,
      tunnel,
      ALERT,
      "the TLS ClientHello in the tunnel to a.example is for b.example",
    );
  });

  checked("an invalid ClientHello is refused, as soon as that can be seen", tls, async (setting) => {
    const begun = "the TLS ClientHello in the tunnel to a.example is invalid: ";
    for (
      const [sent, fault] of [
        [hello("a..example"), 'its server name "a..example" is not the name of a host'],
        ["\x16\x03\x01\x40\x01", "one of its records has more than 16384 bytes"],
        ["\x16\x03\x01\x02\0\x02", "it is another message"],
        ["\x16\x03\x01\x02\0\x01\x01\0\0", "it has more than 65536 bytes"],
      ]
    ) {
      const tunnel = await open(setting);
      await tunnel.client.send(sent);
      await assertRefused(setting, tunnel, ALERT, begun + fault);
    }
  });

  checked("a ClientHello of many tiny records is refused where they get too many", tls, async (setting) => {
    const tunnel = await open(setting);
    const sent = records(helloMessage("a.example", extension(21, "\0".repeat(60_000))), 1);
    const sending = tunnel.client.send(sent).catch(() => {});
    await assertRefused(
      setting,
      tunnel,
      ALERT,
      "the TLS ClientHello in the tunnel to a.example is invalid: it has more than 65536 bytes",
    );
    await sending;
  });

  checked("a client that ends within its ClientHello is refused", tls, async (setting) => {
    const sent = hello("a.example");
    for (const length of [1, 6, sent.length - 1]) {
      const tunnel = await open(setting);
      await tunnel.client.send(sent.slice(0, length));
      await tunnel.client.closeWrite();
      await assertRefused(
        setting,
        tunnel,
        ALERT,
        "the TLS ClientHello in the tunnel to a.example is not whole",
      );
    }
  });

  checked("a ClientHello that does not come to its end in time is refused", tls, async (setting) => {
    const tunnel = await open(setting);
    const sent = hello("a.example");
    let over = false;
    const sending = (async () => {
      // at least one byte stays behind, however long it takes
      for (let at = 0; !over; at = Math.min(at + 1, sent.length - 2)) {
        await tunnel.client.send(at < sent.length - 2 ? sent[at] : "");
        await tunnel.upstream.send("x");
        for (let i = 0; i < 10 && !over; i++) await turn();
      }
    })().catch(() => {});
    assertEquals(await tunnel.upstream.rest(), "");
    over = true;
    await sending;
    assertStringIncludes(await tunnel.client.rest(), ALERT);
    const { reason, verdict, requestBodyBytes } = await setting.exchanges.next();
    assertEquals(
      [reason, verdict, requestBodyBytes],
      ["the TLS ClientHello in the tunnel to a.example is not whole", "deny", 0],
    );
  }, { headTimeout: 100 });
}

checked("what is not TLS is refused, without a word of TLS", "require", async (setting) => {
  const tunnel = await open(setting);
  await tunnel.client.send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  await assertRefused(setting, tunnel, "", "what the client sends into the tunnel to a.example is not TLS");
});

checked("a ClientHello without a name is refused where the tunnel has one", "require", async (setting) => {
  const tunnel = await open(setting);
  await tunnel.client.send(hello(null));
  await assertRefused(setting, tunnel, ALERT, "the TLS ClientHello in the tunnel to a.example names no host");
});

checked("a client that says nothing is refused after its time", "require", async (setting) => {
  const tunnel = await open(setting);
  await tunnel.upstream.send("220 hello\r\n");
  const reason = "no TLS ClientHello came into the tunnel to a.example";
  await assertRefused(setting, tunnel, "220 hello\r\n", reason);
}, { headTimeout: 100 });

checked("a client that ends before it has said anything is not blamed for it", "require", async (setting) => {
  const { client, upstream } = await open(setting);
  await client.closeWrite();
  assertEquals(await upstream.restAndEnding(), ["", "end"]);
  assertEquals(await client.restAndEnding(), ["", "end"]);
  const { verdict, truncated, details } = await setting.exchanges.next();
  assertEquals(
    [verdict, truncated, details],
    ["allow", true, "the client ended the tunnel before its first byte"],
  );
});

// waiting

checked("a server that speaks first is heard at once", "match", async (setting) => {
  const tunnel = await open(setting);
  await tunnel.upstream.send("220 hello\r\n");
  assertEquals(await tunnel.client.exactly(11), "220 hello\r\n");
  await tunnel.client.send("EHLO x\r\n");
  await assertPasses(setting, tunnel, "EHLO x\r\n");
});

checked("a server that speaks while the ClientHello comes is heard at once", "require", async (setting) => {
  const tunnel = await open(setting);
  const sent = hello("a.example");
  await tunnel.upstream.send("one");
  assertEquals(await tunnel.client.exactly(3), "one");
  await tunnel.client.send(sent.slice(0, 50));
  await tunnel.upstream.send("two");
  assertEquals(await tunnel.client.exactly(3), "two");
  await tunnel.client.send(sent.slice(50));
  await assertPasses(setting, tunnel, sent);
});

checked(
  "a client that waits for the server to speak has the time of any tunnel",
  "match",
  async (setting) => {
    const { client, upstream } = await open(setting);
    assertEquals(await upstream.restAndEnding(), ["", "end"]);
    client.close();
    const { verdict, details } = await setting.exchanges.next();
    assertEquals([verdict, details], ["allow", "nothing came through for too long"]);
  },
  { headTimeout: 100, tunnelTimeout: 1500 },
);

checked("a client that ends before it has said anything still hears the server", "match", async (setting) => {
  const { client, upstream } = await open(setting);
  await client.closeWrite();
  assertEquals(await upstream.rest(), "");
  await upstream.send("all there is");
  upstream.close();
  assertEquals(await client.rest(), "all there is");
  assertEquals((await setting.exchanges.next()).verdict, "allow");
});

checked("a server that ends its side first still gets what the client sends", "match", async (setting) => {
  const { client, upstream } = await open(setting);
  await upstream.closeWrite();
  assertEquals(await client.rest(), "");
  await client.send(hello("a.example"));
  await client.closeWrite();
  assertEquals(await upstream.rest(), hello("a.example"));
  assertEquals((await setting.exchanges.next()).truncated, false);
});

checked("a server that goes away while the ClientHello comes ends the tunnel", "match", async (setting) => {
  const { client, upstream } = await open(setting);
  await client.send(hello("a.example").slice(0, 50));
  await upstream.send("x");
  assertEquals(await client.exactly(1), "x");
  upstream.close();
  assertEquals(await client.rest(), "");
  await client.send(hello("a.example").slice(50));
  client.close();
  assertEquals((await setting.exchanges.next()).verdict, "allow");
});

for (const tls of ["match", "require"] as const) {
  checked("a ClientHello that is dressed up as another protocol is seen through", tls, async (setting) => {
    const other = helloMessage("b.example");
    for (
      const [sent, reason] of [
        // servers take any minor version of a record
        [record(other, 0x0305), "is for b.example"],
        [record(other, 0x03ff), "is for b.example"],
        [record(other, 0x0200), "is invalid: the version of its record is none of TLS"],
        ["\x80\x2e\x01\x03\x01", "is invalid: it begins as one of SSL 2.0"],
        ...KINDS.map((kind): [string, string] => [
          `${kind}\x03\x01\0\0${record(other)}`,
          "is invalid: a record of another kind comes before it",
        ]),
      ]
    ) {
      const tunnel = await open(setting);
      await tunnel.client.send(sent);
      await assertRefused(
        setting,
        tunnel,
        ALERT,
        `the TLS ClientHello in the tunnel to a.example ${reason}`,
      );
    }
  });
}

/** Records that are no handshake. */
const KINDS = ["\x14", "\x15", "\x17", "\x18"];

checked("what no server takes for TLS goes on, whatever bit it begins with", "match", async (setting) => {
  const mongo = "\x9a\x01\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0";
  for (const cut of [0, 1, 2, 3]) {
    const { client, upstream } = await open(setting);
    await client.sendInPieces([mongo.slice(0, cut), mongo.slice(cut)].filter((piece) => piece !== ""));
    assertEquals(await upstream.exactly(mongo.length), mongo);
    client.close();
    upstream.close();
    assertEquals((await setting.exchanges.next()).verdict, "allow");
  }
  // where the server has spoken, not even the first byte waits
  const { client, upstream } = await open(setting);
  await upstream.send("login: ");
  assertEquals(await client.exactly(7), "login: ");
  await client.send("\xc3");
  assertEquals(await upstream.exactly(1), "\xc3");
  client.close();
  upstream.close();
  assertEquals((await setting.exchanges.next()).verdict, "allow");
});

checked("no disguise of a ClientHello gets through, however it is split", "match", async (setting) => {
  const { exchanges } = setting;
  for (const { before, name } of HELLO_DISGUISES) {
    const sent = before + hello("b.example");
    const early = Math.min(before.length, 9);
    for (const cut of new Set([1, 2, early, before.length, sent.length])) {
      const { client, upstream } = await open(setting);
      await client.sendInPieces([sent.slice(0, cut), sent.slice(cut)].filter((piece) => piece !== ""));
      assertEquals(await upstream.rest(), "", `${name}, cut at ${cut}`);
      assertEquals(await client.rest(), ALERT, `${name}, cut at ${cut}`);
      client.close();
      const { verdict, rule } = await exchanges.next();
      assertEquals([verdict, rule], ["deny", "tls"], name);
    }
  }
});

checked(
  "what may be a ClientHello or not may pass to a server that speaks first",
  "match",
  async (setting) => {
    const { exchanges } = setting;
    // packets of MySQL, of which the first byte is a length
    for (const sent of ["\x85\xa6\xff\x01", "\x16\0\0\x01\x85"]) {
      const { client, upstream } = await open(setting);
      await upstream.send("greeting");
      assertEquals(await client.exactly(8), "greeting");
      await client.send(sent);
      assertEquals(await upstream.exactly(sent.length), sent);
      client.close();
      upstream.close();
      assertEquals((await exchanges.next()).verdict, "allow");
    }
  },
);

for (const tls of ["match", "require"] as const) {
  checked("what follows a ClientHello and is no record of TLS hides no second one", tls, async (setting) => {
    const { exchanges } = setting;
    const cipher = "\x14\x03\x03\0\x01\x01";
    for (
      const bad of ["\x17\x03\x03\0\0", "\x18\x03\x03\0\x01\x01", "\x80\x2e\x01", "GET / HTTP/1.1\r\n\r\n"]
    ) {
      const { client, upstream } = await open(setting);
      await client.send(hello("a.example") + cipher);
      await upstream.exactly(hello("a.example").length + cipher.length);
      await upstream.send(`\x15\x03\x03\0\x02\x01\x70${serverHello(RETRY)}`);
      await client.exactly(7 + serverHello(RETRY).length);
      await client.send(bad + hello("b.example"));
      // at most the beginning of a record's header goes on
      assert((await upstream.rest()).length < 5, JSON.stringify(bad));
      assertEquals(await client.rest(), ALERT);
      client.close();
      assertEquals((await exchanges.next()).rule, "tls");
    }
  });
}

// what is only reported

for (const tls of ["match", "require"] as const) {
  proxied(`${tls}: what would be refused is recorded and goes on when it is only reported`, {
    ...options(looking(tls, { enforced: false })),
  }, async (setting) => {
    for (const sent of [hello("b.example"), hello("a..example")]) {
      const { client, upstream } = await open(setting);
      await client.send(sent);
      assertEquals(await upstream.exactly(sent.length), sent);
      await upstream.send("answer");
      assertEquals(await client.exactly(6), "answer");
      client.close();
      upstream.close();
      const { verdict, rule, enforced, error, reason } = await setting.exchanges.next();
      assertEquals([verdict, rule, enforced, error], ["deny", "tls", false, ""]);
      assertStringIncludes(reason, "the TLS ClientHello in the tunnel to a.example is");
    }
  });
}

proxied(
  "match: a ClientHello that is not whole in time is only reported, and nothing of it is lost",
  options(looking("match", { enforced: false }), { headTimeout: 100 }),
  async (setting) => {
    const { client, upstream } = await open(setting, { early: "\x16\x03" });
    assertEquals(await upstream.exactly(2), "\x16\x03", "when the time is over");
    await client.send("\x01");
    await client.send("rest");
    assertEquals(await upstream.exactly(5), "\x01rest");
    client.close();
    upstream.close();
    const { verdict, enforced } = await setting.exchanges.next();
    assertEquals([verdict, enforced], ["deny", false]);
  },
);

proxied("match: a tunnel that should not have been opened at all keeps that reason", {
  ...options(looking("match", { enforced: false, decision: "deny", rule: "rule 7", reason: "it says so" })),
}, async (setting) => {
  const { client, upstream } = await open(setting);
  await client.send(hello("b.example"));
  await upstream.exactly(hello("b.example").length);
  client.close();
  upstream.close();
  const { verdict, rule, reason, serverName } = await setting.exchanges.next();
  assertEquals([verdict, rule, reason, serverName], ["deny", "rule 7", "it says so", "b.example"]);
});

proxied("a rule on trial does not keep a tunnel from being looked at", {
  ...options(policy({
    tls: "match",
    rules: [
      { name: "on trial", action: "deny", mode: "report", hosts: "a.example" },
      { hosts: "a.example" },
    ],
  })),
}, async (setting) => {
  const tunnel = await open(setting);
  await tunnel.client.send(hello("b.example"));
  await assertRefused(
    setting,
    tunnel,
    ALERT,
    "the TLS ClientHello in the tunnel to a.example is for b.example",
  );
  const allowed = await open(setting);
  await allowed.client.send(hello("a.example"));
  await allowed.upstream.exactly(hello("a.example").length);
  allowed.client.close();
  allowed.upstream.close();
  const { verdict, rule, enforced } = await setting.exchanges.next();
  assertEquals([verdict, rule, enforced], ["deny", "on trial", false]);
});

// real clients

/** Deno's own TLS as a client in a tunnel to `host` that asks for `localhost`. */
async function tlsThrough(setting: Setting, host: string): Promise<Deno.TlsConn> {
  const { hostname, port } = setting.addresses[0];
  const conn = await Deno.connect({ hostname, port });
  await conn.write(bytes(`CONNECT ${host} HTTP/1.1\r\nHost: a\r\n\r\n`));
  const answer = new Uint8Array(ESTABLISHED.length);
  for (let at = 0; at < answer.length;) at += await conn.read(answer.subarray(at)) ?? assertFail();
  assertEquals(text(answer), ESTABLISHED);
  return await Deno.startTls(conn, { hostname: "localhost", caCerts: [AUTHORITY] });
}

function assertFail(): never {
  throw new Error("the proxy ended before its answer was whole");
}

checked("a real TLS connection comes about under its name and under no other", "require", async (setting) => {
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: VALID, key: KEY });
  const { port } = listener.addr as Deno.NetAddr;
  const accepting = listener.accept();
  const client = await tlsThrough(setting, `localhost:${port}`);
  const server = await accepting;
  await Promise.all([client.handshake(), server.handshake()]);
  await client.write(bytes("ping"));
  const buffer = new Uint8Array(4);
  assertEquals([await server.read(buffer), text(buffer)], [4, "ping"]);
  client.close();
  server.close();
  assertEquals((await setting.exchanges.next()).serverName, "localhost");

  const acceptingOther = listener.accept();
  const other = await tlsThrough(setting, `a.example:${port}`);
  const unused = await acceptingOther;
  const error = await assertRejects(() => other.handshake());
  assertStringIncludes(String(error), "AccessDenied");
  other.close();
  unused.close();
  const { verdict, reason, serverName } = await setting.exchanges.next();
  assertEquals(
    [verdict, serverName, reason],
    ["deny", "localhost", "the TLS ClientHello in the tunnel to a.example is for localhost"],
  );
});

checked("a real ClientHello goes on unchanged wherever it is split", "require", async (setting) => {
  // what Deno's own TLS says first, to somebody who never answers
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const [conn, server] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port }),
    listener.accept(),
  ]);
  const tls = await Deno.startTls(conn, { hostname: "a.example" });
  const handshake = tls.handshake().catch(() => {});
  let sent = "";
  const buffer = new Uint8Array(16_384);
  while (sent.length < 5 || sent.length < 5 + (sent.charCodeAt(3) << 8 | sent.charCodeAt(4))) {
    sent += text(buffer.subarray(0, await server.read(buffer) ?? assertFail()));
  }
  server.close();
  await handshake;
  tls.close();
  assert(sent.length > 150, `${sent.length} bytes`);
  for (let cut = 1; cut < sent.length; cut += 1 + (cut >> 4)) {
    const tunnel = await open(setting);
    await tunnel.client.sendInPieces([sent.slice(0, cut), sent.slice(cut)]);
    assertEquals((await assertPasses(setting, tunnel, sent)).serverName, "a.example");
  }
});

/** Whatever becomes of an exchange, it is counted once while it is under way, and not after. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { NO_LIMITS, Rates } from "../../src/policy/rates.ts";
import { hello } from "../policy/hellos.ts";
import { proxied, type Setting, type SettingOptions, SETTINGS } from "./harness.ts";
import { KnownUsers } from "./known_users.ts";
import { CAN_RESET, turn } from "./peer.ts";
import { Names, policy } from "./policies.ts";
import { get, OK, request, roundTrip } from "./round_trip.ts";
import { eachWay, passes, WAYS } from "./ways.ts";
import { freePort } from "../net/ports.ts";

const ONE = { ...NO_LIMITS, exchanges: 1 };
const DENIED = { name: "denied", action: "deny", hosts: "::1" } as const;
/** How many exchanges each client and rule has under way, by what the rates are asked. */
function watched(
  name: string,
  options: SettingOptions,
  run: (setting: Setting, underWay: () => number) => Promise<void>,
): void {
  proxied(name, options, async (setting) => {
    const { begin, changeRule } = Rates.prototype;
    let count = 0;
    const seen = new Set<unknown>();
    const follow = <Args extends unknown[], Result>(method: (this: Rates, ...args: Args) => Result) =>
      function (this: Rates, ...args: Args): Result {
        const usage = method.apply(this, args);
        if (usage !== null && typeof usage === "object" && "end" in usage && !seen.has(usage)) {
          seen.add(usage);
          count++;
          const { end } = usage as { end(): void };
          let ended = false;
          (usage as { end(): void }).end = function () {
            if (!ended) count--;
            ended = true;
            end.call(this);
          };
        }
        return usage;
      };
    Rates.prototype.begin = follow(begin);
    Rates.prototype.changeRule = follow(changeRule);
    try {
      await run(setting, () => count);
    } finally {
      Rates.prototype.begin = begin;
      Rates.prototype.changeRule = changeRule;
    }
  });
}

const NAMES: Record<string, string[]> = {
  "a.example": ["127.0.0.1"],
  "denied.example": ["::1"],
  "zone.example": ["fe80::1%lo"],
};

/** Exchanges that fail, each in its way: what is sent, and the status of the answer. */
const FAILURES: Record<
  string,
  { send(setting: Setting, free: number): string; status: number; by?: string }
> = {
  "no such host": { send: ({ origin }) => get({ authority: `none.example:${origin.port}` }), status: 502 },
  "a refused connection": { send: (_, free) => get({ authority: `127.0.0.1:${free}` }), status: 502 },
  "a tunnel to where nobody listens": {
    send: (_, free) => WAYS["a tunnel"](`127.0.0.1:${free}`),
    status: 502,
  },
  "an address that is denied": {
    send: ({ origin }) => get({ authority: `denied.example:${origin.port}` }),
    status: 403,
  },
  "an address that is none": {
    send: ({ origin }) => get({ authority: `zone.example:${origin.port}` }),
    status: 502,
  },
  "a port that is denied": { send: () => get({ authority: "127.0.0.1:25" }), status: 403 },
  "weir itself": { send: ({ authority }) => get({ authority }), status: 502 },
  "a loop": { send: ({ origin }) => get(origin, "/", "Via: 1.1 weir-test"), status: 502 },
  "a body that is too large": {
    send: ({ origin }) => request(origin, "POST", "/", "Content-Length: 1000"),
    status: 413,
  },
  "a body that turns out too large": {
    send: ({ origin }) =>
      request(origin, "POST", "/", "Transfer-Encoding: chunked") + `200\r\n${"x".repeat(512)}\r\n`,
    status: 413,
  },
  "a body that is none": {
    send: ({ origin }) => request(origin, "POST", "/", "Transfer-Encoding: chunked") + "x\r\n",
    status: 400,
  },
  "a TLS origin that speaks none": {
    send: ({ origin }) => get(origin).replace("http:", "https:"),
    status: 502,
    by: "plain",
  },
  "a wrong head": { send: () => "GET / HTTP/1.1\r\n\r\n", status: 400 },
  "a wrong password": {
    send: ({ origin }) => get(origin, "/", `Proxy-Authorization: Basic ${btoa("alice:b")}`),
    status: 407,
  },
  "two passwords": {
    send: ({ origin }) => get(origin, "/", ...Array(2).fill(`Proxy-Authorization: Basic ${btoa("alice:a")}`)),
    status: 400,
  },
};

for (const kind of ["client", "rule"]) {
  watched(`an exchange that fails is not counted any more, ${kind}`, {
    settings: {
      maxBodySize: 500,
      users: new KnownUsers({ alice: "a" }),
      ...kind === "client" ? { clientRates: ONE, policy: policy({ rules: [DENIED, { hosts: "*" }] }) } : {
        policy: policy({
          rules: [DENIED, { name: "near", hosts: "127.0.0.0/8", rates: ONE }, { hosts: "*", rates: ONE }],
        }),
      },
    },
    resolver: new Names(NAMES).resolver,
  }, async (setting, underWay) => {
    const free = freePort();
    setting.origin.serve(async (connection) => {
      // whatever comes is answered with what is no TLS, once
      if (await connection.some() !== "") await connection.send("no such thing\r\n\r\n");
      connection.close();
    });
    let count = 0;
    for (const [what, { send, status }] of Object.entries(FAILURES)) {
      const client = await setting.connect();
      await client.send(send(setting, free));
      assertEquals((await client.message()).status, status, what);
      client.close();
      count++;
      await setting.exchanges.until(() => setting.exchanges.all.length === count);
      await turn();
      assertEquals(underWay(), 0, what);
    }
  });
}

watched("a client that goes while a name is looked up is not counted any more", {
  settings: { clientRates: ONE },
  resolver: { lookup: () => new Promise(() => {}), timeout: 20_000 },
  ignore: !CAN_RESET,
}, async ({ connect, exchanges, origin }, underWay) => {
  for (const way of ["a plain request", "a tunnel", "an upgrade"] as const) {
    const client = await connect({ resettable: true });
    await client.send(WAYS[way](`a.example:${origin.port}`));
    while (underWay() === 0) await turn();
    client.reset();
    await exchanges.next();
    assertEquals(underWay(), 0, way);
  }
});

watched("a ClientHello that is refused ends its exchange", {
  settings: { clientRates: ONE, policy: policy({ tls: "require", rules: [{ hosts: "a.example" }] }) },
  resolver: new Names(NAMES).resolver,
}, async ({ connect, exchanges, origin }, underWay) => {
  for (let i = 0; i < 2; i++) {
    const client = await connect();
    await client.send(WAYS["a tunnel"](`a.example:${origin.port}`));
    await origin.accept();
    assertEquals((await client.message({ method: "CONNECT" })).status, 200);
    await client.send(hello("b.example"));
    await client.rest();
    client.close();
    assertEquals((await exchanges.next()).rule, "tls");
    assertEquals(underWay(), 0);
  }
});

watched("a stop ends what is counted", {
  settings: { clientRates: { ...ONE, exchanges: 9 } },
}, async (setting, underWay) => {
  for (const way of ["a plain request", "a tunnel", "an upgrade"] as const) {
    const client = await setting.connect();
    await client.send(WAYS[way](setting.origin.authority));
    await setting.origin.accept();
  }
  while (underWay() < 3) await turn();
  await setting.proxy.stop();
  assertEquals(underWay(), 0);
});

eachWay("what counts is the rule of the address that answers, not of the first that is tried", {
  settings: {
    policy: policy({
      rules: [
        { name: "free", hosts: "::1" },
        { name: "metered", hosts: "127.0.0.1", rates: { ...NO_LIMITS, requests: 0.001, burst: 1 } },
      ],
    }),
  },
  resolver: new Names({ "a.example": ["::1", "127.0.0.1"] }).resolver,
}, async (setting, way) => {
  const authority = `a.example:${setting.origin.port}`;
  await passes(setting, way, authority);
  const client = await setting.connect();
  // one that is kept would be asked about as it is
  await client.send(WAYS[way](authority).replace("GET", "POST"));
  (await setting.origin.accept()).close();
  assertEquals((await client.message()).status, 429);
  const { rule, reason, originAddress } = await setting.exchanges.next();
  assertEquals([rule, originAddress], ["rates", "127.0.0.1"]);
  assertStringIncludes(reason, "under the rule metered");
});

eachWay("who is over the limit of a rule that waits for the address leaves nothing behind", {
  settings: {
    policy: policy({
      rules: [{ hosts: "127.0.0.0/8", rates: { ...NO_LIMITS, requests: 0.001, burst: 1 } }],
    }),
  },
  resolver: new Names(NAMES).resolver,
}, async (setting, way) => {
  const { origin, connect, proxy } = setting;
  const authority = `a.example:${origin.port}`;
  const { client, upstream } = await roundTrip(setting, get({ authority }));
  for (let i = 0; i < 3; i++) {
    const other = await connect();
    await other.send(WAYS[way](authority));
    assertEquals((await other.message()).status, 429);
    other.close();
  }
  // the kept connection is kept still, for who may
  proxy.update(SETTINGS);
  await client.send(get({ authority }));
  await upstream.message();
  await upstream.send(OK);
  assertEquals((await client.message()).status, 200);
  await origin.assertNoFurtherConnection();
});

/** Every condition of a rule and every setting of a policy, from outside and for all ways in. */

import { assertEquals } from "@std/assert";
import { HostListReader } from "../../src/policy/host_list_reader.ts";
import { parseNetworks } from "../../src/policy/network.ts";
import { parsePorts } from "../../src/policy/port_range.ts";
import { Policy } from "../../src/policy/policy.ts";
import { NO_LIMITS } from "../../src/policy/rates.ts";
import type { ProxySettings } from "../../src/proxy/settings.ts";
import { bytes } from "../http/reading.ts";
import { type Setting, SETTINGS } from "./harness.ts";
import { KnownUsers } from "./known_users.ts";
import { valuesOf } from "./peer.ts";
import { Names, policy, SeenFrom, spec } from "./policies.ts";
import { OK } from "./round_trip.ts";
import { eachWay, passes, refused, type Way, WAYS } from "./ways.ts";

const { resolver } = new Names({
  "a.example": ["127.0.0.1"],
  "b.example": ["127.0.0.1"],
  "www.a.example": ["127.0.0.1"],
});

/** Other settings from now on. */
function now({ proxy }: Setting, settings: Partial<ProxySettings>): void {
  proxy.update({ ...SETTINGS, ...settings });
}

eachWay(
  "hosts are exact names, names below one, both, networks, and anything",
  { resolver },
  async (setting, way) => {
    const { port } = setting.origin;
    const hosts = ["a.example", "www.a.example", "b.example", "127.0.0.1"];
    for (
      const [written, expected] of [
        ["a.example", "a.example"],
        ["*.a.example", "www.a.example"],
        [".a.example", "a.example www.a.example"],
        ["127.0.0.0/8", hosts.join(" ")],
        ["127.0.0.1", hosts.join(" ")],
        ["10.0.0.0/8", ""],
        ["b.example 10.0.0.0/8", "b.example"],
        ["*", hosts.join(" ")],
      ]
    ) {
      now(setting, { policy: policy({ rules: [{ hosts: written }] }) });
      for (const host of hosts) {
        if (expected.split(" ").includes(host)) await passes(setting, way, `${host}:${port}`);
        else await refused(setting, way, `${host}:${port}`);
      }
    }
  },
);

eachWay("a list holds names and networks", { resolver }, async (setting, way) => {
  const { port } = setting.origin;
  const listed = (text: string) => {
    const reader = new HostListReader();
    reader.read(bytes(text));
    return new Map([["list", reader.end().list]]);
  };
  const rules = [{ name: "listed", action: "deny", hosts: "@list" } as const];
  now(setting, { policy: new Policy(spec({ rules }), listed("# those\n0.0.0.0 a.example\n*.b.example\n")) });
  await refused(setting, way, `A.example.:${port}`);
  assertEquals(setting.exchanges.all[0].rule, "listed");
  await passes(setting, way, `b.example:${port}`);
  now(setting, { policy: new Policy(spec({ rules }), listed("127.0.0.0/8\n")) });
  await refused(setting, way, `b.example:${port}`);
  await refused(setting, way, `127.0.0.1:${port}`);
});

eachWay("ports are one, several or a range", { resolver }, async (setting, way) => {
  const { port } = setting.origin;
  for (
    const [ports, holds] of [[`${port}`, true], [`1-79 81-${port}`, true], [`${port + 1}`, false], [
      "80 443",
      false,
    ]]
  ) {
    now(setting, { policy: policy({ rules: [{ hosts: "a.example", ports: ports as string }] }) });
    if (holds) await passes(setting, way, `a.example:${port}`);
    else await refused(setting, way, `a.example:${port}`);
  }
});

eachWay("methods are as they are in requests, and CONNECT is one", { resolver }, async (setting, way) => {
  const authority = `a.example:${setting.origin.port}`;
  for (const methods of ["GET", "CONNECT", "GET CONNECT", "get connect"]) {
    now(setting, { policy: policy({ rules: [{ methods }] }) });
    if (methods.split(" ").includes(way === "a tunnel" ? "CONNECT" : "GET")) {
      await passes(setting, way, authority);
    } else await refused(setting, way, authority);
  }
});

eachWay(
  "paths are seen but in a tunnel, where a rule with paths holds for nothing",
  { resolver },
  async (setting, way) => {
    const authority = `a.example:${setting.origin.port}`;
    now(setting, { policy: policy({ rules: [{ action: "deny", paths: "/" }] }) });
    await (way === "a tunnel" ? passes : refused)(setting, way, authority);
    now(setting, { policy: policy({ rules: [{ action: "allow", paths: "/*" }] }) });
    await (way === "a tunnel" ? refused : passes)(setting, way, authority);
  },
);

eachWay("a rule for some clients is for no others", { resolver }, async (setting, way) => {
  const authority = `a.example:${setting.origin.port}`;
  const connectPorts = [parsePorts("1-65535")];
  const rules = [{ name: "theirs", clients: "10.1.0.0/16 2001:db8::/32" }];
  for (
    const [client, holds] of [["10.1.2.3", true], ["10.2.0.1", false], ["2001:db8::7", true], [
      "::1",
      false,
    ]] as const
  ) {
    const decider = new SeenFrom(policy({ connectPorts, privateNetworks: "allow", rules }), client);
    now(setting, { policy: decider });
    await (holds ? passes : refused)(setting, way, authority);
  }
});

eachWay("private networks are the client's own, none, all or some", { resolver }, async (setting, way) => {
  const authority = `a.example:${setting.origin.port}`;
  const connectPorts = [parsePorts("1-65535")];
  for (
    const [privateNetworks, client, holds] of [
      ["own", "127.0.0.1", true],
      ["own", "10.0.0.9", false],
      ["own", "9.9.9.9", false],
      ["deny", "127.0.0.1", false],
      ["allow", "9.9.9.9", true],
      [parseNetworks("127.0.0.0/8"), "9.9.9.9", true],
      [parseNetworks("10.0.0.0/8"), "127.0.0.1", false],
    ] as const
  ) {
    now(setting, { policy: new SeenFrom(policy({ connectPorts, privateNetworks }), client) });
    await (holds ? passes : refused)(setting, way, authority);
  }
});

eachWay(
  "no setting leads to metadata, only a rule that names the address and the port",
  { resolver },
  async (setting, way) => {
    const hosts = "169.254.169.254";
    for (
      const rules of [
        [{ hosts }],
        [{ hosts: "169.254.0.0/16", ports: "80" }],
        [{ hosts: "*", ports: "80" }],
        [],
      ]
    ) {
      now(setting, {
        policy: policy({ privateNetworks: "allow", connectPorts: [parsePorts("1-65535")], rules }),
      });
      await refused(setting, way, `${hosts}:80`);
      assertEquals(setting.exchanges.all.at(-1)!.rule, "metadata addresses");
    }
    now(setting, { policy: policy({ rules: [{ hosts, ports: "81" }] }) });
    await refused(setting, way, `${hosts}:80`);
  },
);

eachWay("connect-ports are for tunnels alone", { resolver }, async (setting, way) => {
  const { port } = setting.origin;
  for (const [ports, holds] of [[`${port}`, true], ["443", false]] as const) {
    now(setting, { policy: policy({ connectPorts: [parsePorts(ports)] }) });
    await (holds || way !== "a tunnel" ? passes : refused)(setting, way, `a.example:${port}`);
  }
});

eachWay("a rule for a user asks who it is, and is for nobody else", { resolver }, async (setting, way) => {
  const authority = `a.example:${setting.origin.port}`;
  const users = new KnownUsers({ alice: "a", bob: "b" });
  now(setting, { users, policy: policy({ authentication: "by-rule", rules: [{ users: "alice" }] }) });
  for (
    const [credentials, status, user] of [
      ["", 407, ""],
      ["alice:x", 407, ""],
      ["nobody:a", 407, ""],
      ["bob:b", 403, "bob"],
      ["alice:a", 0, "alice"],
    ] as const
  ) {
    const client = await setting.connect();
    const field = credentials === "" ? "" : `Proxy-Authorization: Basic ${btoa(credentials)}\r\n`;
    await client.send(WAYS[way](authority).replace("\r\n\r\n", `\r\n${field}\r\n`));
    if (status === 0) {
      const upstream = await setting.origin.accept();
      upstream.close();
    } else {
      const answer = await client.message();
      assertEquals(answer.status, status, credentials);
      assertEquals(valuesOf(answer, "proxy-authenticate").length, status === 407 ? 1 : 0);
    }
    client.close();
    const exchange = await setting.exchanges.next();
    assertEquals([exchange.user, exchange.verdict], [user, status === 0 ? "allow" : "deny"], credentials);
  }
});

eachWay("rates are of a client, of a user and of a rule", { resolver }, async (setting, way) => {
  const authority = `a.example:${setting.origin.port}`;
  const limits = { ...NO_LIMITS, requests: 0.001, burst: 1 };
  const users = new KnownUsers({ alice: "a" });
  const settings: [string, Partial<ProxySettings>][] = [
    ["of one client", { clientRates: limits }],
    ["of one user", { userRates: limits }],
    ["under the rule metered", { policy: policy({ rules: [{ name: "metered", rates: limits }] }) }],
  ];
  const ask = async (asked: Way) => {
    const client = await setting.connect();
    const field = `Proxy-Authorization: Basic ${btoa("alice:a")}\r\nConnection: close\r\n`;
    await client.send(WAYS[asked](authority).replace("\r\n\r\n", `\r\n${field}\r\n`));
    return client;
  };
  for (const [whose, changed] of settings) {
    now(setting, { users, policy: policy(), ...changed });
    // one of another kind counts as much
    const first = await ask(way === "a plain request" ? "a tunnel" : "a plain request");
    const upstream = await setting.origin.accept();
    await upstream.send(OK);
    upstream.close();
    await first.rest();
    first.close();
    await setting.exchanges.next();
    const second = await ask(way);
    const answer = await second.message();
    second.close();
    assertEquals(
      [answer.status, /^[0-9]+$/.test(valuesOf(answer, "retry-after").join())],
      [429, true],
      whose,
    );
    const exchange = await setting.exchanges.next();
    assertEquals([exchange.rule, exchange.reason.includes(whose)], ["rates", true], exchange.reason);
  }
});

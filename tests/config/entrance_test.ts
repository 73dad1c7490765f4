import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  certificateFilesOf,
  type Places,
  requireDistinctPlaces,
  trustedProxiesOf,
} from "../../src/config/entrance.ts";
import { ConfigError } from "../../src/config/errors.ts";
import { parseIp } from "../../src/http/ip_address.ts";
import { parseListenAddress } from "../../src/net/listen.ts";

const AT = [{ hostname: "127.0.0.1", port: 8443 }];
const NOTHING = { listenTls: [], certificateFile: null, keyFile: null };

Deno.test("a listener over TLS needs a certificate and a key, and they a listener", () => {
  assertEquals(certificateFilesOf(NOTHING), null);
  const files = { certificateFile: "a.pem", keyFile: "a.key" };
  assertEquals(certificateFilesOf({ listenTls: AT, ...files }), { cert: "a.pem", key: "a.key" });
  for (
    const [values, wanted] of [
      [{ listenTls: AT }, "listen-tls needs"],
      [{ listenTls: AT, certificateFile: "a.pem" }, "listen-tls needs"],
      [{ certificateFile: "a.pem" }, "tls-cert needs a certificate and its key"],
      [{ keyFile: "a.key" }, "tls-key needs"],
      [files, "--listen-tls 127.0.0.1:8443"],
    ] as const
  ) {
    const { problems } = assertThrows(() => certificateFilesOf({ ...NOTHING, ...values }), ConfigError);
    assert(problems[0].includes(wanted), problems[0]);
  }
});

Deno.test("each listener has an address of its own, and those that have not are named with their options", () => {
  const problemsOf = (...places: Places[]) => {
    try {
      requireDistinctPlaces(places);
      return [];
    } catch (error) {
      return (error as ConfigError).problems;
    }
  };
  const at = (...texts: string[]) => texts.map(parseListenAddress);
  const end = ": give each listener a port of its own";
  assertEquals(problemsOf(["--listen", at("8888")], ["--gateway", at("8888")]), [
    `--listen and --gateway both name 127.0.0.1:8888${end}`,
  ]);
  assertEquals(problemsOf(["--listen", at("8888", "8888")]), [`--listen names 127.0.0.1:8888 twice${end}`]);
  assertEquals(
    problemsOf(["--listen", at("localhost:1", ":2")], ["--listen-tls", at("1")], ["--gateway", at("2")]),
    [
      `--listen localhost:1 and --listen-tls 127.0.0.1:1 are the same address${end}`,
      `--listen [::]:2 and --gateway 127.0.0.1:2 are the same address${end}`,
    ],
  );
  for (
    const [one, other, same] of [
      ["0.0.0.0:1", "10.0.0.1:1", true],
      ["0.0.0.0:1", "[::]:1", true],
      ["0.0.0.0:1", "[::1]:1", false],
      ["[::]:1", "[::1]:1", true],
      ["[::1]:1", "[0:0::1]:1", true],
      ["[::1]:1", "127.0.0.1:1", false],
      ["127.0.0.1:1", "127.0.0.2:1", false],
      ["127.0.0.1:1", "127.0.0.1:2", false],
      ["a.example:1", "a.example:1", true],
      ["a.example:1", "127.0.0.1:1", false],
      // the system chooses
      ["127.0.0.1:0", "127.0.0.1:0", false],
    ] as const
  ) {
    for (const [a, b] of [[one, other], [other, one]]) {
      assertEquals(problemsOf(["--listen", at(a)], ["--gateway", at(b)]).length, same ? 1 : 0, `${a} ${b}`);
    }
  }
});

Deno.test("trusted proxies are networks, and never everybody", () => {
  assertEquals(trustedProxiesOf(undefined), null);
  const networks = trustedProxiesOf(["10.0.0.0/8", "loopback"])!;
  assertEquals(
    ["10.1.2.3", "127.0.0.1", "::1", "192.0.2.1"].map((text) => networks.includes(parseIp(text)!)),
    [
      ...[true, true, true, false],
    ],
  );
  for (const all of ["all", "0.0.0.0/0", "::/0"]) {
    assertThrows(() => trustedProxiesOf(["10.0.0.2", all]), ConfigError, "everybody");
  }
});

import { assert, assertEquals, assertThrows } from "@std/assert";
import { certificateFilesOf, trustedProxiesOf } from "../../src/config/entrance.ts";
import { ConfigError } from "../../src/config/errors.ts";
import { parseIp } from "../../src/http/ip_address.ts";

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

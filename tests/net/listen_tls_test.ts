import { assert, assertEquals, assertThrows } from "@std/assert";
import { ListenError } from "../../src/net/listen.ts";
import { faultOf, listenTls } from "../../src/net/listen_tls.ts";
import { KEY, SELF_SIGNED, VALID } from "./tls_certificates.ts";

const ANY = { hostname: "127.0.0.1", port: 0 };

async function anotherKey(): Promise<string> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const bytes = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  return `-----BEGIN PRIVATE KEY-----\n${btoa(String.fromCharCode(...bytes))}\n-----END PRIVATE KEY-----\n`;
}

Deno.test("what is wrong with a certificate and its key is told in words", async () => {
  assertEquals(faultOf({ cert: VALID, key: KEY }), null);
  for (
    const [cert, key, wanted] of [
      [VALID, await anotherKey(), "the key is not the one that the certificate is for"],
      ["", KEY, "there is no certificate in it"],
      [VALID, "", "there is no key in it"],
      [VALID.replace("MII", "MIJ"), KEY, "the certificate is damaged"],
      [VALID, KEY.replace("MIG", "MIH"), "the key is damaged"],
    ]
  ) {
    const fault = faultOf({ cert, key });
    assert(fault?.startsWith(wanted), `${fault}, not ${wanted}`);
  }
});

Deno.test("a port that somebody listens on is not shared, but with oneself when that is wanted", () => {
  const certificate = { cert: VALID, key: KEY };
  const first = listenTls(ANY, certificate);
  const address = { hostname: "127.0.0.1", port: (first.addr as Deno.NetAddr).port };
  const { message } = assertThrows(() => listenTls(address, certificate), ListenError);
  assert(message.includes("is taken") && message.includes("--listen-tls"), message);
  if (Deno.build.os === "linux") listenTls(address, { cert: SELF_SIGNED, key: KEY }, true).close();
  first.close();
});

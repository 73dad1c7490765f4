import { assert, assertEquals } from "@std/assert";
import { parseAuthority } from "../../src/http/authority.ts";
import { type ClientHello, ClientHelloReader } from "../../src/policy/client_hello.ts";
import type { TlsCheck } from "../../src/policy/spec.ts";
import { checkTunnel, tlsCheckTo } from "../../src/policy/tunnel_check.ts";
import { bytes } from "../http/reading.ts";
import { HELLO_DISGUISES } from "./hello_disguises.ts";
import { ECH, hello } from "./hellos.ts";

function heard(text: string): ClientHello {
  const reader = new ClientHelloReader();
  const all = bytes(text);
  reader.read(all, 0, all.length);
  return reader;
}

/** Why a tunnel to `authority` is refused that begins in this way, for each of the three checks. */
function reasons(authority: string, text: string): (string | null)[] {
  return (["any", "match", "require"] satisfies TlsCheck[]).map((check) =>
    checkTunnel(check, parseAuthority(authority, null), heard(text))
  );
}

function assertRefused(authority: string, text: string, reason: string): void {
  assertEquals(reasons(authority, text), [null, reason, reason]);
}

const PASSES = [null, null, null];

Deno.test("a ClientHello for the host of the CONNECT may pass, however either is written", () => {
  for (const host of ["a.example", "A.example", "a.example.", "A.EXAMPLE."]) {
    for (const name of ["a.example", "A.example", "a.example."]) {
      assertEquals(reasons(`${host}:443`, hello(name)), PASSES, `${host}, ${name}`);
    }
  }
  assertEquals(reasons("bücher.example:443", hello("xn--bcher-kva.example")), PASSES);
  assertEquals(reasons("a.example:8443", hello("a.example")), PASSES, "the port makes no difference");
});

Deno.test("a ClientHello for another host is refused, also for a host above or below", () => {
  for (const name of ["b.example", "www.a.example", "example", "a.example.b", "xa.example"]) {
    assertRefused(
      "a.example:443",
      hello(name),
      `the TLS ClientHello in the tunnel to a.example is for ${name}`,
    );
  }
});

Deno.test("to a host that is an address every name is another, but for its own text", () => {
  const reason = (host: string, name: string) =>
    `the TLS ClientHello in the tunnel to ${host} is for ${name}`;
  assertRefused("192.0.2.1:443", hello("a.example"), reason("192.0.2.1", "a.example"));
  assertRefused("192.0.2.1:443", hello("192.0.2.2"), reason("192.0.2.1", "192.0.2.2"));
  assertRefused("[2001:db8::1]:443", hello("a.example"), reason("2001:db8::1", "a.example"));
  assertRefused("a.example:443", hello("192.0.2.1"), reason("a.example", "192.0.2.1"));
  assertEquals(reasons("192.0.2.1:443", hello("192.0.2.1")), PASSES);
});

Deno.test("a ClientHello without a name may pass; under require only to an address", () => {
  assertEquals(reasons("a.example:443", hello(null)), [
    null,
    null,
    "the TLS ClientHello in the tunnel to a.example names no host",
  ]);
  assertEquals(reasons("192.0.2.1:443", hello(null)), PASSES);
  assertEquals(reasons("[2001:db8::1]:443", hello(null)), PASSES);
});

Deno.test("what is not TLS may pass, but not under require", () => {
  for (const text of ["SSH-2.0-x\r\n", "\x13\x03", "\x7f\x2e\x01"]) {
    assertEquals(reasons("a.example:22", text), [
      null,
      null,
      "what the client sends into the tunnel to a.example is not TLS",
    ]);
  }
  assertEquals(reasons("a.example:22", ""), [
    null,
    null,
    "no TLS ClientHello came into the tunnel to a.example",
  ]);
});

Deno.test("what begins with a byte of TLS's records and as no ClientHello may pass where the server spoke first, and not elsewhere", () => {
  const authority = parseAuthority("a.example:3306", null);
  for (const disguise of HELLO_DISGUISES) {
    const sent = heard(disguise.before + hello("b.example"));
    assert(checkTunnel("match", authority, sent) !== null, disguise.name);
    assert(checkTunnel("require", authority, sent) !== null, disguise.name);
    assert(checkTunnel("require", authority, sent, true) !== null, disguise.name);
    // a server of TLS never speaks first; what goes on as TLS is refused all the same
    const passes = checkTunnel("match", authority, sent, true) === null;
    assertEquals(passes, disguise.told === "first bytes", disguise.name);
  }
  assert(checkTunnel("match", authority, heard(hello("b.example")), true) !== null);
});

Deno.test("by itself a tunnel to port 443 has to be TLS, and others may be where they are not", () => {
  assertEquals([tlsCheckTo(443, "auto"), tlsCheckTo(80, "auto"), tlsCheckTo(8443, "auto")], [
    "require",
    "match",
    "match",
  ]);
  for (const check of ["any", "match", "require"] as const) assertEquals(tlsCheckTo(443, check), check);
});

Deno.test("an invalid ClientHello and a part of one are refused", () => {
  assertRefused(
    "a.example:443",
    hello("a..example"),
    'the TLS ClientHello in the tunnel to a.example is invalid: its server name "a..example" is not the name of a host',
  );
  for (const length of [1, 2, 5, 6, 100]) {
    const reason = "the TLS ClientHello in the tunnel to a.example is not whole";
    assertRefused("a.example:443", hello("a.example").slice(0, length), reason);
  }
});

Deno.test("of an encrypted ClientHello the outer name decides (RFC 9849)", () => {
  assertEquals(reasons("a.example:443", hello("a.example", ECH)), PASSES);
  assertRefused(
    "a.example:443",
    hello("public.example", ECH),
    "the TLS ClientHello in the tunnel to a.example is for public.example, at least outside of its encrypted part",
  );
});

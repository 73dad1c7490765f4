import { assertEquals } from "@std/assert";
import { asksToAuthenticateConnection, authenticatesConnection } from "../../src/http/auth_scheme.ts";
import { head, read } from "./reading.ts";

/** Whether the connection is meant, as a request's credentials and as a response's challenge. */
function both(value: string): [boolean, boolean] {
  const request = read("request", head(`GET / HTTP/1.1\nHost: a\nAuthorization: ${value}`));
  const response = read("response", head(`HTTP/1.1 401 No\nWWW-Authenticate: ${value}`));
  return [authenticatesConnection(request), asksToAuthenticateConnection(response)];
}

Deno.test("schemes that speak for one request leave its connection alone (IANA's registry)", () => {
  for (
    const value of [
      "Basic dXNlcjpwYXNz",
      "bAsIc",
      'Basic realm="NTLM, Negotiate"',
      'Basic realm="a\\", NTLM", charset="UTF-8"',
      'Digest username="a, Negotiate b", realm="x", qop=auth, nc=00000001',
      "Digest realm = x , nonce =y",
      "Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc==",
      "DPoP abc",
      "SCRAM-SHA-256 sid=1, data=2",
      "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host;range, Signature=0",
      'OAuth oauth_a="1", oauth_b="2"',
      'Basic realm="a", Bearer, Digest realm="b"',
      "token abc",
      ", ,Basic abc,,",
    ]
  ) assertEquals(both(value), [false, false], value);
});

Deno.test("NTLM, Negotiate, and every scheme that is not known mean the connection (RFC 4559)", () => {
  for (
    const value of [
      "NTLM",
      "ntlm TlRMTVNTUAABAAAA==",
      "Negotiate",
      "NEGOTIATE YII=",
      "Kerberos abc",
      "Nego2",
      "X-Unheard-Of a=b",
      "Basic abc, NTLM def",
      'Digest realm="x", qop="auth,auth-int", Negotiate',
      'Basic realm="x",NTLM',
      'Basic realm="never closed, NTLM',
      '"Basic" abc',
      "9f8e7d",
      "Basic=abc",
      "BasicNTLM x",
    ]
  ) assertEquals(both(value), [true, true], value);
});

Deno.test("each of several fields counts, and where there is none nothing is meant", () => {
  const request = (...lines: string[]) =>
    read("request", head(["GET / HTTP/1.1", "Host: a", ...lines].join("\n")));
  assertEquals(authenticatesConnection(request()), false);
  assertEquals(authenticatesConnection(request("Authorization: Basic a", "Authorization: NTLM a")), true);
  assertEquals(authenticatesConnection(request("Proxy-Authorization: NTLM a")), false);
  const response = (...lines: string[]) => read("response", head(["HTTP/1.1 401 No", ...lines].join("\n")));
  assertEquals(asksToAuthenticateConnection(response()), false);
  assertEquals(
    asksToAuthenticateConnection(response("WWW-Authenticate: Basic", "WWW-Authenticate: NTLM")),
    true,
  );
});

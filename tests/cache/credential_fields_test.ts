import { assertEquals } from "@std/assert";
import {
  credentialsOf,
  hasCredentialParameter,
  isCredentialField,
} from "../../src/cache/credential_fields.ts";
import { get } from "./making.ts";

Deno.test("fields whose name says that they carry a key are credentials, in any case", () => {
  for (
    const name of [
      "Authorization",
      "X-Api-Key",
      "x-apikey",
      "Api-Key",
      "apikey",
      "X-Auth-Token",
      "X-Access-Token",
      "PRIVATE-TOKEN",
      "X-Amz-Security-Token",
      "X-Goog-Api-Key",
      "X-Goog-Encryption-Key",
      "X-Goog-IAP-JWT-Assertion",
      "Ocp-Apim-Subscription-Key",
      "X-CSRFToken",
      "X-Session-Id",
      "X-Shopify-Access-Token",
      "X_Api_Key",
      "X-Secret",
      "X-Auth",
      "X-Remote-User",
      "X-Forwarded-Email",
      "X-Client-Cert",
      "X-Signature",
      "X-WEBAUTH-USER",
      "Remote_User",
      "X-User",
      "X-UserName",
      "X-MS-Client-Principal-Name",
      "X-Amzn-Oidc-Identity",
      "X-SSL-Client-S-DN",
    ]
  ) {
    assertEquals(isCredentialField(name), true, name);
    assertEquals(isCredentialField(name), true, `${name}, once more`);
  }
  for (
    const name of [
      "Accept",
      "Accept-Encoding",
      "User-Agent",
      "X-User-Agent",
      "Sec-WebSocket-Key",
      "Proxy-Authorization",
      "X-Requested-With",
      "X-Request-Id",
      "X-Forwarded-For",
      "X-Keyboard",
      "X-Author",
      "Sec-CH-UA",
      "DNT",
      "Cookie",
      "X-Secretary",
      "X-Tokens",
      "",
    ]
  ) {
    assertEquals(isCredentialField(name), false, name);
  }
});

Deno.test("parameters that are keys or signatures make a URL a key", () => {
  for (
    const query of [
      "?token=a",
      "?a=b&access_token=c",
      "?api_key=a",
      "?apikey=",
      "?key=a",
      "?X-Amz-Signature=a",
      "?X-Goog-Credential=a",
      "?sig=a",
      "?a;sid=b",
      "?Signature=a",
      "?auth=a",
      "?oauth_token=a",
    ]
  ) {
    assertEquals(hasCredentialParameter(`http://a.example/b${query}`), true, query);
  }
  for (
    const url of ["/token=a", "/?design=a", "/?keys=a", "/?q=token", "/?a=token=b", "/?page=2", "/token"]
  ) {
    assertEquals(hasCredentialParameter(`http://a.example${url}`), false, url);
  }
});

Deno.test("what a request proves is told by Authorization and Cookie where nothing else is known", () => {
  assertEquals(credentialsOf(get()), "none");
  assertEquals(credentialsOf(get("Cookie: a")), "cookie");
  assertEquals(credentialsOf(get("Cookie: a", "Authorization: b")), "key");
  assertEquals(credentialsOf({ ...get("Cookie: a"), credentials: "none" }), "none");
});

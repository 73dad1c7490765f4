import { assertEquals } from "@std/assert";
import {
  maskUserInformation,
  withoutPassword,
  withoutUserInformation,
} from "../../src/http/user_information.ts";

Deno.test("user information is taken out of an authority and nothing out of a path", () => {
  const cases: [string, string][] = [
    ["http://example.com/a@b?c@d", "http://example.com/a@b?c@d"],
    ["http://bob:secret@example.com/a", "http://example.com/a"],
    ["http://bob:se@cret@example.com", "http://example.com"],
    ["https://bob@[::1]:80?x", "https://[::1]:80?x"],
    ["bob:secret@example.com:443", "example.com:443"],
    ["/path?mail=a@b", "/path?mail=a@b"],
    ["http://[::1]:8080/a@b", "http://[::1]:8080/a@b"],
    ["", ""],
    // passwords that should have been encoded
    ["http://bob:se/cret@example.com/", "http://example.com/"],
    ["http://bob:se?cret@example.com/", "http://example.com/"],
    ["http://bob:1234567/cret@example.com/", "http://example.com/"],
    ["http://bo@b:se/cret@example.com/", "http://example.com/"],
    ["http:/bob:secret@example.com/", "http:/example.com/"],
    ["bob:se/cret@example.com:443", "example.com:443"],
    ["[bob:secret@example.com", "example.com"],
    // as a gateway is asked
    ["/https://bob:secret@example.com/", "/https://example.com/"],
  ];
  for (const [target, expected] of cases) assertEquals(withoutUserInformation(target), expected);
});

Deno.test("in words there is a mark in its place, and names with an @ stay what they are", () => {
  assertEquals(maskUserInformation("http://bob:secret@example.com/a"), "http://***@example.com/a");
  assertEquals(maskUserInformation("token@example.com"), "***@example.com");
  assertEquals(maskUserInformation("@vite/client"), "@vite/client");
  const cases: [string, string][] = [
    ["alice@example.com", "alice@example.com"],
    ["users@prod.txt", "users@prod.txt"],
    ["/etc/weir/a:b@c", "/etc/weir/a:b@c"],
    ["bob:secret@example.com", "***@example.com"],
    ["https://token@example.com/a", "https://***@example.com/a"],
    ["example.com:443", "example.com:443"],
  ];
  for (const [text, expected] of cases) assertEquals(withoutPassword(text), expected);
});

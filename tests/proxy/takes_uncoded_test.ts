import { assertEquals } from "@std/assert";
import { HeadReader } from "../../src/http/head_reader.ts";
import { takesUncoded } from "../../src/proxy/cache/fields_sent.ts";

function takes(...lines: string[]): boolean {
  const bytes = new TextEncoder().encode(
    `GET / HTTP/1.1\r\n${lines.map((line) => line + "\r\n").join("")}\r\n`,
  );
  const head = new HeadReader("request", { maxHeadSize: 65_536, maxFields: 256 });
  head.begin(bytes, 0);
  assertEquals(head.read(bytes.length), true);
  return takesUncoded(head);
}

Deno.test("a look at the bytes tells when no weight rules out what has no coding", () => {
  assertEquals(takes("Host: a"), true);
  assertEquals(takes("Accept-Encoding: gzip, deflate, br"), true);
  assertEquals(takes("Accept-Encoding:"), true);
  assertEquals(takes("Accept-Language: de;q=0.5", "accept-encoding: gzip;q=1"), true);
  for (const name of ["Accept-Encoding", "ACCEPT-ENCODING", "accept-encoding"]) {
    for (const value of ["identity;q=0", "*;q=0", "gzip, *;q=0.000", "gzip;q=0.5"]) {
      assertEquals(takes("Host: a", `${name}: ${value}`), false, value);
      assertEquals(takes("Accept-Encoding: gzip", `${name}: ${value}`), false, `${value} in the second`);
    }
  }
});

import { assertEquals } from "@std/assert";
import { ChunkedReader } from "../../src/http/chunked.ts";
import { bytes, LIMITS, refusal, understand } from "./reading.ts";
import { SMUGGLED_CHUNKS, SMUGGLED_HEADS } from "./smuggling.ts";

for (const { trick, message, status } of SMUGGLED_HEADS) {
  Deno.test(`smuggling by ${trick}: ${status} (RFC 9112 §11.2)`, () => {
    assertEquals(refusal(() => understand(message)).status, status);
  });
}

for (const { trick, body } of SMUGGLED_CHUNKS) {
  Deno.test(`smuggling by ${trick} in chunks: 400, or 502 of an origin (RFC 9112 §7.1, §11.2)`, () => {
    for (const [kind, status] of [["request", 400], ["response", 502]] as const) {
      const error = refusal(() => new ChunkedReader(kind, LIMITS).read(bytes(body), 0, body.length));
      assertEquals(error.status, status);
      const reader = new ChunkedReader(kind, LIMITS);
      const bytewise = refusal(() => {
        for (let at = 0; at < body.length; at++) reader.read(bytes(body), at, at + 1);
      });
      assertEquals(bytewise.message, error.message);
      assertEquals(reader.done, false);
    }
  });
}

import { assert, assertEquals } from "@std/assert";
import { badRequest, badResponse, HttpError } from "../../src/http/error.ts";

Deno.test("a refused request is answered with 400 unless said otherwise (RFC 9110 §15.5.1)", () => {
  const error = badRequest("this and that");
  assert(error instanceof HttpError && error instanceof Error);
  assertEquals([error.status, error.error, error.message], [400, "http_request_error", "this and that"]);
  assertEquals(badRequest("too long", 414).status, 414);
});

Deno.test("an origin's message that cannot be trusted is answered with 502 (RFC 9110 §15.6.3)", () => {
  const error = badResponse("this and that");
  assertEquals([error.status, error.error], [502, "http_protocol_error"]);
  assertEquals(error.name, "HttpError");
});

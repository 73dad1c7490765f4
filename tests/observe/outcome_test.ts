import { assertEquals } from "@std/assert";
import { outcome } from "../../src/observe/outcome.ts";
import { forward, own, tunnel, unreadable } from "./samples.ts";

Deno.test("what went well needs no words", () => {
  assertEquals(outcome(forward()), "");
  assertEquals(outcome(forward({ status: 404 })), "");
  assertEquals(outcome(tunnel()), "");
});

Deno.test("what went wrong is told by its details, else by its type", () => {
  assertEquals(outcome(forward({ error: "connection_refused" })), "connection refused");
  assertEquals(
    outcome(forward({ error: "dns_error", details: "the name is not known" })),
    "the name is not known",
  );
  assertEquals(outcome(unreadable()), "the method is not a token");
});

Deno.test("a denied request is told by its rule and the reason", () => {
  assertEquals(outcome(own()), "denied: the host is blocked");
  assertEquals(outcome(own({ rule: "ads" })), "denied by ads: the host is blocked");
  assertEquals(outcome(own({ reason: "", rule: "ads" })), "denied by ads");
  assertEquals(outcome(own({ reason: "" })), "denied");
});

Deno.test("a denial that was only reported is told as what would be, besides how the exchange ended", () => {
  const reported = { verdict: "deny", enforced: false, rule: "ads", reason: "the host is blocked" } as const;
  assertEquals(outcome(forward(reported)), "would be denied by ads: the host is blocked");
  assertEquals(
    outcome(forward({ ...reported, reason: "", error: "connection_refused" })),
    "would be denied by ads; connection refused",
  );
});

Deno.test("an end in the middle and no answer at all are told", () => {
  assertEquals(outcome(forward({ truncated: true })), "cut short");
  assertEquals(
    outcome(forward({ truncated: true, error: "connection_terminated" })),
    "cut short: connection terminated",
  );
  assertEquals(outcome(forward({ status: 0 })), "no answer");
  assertEquals(
    outcome(forward({ status: 0, truncated: true, details: "the client left" })),
    "no answer: the client left",
  );
});

Deno.test("words that came from the network are escaped and bounded", () => {
  assertEquals(outcome(unreadable({ details: "\x1b[2J" })), "\\x1b[2J");
  assertEquals(outcome(unreadable({ details: "x".repeat(500) })).length, 201);
});

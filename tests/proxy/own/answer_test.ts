import { assertEquals, assertStringIncludes } from "@std/assert";
import { HttpError } from "../../../src/http/error.ts";
import { answerTo, type PageKind } from "../../../src/proxy/own/answer.ts";
import { SETTINGS } from "../harness.ts";

/** The body of the answer to a refusal with a note. */
function bodyFor(kind: PageKind, message: string, note: string): string {
  const error = new HttpError(403, "http_request_denied", message, [], note);
  const options = { kind, reference: "7k2m9qxd", withoutBody: false, close: false };
  const text = new TextDecoder().decode(answerTo(error, SETTINGS, options).bytes);
  return text.slice(text.indexOf("\r\n\r\n") + 4);
}

/** The paragraphs of a page. */
function paragraphs(page: string): string[] {
  return [...page.matchAll(/^<p>(.*)<\/p>$/gm)].map(([, text]) => text);
}

Deno.test("a page shows the note of a rule as a sentence of its own, with one full stop", () => {
  for (const note of ["Ask #security", "Ask #security."]) {
    assertEquals(paragraphs(bodyFor("html", `denied by no trackers: ${note}`, note)), [
      "Denied by no trackers.",
      "Ask #security.",
    ]);
  }
  assertEquals(paragraphs(bodyFor("html", "denied by default", "")), ["Denied by default."]);
});

Deno.test("a note is no markup", () => {
  const note = "<script>alert(1)</script>";
  assertEquals(paragraphs(bodyFor("html", `denied by x: ${note}`, note)), [
    "Denied by x.",
    "&#60;script&#62;alert(1)&#60;/script&#62;.",
  ]);
});

Deno.test("a note too long for a line is cut with it", () => {
  const note = "x".repeat(1000);
  const [only, ...others] = paragraphs(bodyFor("html", `denied by x: ${note}`, note));
  assertEquals([only.length, others.length], [301, 0]);
});

Deno.test("text and JSON have rule and note in one line", () => {
  for (const kind of ["text", "json"] as const) {
    assertStringIncludes(bodyFor(kind, "denied by x: ask", "ask"), "denied by x: ask");
  }
});

Deno.test("a page says names and notes in any script, text and the reason phrase in ASCII, and none a control", () => {
  const message = "denied by f\u00fcr alle: Fragen \u202eevil\u2028 \x1b";
  for (const kind of ["html", "json"] as const) {
    const body = bodyFor(kind, message, "");
    assertStringIncludes(body, "f\u00fcr alle: Fragen ?evil? ?");
  }
  const error = new HttpError(403, "http_request_denied", message);
  const options = { kind: "text", reference: "1", withoutBody: true, close: false } as const;
  const head = new TextDecoder().decode(answerTo(error, SETTINGS, options).bytes);
  assertStringIncludes(head, "403 Forbidden: denied by f?r alle: Fragen ?evil? ? (");
});

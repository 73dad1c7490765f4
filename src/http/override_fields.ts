/**
 * Fields by which servers and frameworks take a request for one with another method or path than its first line says:
 * IIS and Symfony (X-Original-URL, X-Rewrite-URL), the frameworks with X-HTTP-Method-Override, and what stands behind
 * reverse proxies (X-Forwarded-Uri, X-Forwarded-Prefix).
 */

import type { HeadReader } from "./head_reader.ts";

const NAMES: ReadonlySet<string> = new Set([
  "x-envoy-original-path",
  "x-forwarded-method",
  "x-forwarded-path",
  "x-forwarded-prefix",
  "x-forwarded-uri",
  "x-forwarded-url",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-method",
  "x-original-path",
  "x-original-uri",
  "x-original-url",
  "x-override-url",
  "x-request-uri",
  "x-rewrite-path",
  "x-rewrite-uri",
  "x-rewrite-url",
  "x-script-name",
  "x-waws-unencoded-url",
]);

const X = 0x78;
const LOWER = 0x20;

/** Whether field `index` is one of them. An underscore is a hyphen to the servers that make variables of fields (CGI). */
export function overridesTarget(head: HeadReader, index: number): boolean {
  if ((head.bytes[head.lineStart(index)] | LOWER) !== X) return false;
  return NAMES.has(head.name(index).toLowerCase().replaceAll("_", "-"));
}

/**
 * The one table of what a `[[rule]]` may say. What is read, what is written back and README's table come from it.
 */

import type { Field, FieldValues } from "./fields.ts";

export const RULE_FIELDS = [
  {
    key: "name",
    type: "line",
    help: "What the log and a refused client call it; `rule 3` when it has none",
  },
  { key: "action", type: "choice", choices: ["allow", "deny"], help: "What becomes of what it matches" },
  {
    key: "mode",
    type: "choice",
    choices: ["enforce", "report"],
    help: "With `report` it decides nothing: what it would deny is in the log, and the next rules are tried",
  },
  { key: "note", type: "line", help: "What a refused client is shown besides: whom to ask, say" },
  {
    key: "clients",
    type: "networks",
    help: "From where: addresses, `10.0.0.0/8`, `loopback`, `private`, `link-local`, `all`",
  },
  { key: "users", type: "users", help: "Who has to be logged in; `*` is anybody who is" },
  {
    key: "hosts",
    type: "hosts",
    help: "To where: `example.com` is exact, `*.example.com` all below it, `.example.com` both, `*` any, " +
      "`10.0.0.0/8` what is dialled, `@file` a list",
  },
  { key: "ports", type: "ports", help: 'Ports: `443`, `"8000-8999"`, `"*"`' },
  { key: "methods", type: "methods", help: "Methods: `GET`; a tunnel is `CONNECT`" },
  {
    key: "paths",
    type: "paths",
    help: "Paths without their query, where they can be seen: `/api/*`, the star is any characters",
  },
  {
    key: "encoded-slashes",
    type: "boolean",
    help:
      "Whether `%2f` in a path is a slash to the rule, as npm's `/@scope%2fname` needs it; `false` when it is not said",
  },
  {
    key: "tls",
    type: "choice",
    choices: ["any", "match", "require"],
    help: "How the TLS in a tunnel is looked at",
  },
  {
    key: "rates",
    type: "rates",
    help: 'What all that it lets through may take together: `{ requests = 5, down = "1m" }`',
  },
] as const satisfies readonly Field[];

export type RuleFieldValues = FieldValues<(typeof RULE_FIELDS)[number]>;

/** The one table of what a `[[test]]` may say. */
export const TEST_FIELDS = [
  { key: "url", type: "line", help: "What is asked for: a URL, or `host:port` for a tunnel" },
  { key: "client", type: "address", help: "From where; `127.0.0.1` when it is not said" },
  { key: "user", type: "user", help: "Who is logged in; nobody when it is not said" },
  {
    key: "method",
    type: "method",
    help: "When it is not said, `GET` for `http://` and `CONNECT` for all else",
  },
  { key: "addresses", type: "addresses", help: "What the name resolves to; without it nothing is looked up" },
  {
    key: "expect",
    type: "choice",
    choices: ["allow", "deny", "authenticate"],
    help: "What has to be decided",
  },
  { key: "rule", type: "line", help: "By which rule, if that matters" },
  {
    key: "via",
    type: "ways",
    help: "By which ways, if that matters: parents or `direct`, all of them and in their order",
  },
] as const satisfies readonly Field[];

export type TestFieldValues = FieldValues<(typeof TEST_FIELDS)[number]>;

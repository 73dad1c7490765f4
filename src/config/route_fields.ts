/**
 * The one tables of what a `[[parent]]` and a `[[route]]` may say. What is read, what is written back and README's
 * tables come from them.
 */

import type { Field, FieldValues } from "./fields.ts";

export const PARENT_FIELDS = [
  { key: "name", type: "line", help: "What routes, logs and messages call it" },
  {
    key: "url",
    type: "parent",
    help: "How to reach it: `http://user:password@proxy.example:3128`, `https://…`, `socks5://…`",
  },
] as const satisfies readonly Field[];

export type ParentFieldValues = FieldValues<(typeof PARENT_FIELDS)[number]>;

export const ROUTE_FIELDS = [
  {
    key: "hosts",
    type: "hosts",
    help:
      "To where, as in rules, but that `10.0.0.0/8` is what was asked for: nobody has looked a name up yet",
  },
  {
    key: "via",
    type: "ways",
    help: "Names or URLs of parents, or `direct`, in the order in which they are tried",
  },
] as const satisfies readonly Field[];

export type RouteFieldValues = FieldValues<(typeof ROUTE_FIELDS)[number]>;

/** Answers of a parent that are about weir, or the parent itself, and say nothing of what was asked for. */

import { Field } from "../../http/field_names.ts";
import type { Response } from "../response.ts";
import type { Upstream } from "../upstream.ts";

/** A parameter of a member of `Proxy-Status` (RFC 9209 §2.1.1): the proxy that has written it made the response. */
const ERROR = /;\s*error=/i;

/**
 * Whether a parent that speaks HTTP says that it made a response itself: that it failed, or refuses. The member that is
 * nearest is the last one; Squid says so in a field of its own.
 */
export function isParentsOwn(up: Upstream, { head }: Response): boolean {
  if (!up.asksParent) return false;
  if (head.find(Field.ProxyStatus) >= 0) {
    const members = head.values(Field.ProxyStatus).replace(/"(?:[^"\\]|\\.)*"/g, '""').split(",");
    if (ERROR.test(members[members.length - 1])) return true;
  }
  return head.field("x-squid-error") !== "";
}

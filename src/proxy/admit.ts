/** What no request may do, before any rule is asked. */

import { HttpError } from "../http/error.ts";
import { Field } from "../http/field_names.ts";
import type { Request } from "./request.ts";
import type { Services } from "./services.ts";

const VIA = 1 << Field.Via;

/** Refuses a request that must not go on, whatever the rules say. Throws {@link HttpError}. */
export function admit(services: Services, request: Request): void {
  const { settings } = services;
  const { head, framing } = request;
  if ((head.seen & VIA) !== 0 && viaNames(head.values(Field.Via), settings.pseudonym)) {
    throw new HttpError(502, "proxy_loop_detected", "the request has come through this proxy before");
  }
  if (settings.maxBodySize > 0 && framing > settings.maxBodySize) {
    throw new HttpError(413, "http_request_error", `a body of more than ${settings.maxBodySize} bytes`);
  }
}

/** Whether a list of `protocol pseudonym (comment)` names this one (RFC 9110 §7.6.3). */
function viaNames(via: string, pseudonym: string): boolean {
  return via.split(",").some((member) => member.trim().split(/[ \t]+/)[1] === pseudonym);
}

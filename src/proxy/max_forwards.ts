/** How often a TRACE or OPTIONS may still be forwarded (RFC 9110 §7.6.2). */

import { badRequest } from "../http/error.ts";
import { Field } from "../http/field_names.ts";
import type { Request } from "./request.ts";

/** The number in decimal digits, however large; `null` where the field has no say. Throws {@link HttpError}. */
function forwardsLeft(request: Request): string | null {
  if (request.method !== "TRACE" && request.method !== "OPTIONS") return null;
  const value = request.head.values(Field.MaxForwards);
  if (!/^[0-9]+$/.test(value)) throw badRequest("a Max-Forwards that is not one number");
  return value.replace(/^0+(?=.)/, "");
}

/** Whether the request is to be answered here, as its last recipient. */
export function answersLastForward(request: Request): boolean {
  return forwardsLeft(request) === "0";
}

/** The number to send on; `null` where the field passes as it is. */
export function oneForwardLess(request: Request): string | null {
  const left = forwardsLeft(request);
  return left === null ? null : String(BigInt(left) - 1n);
}

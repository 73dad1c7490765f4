/** A request that failed at a parent: the parent's doing, and said so. */

import { HttpError } from "../../http/error.ts";
import type { Parent } from "./parent.ts";

export class ParentError extends HttpError {
  /** The parent by its name (RFC 9209 §2.1.2). */
  readonly nextHop: string;

  /** @param receivedStatus what the parent answered (RFC 9209 §2.1.4); 0 when it did not, or does not speak HTTP */
  constructor(parent: Parent, status: number, error: string, message: string, readonly receivedStatus = 0) {
    super(status, error, message);
    this.nextHop = parent.name;
  }
}

/** How messages call a parent. */
export function called({ name }: Parent): string {
  return `the parent proxy ${name}`;
}

/** The parent does not take weir's own credentials, or wants some: nothing that the client could do about it. */
export function unwelcome(parent: Parent, receivedStatus: number): ParentError {
  const what = parent.spec.credentials === null
    ? "wants a user and a password, and none are configured"
    : "does not take the user and the password that are configured for it";
  return new ParentError(
    parent,
    502,
    "proxy_configuration_error",
    `${called(parent)} ${what}`,
    receivedStatus,
  );
}

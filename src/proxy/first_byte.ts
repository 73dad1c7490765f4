/** What a connection's first byte tells of a client that does not speak HTTP. */

import type { Session } from "./session.ts";

const TLS_HANDSHAKE = 0x16;
const SOCKS_4 = 0x04;
const SOCKS_5 = 0x05;

/** Whether a connection that begins so is one of SOCKS, which no method of HTTP begins with. */
export function isSocks(first: number): boolean {
  return first === SOCKS_4 || first === SOCKS_5;
}

/** Tells the operator of a client that speaks another protocol than it is asked to. */
export function noticeProtocol({ client, listener, services: { observer } }: Session, first: number): void {
  if (first === TLS_HANDSHAKE) {
    observer.notice(
      "warning",
      `${client} began with TLS: give it http://${listener} as its proxy, not https://`,
    );
  } else if (isSocks(first)) {
    observer.notice(
      "warning",
      `${client} spoke SOCKS, which --no-socks has turned off: set ${listener} as its HTTP proxy instead`,
    );
  }
}

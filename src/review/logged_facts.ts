/** What a policy is asked of an exchange in a log. */

import type { Authority } from "../http/authority.ts";
import { parseIp } from "../http/ip_address.ts";
import type { Facts } from "../policy/facts.ts";
import type { LoggedExchange } from "./logged_exchange.ts";

/** For a client whose address is not known: somebody from nowhere near. */
const UNKNOWN_CLIENT = { text: "192.0.2.1", ip: parseIp("192.0.2.1")! };

/** @param authority the exchange's, which is known */
export function factsOf(exchange: LoggedExchange, authority: Authority): Facts {
  const { clientIp } = exchange;
  return {
    client: clientIp === null ? UNKNOWN_CLIENT.text : exchange.client,
    clientIp: clientIp ?? UNKNOWN_CLIENT.ip,
    user: exchange.user,
    method: exchange.method,
    authority,
    path: exchange.path,
  };
}

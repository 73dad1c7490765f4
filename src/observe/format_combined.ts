/** The Combined Log Format: the common one and two fields of the request. */

import type { Exchange } from "../proxy/exchange.ts";
import { apacheEscaped } from "./apache_escape.ts";
import { formatCommon } from "./format_common.ts";
import { withoutUserInformation } from "../http/user_information.ts";

const MAX_REFERER = 8192;
const MAX_USER_AGENT = 2048;

/** {@link formatCommon} followed by `"referer" "user agent"`, each `"-"` when the request had none. */
export function formatCombined(exchange: Exchange): string {
  const referer = apacheEscaped(withoutUserInformation(exchange.fields.field("referer")), MAX_REFERER) || "-";
  const userAgent = apacheEscaped(exchange.fields.field("user-agent"), MAX_USER_AGENT) || "-";
  return `${formatCommon(exchange)} "${referer}" "${userAgent}"`;
}

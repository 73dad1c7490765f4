/** What `Proxy-Status` (RFC 9209) means, in words. */

import { type Member, readMembers } from "./structured_list.ts";

/** The error types of RFC 9209 §2.3. */
const ERRORS: ReadonlyMap<string, string> = new Map([
  ["dns_timeout", "nobody said in time which address the name has"],
  ["dns_error", "the name has no address"],
  ["destination_not_found", "does not know where to send this request"],
  ["destination_unavailable", "holds the destination for out of order"],
  ["destination_ip_prohibited", "may not connect to that address"],
  ["destination_ip_unroutable", "has no way to that address"],
  ["connection_refused", "was refused the connection: nobody listens there"],
  ["connection_terminated", "lost the connection before the answer was there"],
  ["connection_timeout", "got no connection in time"],
  ["connection_read_timeout", "waited in vain for the answer"],
  ["connection_write_timeout", "could not get rid of the request in time"],
  ["connection_limit_reached", "has as many connections as it may"],
  ["tls_protocol_error", "the TLS handshake failed"],
  ["tls_certificate_error", "does not trust the certificate"],
  ["tls_alert_received", "the other side ended the TLS handshake"],
  ["http_request_error", "holds the request for wrong"],
  ["http_request_denied", "does not allow the request"],
  ["http_response_incomplete", "got an answer that was cut short"],
  ["http_response_header_section_size", "got an answer with too long a head"],
  ["http_response_header_size", "got an answer with too long a field"],
  ["http_response_body_size", "got an answer with too long a body"],
  ["http_response_trailer_section_size", "got an answer with too long trailers"],
  ["http_response_trailer_size", "got an answer with too long a trailer"],
  ["http_response_transfer_coding", "got an answer in a transfer coding that it cannot read"],
  ["http_response_content_coding", "got an answer in a content coding that it cannot read"],
  ["http_response_timeout", "got no answer in time"],
  ["http_upgrade_failed", "could not change the protocol"],
  ["http_protocol_error", "got an answer that breaks the rules of HTTP"],
  ["proxy_internal_response", "made this answer itself"],
  ["proxy_internal_error", "has a fault of its own"],
  ["proxy_configuration_error", "is set up wrongly"],
  ["proxy_loop_detected", "would send the request round in a circle"],
]);

/** A sentence for each proxy on the way, the nearest to the origin first. Unescaped text of the network is in it. */
export function proxyStatusWords(value: string): string[] {
  const members = readMembers(value);
  if (members === null) return ["it cannot be read, and says nothing therefore"];
  return members.map(sentence);
}

function sentence({ name, parameters }: Member): string {
  const parts: string[] = [];
  const error = parameters.get("error");
  if (error !== undefined) parts.push(ERRORS.get(String(error)) ?? `failed: ${error}`);
  const received = parameters.get("received-status");
  if (received !== undefined) parts.push(`got ${received} from the next one`);
  const hop = parameters.get("next-hop");
  if (hop !== undefined) parts.push(`went to ${hop}`);
  const protocol = parameters.get("next-protocol");
  if (protocol !== undefined) parts.push(`spoke ${protocol}`);
  const details = parameters.get("details");
  const said = details === undefined ? "" : ` (${details})`;
  return `${name}: ${parts.join(", ") || "had a part in it"}${said}`;
}

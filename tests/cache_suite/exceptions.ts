/** The required and optimal tests that weir does not pass, and why it is right or bearable that it does not. */

const STALE_CLOSE =
  "The suite wants a 200 that the origin numbered, of an origin that closes the connection without " +
  "an answer: no cache can have one. weir answers with 502 and does not use what is stale, which is the rule.";
const PART_OF_ANOTHER_LENGTH =
  "The part that is to be stored says that it has the 6 bytes 4–9 and has 5, and no validator: " +
  "it is damaged, and nobody can tell which of them they are.";
const COOKIE_OF_ANOTHER =
  "weir keeps no Set-Cookie unless the response says public or s-maxage: what it sets is more often one client's " +
  "session than not (RFC 9111 §7.3). The client that asked gets it.";

export const EXCEPTIONS: Readonly<Record<string, string>> = {
  "stale-close-must-revalidate": STALE_CLOSE,
  "stale-close-proxy-revalidate": STALE_CLOSE,
  "stale-close-no-cache": STALE_CLOSE,
  "stale-close-s-maxage=2": STALE_CLOSE,
  "headers-store-Set-Cookie": COOKIE_OF_ANOTHER,
  "304-etag-update-response-Set-Cookie": COOKIE_OF_ANOTHER,
  "headers-store-Transfer-Encoding":
    "The origin sends a transfer coding that does not exist, which nobody can decode or was asked for (RFC 9112 " +
    "§7.4): weir answers with 502 and stores nothing, so that the field that must not be stored is not.",
  "conditional-lm-fresh-no-lm":
    "The stored response has no Last-Modified and was made after the date of If-Modified-Since: by RFC 9111 §4.3.2 " +
    "that is no 304. The client may have something older.",
  "partial-store-partial-reuse-partial": PART_OF_ANOTHER_LENGTH,
  "partial-store-partial-reuse-partial-byterange": PART_OF_ANOTHER_LENGTH,
  "partial-store-partial-reuse-partial-absent": PART_OF_ANOTHER_LENGTH,
  "partial-store-partial-reuse-partial-suffix": PART_OF_ANOTHER_LENGTH,
  "partial-store-partial-complete":
    "The stored part has no validator: whatever came of the rest could not be combined with it (RFC 9111 §3.4).",
};

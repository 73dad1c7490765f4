/** Targets of a gateway's paths: `/example.com/path`, `/https://example.com/path`. */

/** A gateway's target, taken apart. Whether its URL is a valid one is for {@link readTarget}. */
export interface GatewayTarget {
  /** What it stands for. */
  readonly url: string;
  /** What of it stands for the origin, as it was written: `/https://example.com`. */
  readonly prefix: string;
  /** In lower case: `https`, or `""`. */
  readonly scheme: string;
  /** `example.com`. */
  readonly authority: string;
  /** What follows that, with the query: `""` where nothing does. */
  readonly path: string;
}

/**
 * A scheme in front. Programs that put URLs together change what they find in a path: of two slashes they make one,
 * and they encode the colon, as pip does.
 */
const SCHEME = /^(?:(https?)(?::|%3a)\/{1,2}|([a-z][a-z0-9+.-]*):\/\/)/i;

/** What they encode in an authority, and what it stands for. Other encoded characters make it invalid. */
const ENCODED = /%(?:3a|5b|5d)/gi;

/** Takes a target apart that begins with a slash. */
export function targetOf(written: string): GatewayTarget {
  const rest = written.slice(1);
  const [before = "", web, other] = SCHEME.exec(rest) ?? [];
  const end = rest.slice(before.length).search(/[/?]/);
  const prefix = end < 0 ? written : written.slice(0, 1 + before.length + end);
  const scheme = (web ?? other ?? "").toLowerCase();
  const authority = prefix.slice(1 + before.length).replace(ENCODED, decodeURIComponent);
  const path = written.slice(prefix.length);
  return { url: `${scheme || "http"}://${authority}${path}`, prefix, scheme, authority, path };
}

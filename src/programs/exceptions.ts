/** Hosts that programs reach without the proxy, and how each kind of program wants them written. */

/**
 * One exception.
 *
 * - `all`: `*`, no proxy at all
 * - `name`: `example.com`; nearly all programs take it for everything below it too
 * - `below`: `.example.com` or `*.example.com`, everything below it
 * - `address`: `192.0.2.1`, `::1`
 * - `network`: `10.0.0.0/8`
 */
export interface Exception {
  readonly kind: "all" | "name" | "below" | "address" | "network";
  /** Canonical, as the variable `no_proxy` has it: what stands for everything below a name begins with a dot. */
  readonly text: string;
}

/** Every program but a few knows these without being told; a container's or a CI job's loopback is its own. */
export const USUAL_EXCEPTIONS: readonly Exception[] = [
  { kind: "name", text: "localhost" },
  { kind: "address", text: "127.0.0.1" },
  { kind: "address", text: "::1" },
];

/** What can be told to a program, and the exceptions that cannot be told in its way. */
export interface Told {
  readonly texts: readonly string[];
  readonly left: readonly Exception[];
}

/** For the variable `no_proxy` and what is like it: all of them. */
export function asList(exceptions: readonly Exception[]): Told {
  return { texts: exceptions.map(({ text }) => text), left: [] };
}

/** For Java's `http.nonProxyHosts`: a star may stand at the beginning or the end, and there are no networks. */
export function asStars(exceptions: readonly Exception[]): Told {
  return tell(exceptions, ({ kind, text }) => {
    switch (kind) {
      case "name":
        return [text, `*.${text}`];
      case "below":
        return [`*${text}`];
      case "address":
        return [text.includes(":") ? `[${text}]` : text];
      case "network":
        return stars(text);
      case "all":
        return ["*"];
    }
  });
}

/** For apt, which compares whole names. */
export function asWholeNames(exceptions: readonly Exception[]): Told {
  // a colon would be the end of the key's part in apt's configuration
  return tell(
    exceptions,
    ({ kind, text }) => (kind === "name" || kind === "address") && !text.includes(":") ? [text] : [],
  );
}

/** For npm, which compares the ends of names. */
export function asEnds(exceptions: readonly Exception[]): Told {
  return tell(exceptions, ({ kind, text }) => kind === "network" || kind === "all" ? [] : [text]);
}

function tell(exceptions: readonly Exception[], wordsOf: (exception: Exception) => string[]): Told {
  const texts: string[] = [];
  const left: Exception[] = [];
  for (const exception of exceptions) {
    const words = wordsOf(exception);
    if (words.length === 0) left.push(exception);
    texts.push(...words);
  }
  return { texts, left };
}

/** `10.*` for `10.0.0.0/8`; nothing for what no star can say. */
function stars(network: string): string[] {
  const [address, bits] = network.split("/");
  const whole = Number(bits) / 8;
  if (address.includes(":") || !Number.isInteger(whole) || whole === 0) return [];
  if (whole === 4) return [address];
  return [`${address.split(".").slice(0, whole).join(".")}.*`];
}

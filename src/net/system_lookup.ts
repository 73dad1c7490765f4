/** The look-ups that the platform has. */

/** Asks for all addresses of a name, in the order in which they are to be tried. */
export type Lookup = (host: string) => Promise<string[]>;

/**
 * The system's own resolver (getaddrinfo), which honours `/etc/hosts` and its other settings. It holds a thread
 * until it answers.
 *
 * Throws what `node:dns` throws: an error with a `code`, `ENOTFOUND` when there is no such name.
 */
export async function systemLookup(host: string): Promise<string[]> {
  // no name below it exists, and no name server is to be asked (RFC 6761 §6.4)
  if (host === "invalid" || host.endsWith(".invalid")) {
    throw Object.assign(new Error(`there is no ${host}`), { code: "ENOTFOUND" });
  }
  // Loaded at the first name: it costs 7 ms, which a start does not have to pay. The form with a callback, because
  // the promises' one makes Deno 2.6 warn of a deprecated module of its own.
  const { lookup } = await import("node:dns");
  return new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, answers) => {
      if (error) reject(error);
      else resolve(answers.map((answer) => answer.address));
    });
  });
}

/** ms until the name servers count as silent: they have just answered the system, or were not asked. */
const TIMEOUT = 2_000;
/** ms that an answer about addresses of one family waits for that about the other. */
const OTHER_FAMILY = 200;
/** The `code` of the error that no name server said anything in time. */
export const SILENT = "ETIMEOUT";

/**
 * Asks `/etc/hosts` and the name servers alone, by the system's search list unless there is a final dot. It holds no
 * thread.
 *
 * @throws an error with the `code` `ENOTFOUND` when they know no address, {@link SILENT} when they are silent, and any
 * other when they could not be asked
 */
export async function dnsLookup(host: string): Promise<string[]> {
  const given = new AbortController();
  const silence = Object.assign(new Error(`no answer about ${host} in time`), { code: SILENT });
  const giveUp = () => given.abort(silence);
  let timer = setTimeout(giveUp, TIMEOUT);
  try {
    // some servers answer one of the two alone, and a line of /etc/hosts has one
    const both = await Promise.allSettled((["A", "AAAA"] as const).map(async (type) => {
      const addresses = await askFor(host, type, given.signal);
      if (addresses.length === 0) return addresses;
      clearTimeout(timer);
      timer = setTimeout(giveUp, OTHER_FAMILY);
      return addresses;
    }));
    const all = both.flatMap((each) => each.status === "fulfilled" ? each.value : []);
    if (all.length > 0) return all;
    for (const each of both) if (each.status === "rejected") throw each.reason;
  } finally {
    clearTimeout(timer);
  }
  throw Object.assign(new Error(`there is no ${host}`), { code: "ENOTFOUND" });
}

async function askFor(host: string, type: "A" | "AAAA", signal: AbortSignal): Promise<string[]> {
  try {
    return await Deno.resolveDns(host, type, { signal });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

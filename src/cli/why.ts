/** `weir why URL|HOST:PORT`: what the policy would say to a request, and why. */

import type { Instance } from "../config/config.ts";
import { UsageError } from "../config/errors.ts";
import type { CommandLine } from "../config/flags.ts";
import { DEFAULTS } from "../config/options.ts";
import { quote } from "../config/printable.ts";
import { rateLimitsOf } from "../config/rates.ts";
import { HttpError } from "../http/error.ts";
import { formatIp, type IpAddress, parseIp } from "../http/ip_address.ts";
import { Resolver } from "../net/resolve.ts";
import { plainAddress } from "../policy/address_scope.ts";
import { type Asked, readAsked } from "../policy/asked.ts";
import { explain, type Explanation } from "../policy/explanation.ts";
import type { Facts } from "../policy/facts.ts";
import { OwnListeners } from "../policy/own_listeners.ts";
import { ShortNames } from "../policy/short_names.ts";
import { isElsewhere, wayNames } from "../policy/routes.ts";
import { type Io, wantsColor } from "./io.ts";
import { type LoadedPolicy, loadPolicy } from "./load.ts";
import { permittedLine } from "./permissions.ts";
import { cacheWords } from "./why_cache.ts";
import { type Answer, badRequestText, type Judged, type Where, whyText } from "./why_text.ts";

/**
 * Prints the request as the proxy understands it, each station and each rule with what it says, the verdict, and the
 * smallest change that would turn it.
 *
 * @returns 0 when the request would go on, 1 when it would not
 * @throws {UsageError} for flags that hold what they cannot
 * @throws {ConfigError} for a policy that is wrong
 */
export async function why(line: CommandLine, _instance: Instance, io: Io): Promise<number> {
  const [text] = line.words;
  const { client = "127.0.0.1", user = null, method = null, address } = line.options;
  if (user === "") {
    throw new UsageError(["--user: is empty; leave it out for a client that does not say who it is"]);
  }
  const clientIp = plainAddress(readIp("--client", client));
  const given = address?.split(",").map((each) => readIp("--address", each.trim()));
  const loaded = await loadPolicy(line, io);
  for (const warning of loaded.warnings) io.err(`weir: ${warning}\n`);
  const color = wantsColor(line.values["log-color"] ?? "auto", "out", io);

  let asked: Asked;
  try {
    asked = readAsked(text, method);
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    io.out(badRequestText(text, error, color));
    return 1;
  }
  const facts: Facts = {
    client: formatIp(clientIp),
    clientIp,
    user,
    method: asked.method,
    authority: asked.authority,
    path: asked.path,
  };
  const answer = await judge(loaded, facts, given ?? null);
  await tellMissing(loaded, answer, line, io);
  const { values } = loaded;
  const rates = { client: rateLimitsOf(values, "client"), user: rateLimitsOf(values, "user") };
  const cache = answer.goesOn ? await cacheOf(loaded, asked, user) : null;
  io.out(whyText({ text, asked, facts, answer, rates, chosen: method !== null, cache }, color));
  return answer.goesOn ? 0 : 1;
}

/** Says how to give what the answer did without. */
async function tellMissing(
  { files, cacheFolder, values }: LoadedPolicy,
  { where, goesOn }: Answer,
  line: CommandLine,
  io: Io,
): Promise<void> {
  const folder = goesOn && values.cache !== 0 ? cacheFolder : null;
  const unread = folder !== null &&
    (await Deno.permissions.query({ name: "read", path: folder })).state !== "granted";
  const missing = [
    ...where.state === "unknown" && !await mayLookUp() ? ["to look the name up: --allow-net"] : [],
    ...unread ? ["to look into the cache: --allow-read"] : [],
  ];
  if (missing.length === 0 || Deno.build.standalone) return;
  const all = permittedLine(line, { read: [...files, ...unread ? [folder] : []] });
  io.err(`weir: a permission is missing ${missing.join(", and ")}\n  give it:  ${all}\n`);
}

async function mayLookUp(): Promise<boolean> {
  return (await Deno.permissions.query({ name: "net" })).state === "granted";
}

/** What the cache would do; `null` where it has no folder, or is off. */
async function cacheOf(
  { cacheFolder, usersFile, values }: LoadedPolicy,
  asked: Asked,
  user: string | null,
): Promise<string | null> {
  if (cacheFolder === null || values.cache === 0) return null;
  const apart = usersFile !== null && values["cache-shared"] !== true;
  return await cacheWords(cacheFolder, asked, apart ? user ?? "" : "", Date.now());
}

/** Judges as the proxy does: by the name, and then by each address that it leads to. */
async function judge(
  { spec, lists, values, routes }: LoadedPolicy,
  facts: Facts,
  given: readonly IpAddress[] | null,
): Promise<Answer> {
  const { host, ip, port } = facts.authority;
  const [way] = wayNames(routes, facts.authority);
  // the first is the one that is taken while it can be reached
  if (given === null && isElsewhere(routes, facts.authority)) {
    const explanation = explain(spec, lists, facts, null, true);
    return answerOf([{ addresses: [], explanation, own: false }], { state: "elsewhere", parent: way });
  }
  const byName = explain(spec, lists, facts, null);
  const decided = byName.verdict.decision === "deny" || byName.verdict.decision === "authenticate";
  if (ip === null && decided && byName.verdict.enforced) {
    // nothing is looked up for it, but what would turn it depends on the address too, where that is known
    const known = given?.[0] ?? (isLocal(host) ? LOOPBACK : null);
    const { changes } = known === null ? byName : explain(spec, lists, facts, known);
    const explanation = { ...byName, changes };
    return answerOf([{ addresses: [], explanation, own: false }], { state: "needless" });
  }
  const names = new ShortNames(spec, lists);
  let addresses: readonly IpAddress[];
  let where: Where;
  if (ip !== null) [addresses, where] = [[ip], { state: "literal", parent: way }];
  else if (given !== null) [addresses, where] = [given, { state: "given" }];
  else {
    try {
      addresses = (await new Resolver({ completes: (name) => names.mayComplete(name) }).resolve(host))
        .flatMap((each) => parseIp(each) ?? []);
      where = { state: "resolved" };
    } catch (error) {
      const told = error instanceof Error ? error.message : String(error);
      const reason = await mayLookUp() ? told : "looking it up needs the permission --allow-net";
      return answerOf([{ addresses: [], explanation: byName, own: false }], { state: "unknown", reason });
    }
  }
  const listeners = new OwnListeners();
  listeners.set((values.listen ?? DEFAULTS.listen).map((each) => ({ ...each })));
  return answerOf(
    grouped(addresses.map((address) => ({
      addresses: [address],
      explanation: explain(spec, lists, facts, address),
      own: listeners.includes(formatIp(address), port, "127.0.0.1"),
    }))),
    where,
  );
}

const LOOPBACK = parseIp("127.0.0.1")!;

/** Whether a name is loopback whatever a name server says (RFC 6761 §6.3). */
function isLocal(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost");
}

/** Addresses to which the policy says the same, together. */
function grouped(all: readonly Judged[]): Judged[] {
  const groups = new Map<string, { addresses: IpAddress[]; explanation: Explanation; own: boolean }>();
  for (const { addresses, explanation, own } of all) {
    const { verdict, steps } = explanation;
    const key = JSON.stringify([own, verdict.decision, verdict.rule, steps.map(({ result }) => result)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { addresses: [...addresses], explanation, own });
    else group.addresses.push(...addresses);
  }
  return [...groups.values()];
}

/** What comes of it all: the proxy leaves out the addresses that are refused, as long as there are others. */
function answerOf(judged: readonly Judged[], where: Where): Answer {
  const decisive = judged.find(goesOn) ?? judged[0];
  return { judged, decisive, where, goesOn: goesOn(decisive) };
}

function goesOn({ explanation: { verdict }, own }: Judged): boolean {
  return !own && (verdict.decision === "allow" || (!verdict.enforced && verdict.decision !== "unresolved"));
}

function readIp(flag: string, text: string): IpAddress {
  const ip = parseIp(text.replace(/^\[(.*)\]$/, "$1"));
  if (ip === null) {
    throw new UsageError([
      `${flag}: must be an address such as 192.0.2.1 or 2001:db8::1, not ${quote(text)}`,
    ]);
  }
  return ip;
}

/** Which way leads to a destination: the first route that names it. */

import type { Authority } from "../http/authority.ts";
import { embeddedIpv4s } from "../http/ip_address.ts";
import type { HostList } from "./host_list.ts";
import { type HostPattern, nameMatches } from "./host_pattern.ts";
import { Memo } from "./memo.ts";
import { Networks } from "./network.ts";
import { listsOf, networksOf } from "./rule.ts";

/** The name of the way without a parent. */
export const DIRECT = "direct";

/** A way with a name; `null` is the one without a parent. */
export type NamedWay = { readonly name: string } | null;

export interface Route<Way> {
  readonly hosts: readonly HostPattern[];
  /** In the order in which they are tried; at least one. */
  readonly via: readonly Way[];
  /** Where it was written, `weir.toml:12`; absent for what no file says. */
  readonly place?: string;
}

interface ReadyRoute<Way> extends Route<Way> {
  readonly networks: Networks;
  readonly lists: readonly HostList[];
}

/**
 * A destination is a name or an address as it was asked for: a route is found before anybody looks a name up, so that
 * networks hold for addresses alone, and names for names.
 */
export class Routes<Way> {
  readonly #routes: readonly ReadyRoute<Way>[];
  readonly #known = new Memo<Route<Way> | null>();

  /**
   * @param routes in order: the first that holds decides
   * @param lists those that the routes name, by their `file`; one that is missing holds nothing
   */
  constructor(routes: readonly Route<Way>[], lists: ReadonlyMap<string, HostList>) {
    this.#routes = routes.map((route) => ({
      ...route,
      networks: new Networks(networksOf(route.hosts)),
      lists: listsOf(route.hosts, lists),
    }));
  }

  /** All that routes name, as often as they do. */
  ways(): Way[] {
    return this.#routes.flatMap(({ via }) => via);
  }

  /** The ways that lead there; `null` when no route says anything about it. */
  find(authority: Authority): readonly Way[] | null {
    return this.route(authority)?.via ?? null;
  }

  /** The route that leads there; `null` when none says anything about it. */
  route(authority: Authority): Route<Way> | null {
    if (this.#routes.length === 0) return null;
    const known = this.#known.get(authority.host);
    if (known !== undefined) return known;
    return this.#known.set(authority.host, this.#routes.find((each) => holds(each, authority)) ?? null);
  }
}

/** Where nothing is said of ways: all goes direct. */
export const NO_ROUTES: Routes<never> = new Routes<never>([], new Map());

/** The names of the ways that lead there, in the order in which they are tried. */
export function wayNames(routes: Routes<NamedWay>, authority: Authority): readonly string[] {
  return routes.find(authority)?.map((way) => way?.name ?? DIRECT) ?? [DIRECT];
}

/**
 * Whether the way that is tried first is one on which another proxy looks the name up, so that it is judged without
 * its address.
 */
export function isElsewhere(routes: Routes<NamedWay>, authority: Authority): boolean {
  return authority.ip === null && (routes.find(authority)?.[0] ?? null) !== null;
}

function holds({ hosts, networks, lists }: ReadyRoute<unknown>, { host, ip }: Authority): boolean {
  if (ip === null) {
    return hosts.some((pattern) => nameMatches(pattern, host)) ||
      lists.some((list) => list.includesName(host));
  }
  if (hosts.some(({ kind }) => kind === "any")) return true;
  return [ip, ...ip.family === 6 ? embeddedIpv4s(ip) : []].some((each) =>
    networks.includes(each) || lists.some((list) => list.includesAddress(each))
  );
}

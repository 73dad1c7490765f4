/** The ways out that options, `[[parent]]` and `[[route]]` make together. */

import type { HostPattern } from "../policy/host_pattern.ts";
import { parseHostPattern } from "../policy/host_pattern.ts";
import { DIRECT, type Route } from "../policy/routes.ts";
import type { TestCase } from "../policy/test_case.ts";
import type { ParentSpec, WaySpec } from "../proxy/parents/parent.ts";
import { ConfigError } from "./errors.ts";
import { didYouMean } from "./nearest.ts";
import { DEFAULTS, type Values } from "./options.ts";
import { parseParent } from "./parent_url.ts";
import { quote } from "./printable.ts";

/** A `[[parent]]` as it was written, its URL found valid. */
export interface WrittenParent {
  readonly name: string;
  readonly url: string;
}

/** A `[[route]]` as it was written; its names are not looked up yet. */
export interface WrittenRoute {
  readonly hosts: readonly HostPattern[];
  readonly via: readonly string[];
  /** Where it was written: `weir.toml:12`. */
  readonly place: string;
}

/** What a file says of ways out. */
export interface WrittenWays {
  readonly parents: readonly WrittenParent[];
  readonly routes: readonly WrittenRoute[];
}

export const NO_WAYS: WrittenWays = { parents: [], routes: [] };

/**
 * All routes in the order in which they are tried: what goes direct whatever else is said, those of the file, and what
 * `--upstream` says of all others.
 *
 * @throws {ConfigError} when a name is no parent's
 */
export function routesOf(values: Values, { parents, routes }: WrittenWays): Route<WaySpec>[] {
  const { upstream = [], "no-upstream": direct = DEFAULTS["no-upstream"] } = values;
  if (upstream.length === 0 && routes.length === 0) return [];
  const problems: string[] = [];
  const wayOf = wayReader(parents, problems);
  const all: Route<WaySpec>[] = [];
  if (direct[0] !== "none") all.push({ hosts: direct.map(parseHostPattern), via: [null] });
  for (const { hosts, via, place } of routes) all.push({ hosts, via: via.map(wayOf(place)), place });
  if (upstream.length > 0) {
    all.push({ hosts: [{ kind: "any", text: "*" }], via: upstream.map(wayOf("--upstream")) });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return all;
}

/**
 * Cases with the ways that they expect by their names, as routes have them.
 *
 * @throws {ConfigError} when a name is no parent's
 */
export function casesOf(tests: readonly TestCase[], { parents }: WrittenWays): TestCase[] {
  const problems: string[] = [];
  const wayOf = wayReader(parents, problems);
  const cases = tests.map((test) => {
    if (test.via === null) return test;
    const ways = test.via.map(wayOf(`${test.file}:${test.line}`));
    return { ...test, via: ways.map((way) => way?.name ?? DIRECT) };
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return cases;
}

/** Reads names and URLs of ways that are written at a place; a name that is no parent's is added to the problems. */
function wayReader(
  parents: readonly WrittenParent[],
  problems: string[],
): (place: string) => (text: string) => WaySpec {
  const byName = new Map(parents.map(({ name, url }) => [name, parseParent(url, name)]));
  return (place) => (text) => {
    if (text === DIRECT) return null;
    if (text.includes("://")) return named(parseParent(text), byName);
    const parent = byName.get(text);
    if (parent !== undefined) return parent;
    const names = [...byName.keys(), DIRECT];
    problems.push(`${place}: there is no [[parent]] with the name ${quote(text)}${didYouMean(text, names)}`);
    return null;
  };
}

/** The same parent has one name, and is out of service for all routes at once. */
function named(spec: ParentSpec, byName: ReadonlyMap<string, ParentSpec>): ParentSpec {
  for (const known of byName.values()) if (known.secretKey === spec.secretKey) return known;
  return spec;
}

/** The parents of routes, each once, in their order. */
export function parentsOf(routes: readonly Route<WaySpec>[]): ParentSpec[] {
  const parents = new Map<string, ParentSpec>();
  for (const { via } of routes) {
    for (const way of via) if (way !== null && !parents.has(way.secretKey)) parents.set(way.secretKey, way);
  }
  return [...parents.values()];
}

/** The parents of a proxy: which way leads where, and which of them are in service. */

import type { Authority } from "../../http/authority.ts";
import { Routes } from "../../policy/routes.ts";
import { Parent, type Way, type WaySpec } from "./parent.ts";
import { called } from "./parent_error.ts";
import { reachParent } from "./parent_dial.ts";
import type { Services } from "../services.ts";
import { SignalDeadline } from "../../net/signal_deadline.ts";

/** What a parent is out for is told in steps of this, ms. */
const SECOND = 1000;

export class Parents {
  #routes: Routes<WaySpec> = new Routes([], new Map());
  #known = new Map<string, Parent>();
  #number = 0;
  /** What each list of ways came to, which routes give again and again. */
  #ways = new Map<readonly WaySpec[], readonly Way[]>();
  /** What goes on behind exchanges, and how it is given up. */
  readonly #background = new Map<Promise<void>, () => void>();

  constructor(readonly services: Services) {}

  /** Takes other routes. Parents that are as they were stay what they are. */
  set routes(routes: Routes<WaySpec>) {
    if (routes === this.#routes) return;
    this.#routes = routes;
    this.#ways = new Map();
    const before = this.#known;
    this.#known = new Map();
    for (const spec of routes.ways()) {
      if (spec === null || this.#known.has(spec.secretKey)) continue;
      const known = before.get(spec.secretKey);
      const same = known !== undefined && known.name === spec.name;
      this.#known.set(spec.secretKey, same ? known : new Parent(spec, ++this.#number));
    }
  }

  /**
   * The ways to a destination in the order in which they are to be tried: those in service first. `null` when there
   * is but one, to the origin itself.
   *
   * @param without these are left out
   */
  waysTo(authority: Authority, without: readonly Way[] = []): readonly Way[] | null {
    const ways = this.#inOrder(authority);
    return without.length === 0 || ways === null ? ways : ways.filter((way) => !without.includes(way));
  }

  #inOrder(authority: Authority): readonly Way[] | null {
    const specs = this.#routes.find(authority);
    if (specs === null) return null;
    let ways = this.#ways.get(specs);
    if (ways === undefined) {
      ways = specs.map((spec) => spec === null ? null : this.#known.get(spec.secretKey)!);
      this.#ways.set(specs, ways);
    }
    if (ways.length === 1) return ways[0] === null ? null : ways;
    if (ways.every(isIn)) return ways;
    const others = ways.filter(isIn);
    // where there is no other way, whoever comes tries it
    if (others.length > 0) { for (const way of ways) if (way !== null && !isIn(way)) this.#mayProbe(way); }
    return [...others, ...ways.filter((way) => !isIn(way))];
  }

  /** The way that is tried first. */
  firstWay(authority: Authority): Way {
    return this.waysTo(authority)?.[0] ?? null;
  }

  /** A parent was reached. */
  reached({ health, name }: Parent): void {
    if (health.answered(performance.now())) {
      this.services.observer.notice("info", `the parent proxy ${name} can be reached again`);
    }
  }

  /**
   * A parent could not be reached.
   *
   * @param term that of its health when the attempt began
   */
  failed(parent: Parent, term: number, reason: string): void {
    const now = performance.now();
    if (!parent.health.failed(term, now, Math.random())) return;
    const seconds = Math.max(1, Math.round((parent.health.outUntil - now) / SECOND));
    this.services.observer.notice(
      "warning",
      `${called(parent)} is out of service for ${seconds} s and more: ${
        reason.replace(`${called(parent)} cannot be reached: `, "")
      }`,
    );
  }

  /** Does something behind exchanges, until it is over or the proxy stops. */
  inBackground(work: Promise<void>, giveUp: () => void): void {
    const done = work.finally(() => this.#background.delete(done));
    this.#background.set(done, giveUp);
  }

  /** Ends what goes on in the background. */
  async stop(): Promise<void> {
    for (const giveUp of this.#background.values()) giveUp();
    await Promise.all(this.#background.keys());
  }

  /** Finds out if a parent is back that has been out for long enough, so that no exchange has to wait for it. */
  #mayProbe(parent: Parent): void {
    if (parent.probed || this.services.draining || !parent.health.isDue(performance.now())) return;
    const { clock, settings } = this.services;
    const deadline = SignalDeadline.in(clock, settings.connectTimeout);
    parent.probed = true;
    this.inBackground(this.#probe(parent, deadline), () => deadline.giveUp());
  }

  async #probe(parent: Parent, deadline: SignalDeadline): Promise<void> {
    const { term } = parent.health;
    try {
      const { stream } = await reachParent(this.services, parent, "", deadline.signal);
      stream.close();
      this.reached(parent);
    } catch (error) {
      this.failed(parent, term, (error as Error).message);
    } finally {
      parent.probed = false;
      deadline.lift();
    }
  }
}

function isIn(way: Way): boolean {
  return way === null || way.health.isIn;
}

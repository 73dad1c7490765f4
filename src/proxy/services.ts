/** What all sessions of one proxy share. */

import type { DiskStore } from "../cache/disk_store.ts";
import { formatDate } from "../http/date.ts";
import { fieldLine } from "../http/head_writer.ts";
import { Clock } from "../net/clock.ts";
import { Pool } from "../net/pool.ts";
import { UnfinishedMessages } from "../net/unfinished.ts";
import { Resolver, type ResolverOptions } from "../net/resolve.ts";
import { isShared } from "../policy/broad_names.ts";
import { OwnListeners } from "../policy/own_listeners.ts";
import { Rates } from "../policy/rates.ts";
import type { BodyFetch } from "./cache/body_fetch.ts";
import { DiskShelf } from "./cache/disk_shelf.ts";
import { HttpCache } from "./cache/http_cache.ts";
import { Identities } from "./identity/identities.ts";
import type { Observer } from "./observer.ts";
import { Parents } from "./parents/parents.ts";
import { Request } from "./request.ts";
import { Response } from "./response.ts";
import type { Revalidation } from "./cache/revalidation.ts";
import type { ProxySettings } from "./settings.ts";
import type { Upstream } from "./upstream.ts";

/** Look-ups of names of parents at a time, beside those for clients: each holds one of the same threads. */
const PARENT_LOOKUPS = 2;
/** How many requests and responses are kept for the next exchange. */
const KEPT = 1024;

export class Services {
  settings!: ProxySettings;
  readonly clock = new Clock();
  readonly pool: Pool<Upstream>;
  readonly parents: Parents;
  /** For names that clients ask for. */
  readonly resolver: Resolver;
  /** For names of parents, which are the operator's and do not wait for those of clients. */
  readonly parentResolver: Resolver;
  readonly ownListeners = new OwnListeners();
  readonly rates = new Rates();
  readonly unfinished = new UnfinishedMessages();
  readonly identities = new Identities(this.clock);
  /** What is stored of responses; `null` when nothing is. */
  cache: HttpCache | null = null;
  /** What is being fetched without a client that would end it. */
  readonly fetches = new Set<BodyFetch>();
  readonly backgrounds = new Set<Revalidation>();
  /** Gives up what can be spared where no descriptor is left; false when nothing could be. */
  makeRoom: () => boolean = () => false;
  /** Whether none is left but those for telling clients so. */
  shortage: { readonly lasts: boolean } = { lasts: false };
  /** No new exchange is begun, and every answer is the last on its connection. */
  draining = false;

  /** `Via` lines for a message that came as HTTP/1.0 and as HTTP/1.1 (RFC 9110 §7.6.3). */
  via: readonly [Uint8Array, Uint8Array] = [new Uint8Array(), new Uint8Array()];

  readonly #requests: Request[] = [];
  readonly #responses: Response[] = [];
  readonly #shelf: DiskShelf | null;
  #number = 0;
  #dateSecond = -1;
  #dateLine: Uint8Array = new Uint8Array();

  /** @param disk keeps responses behind those in memory */
  constructor(
    settings: ProxySettings,
    readonly observer: Observer,
    resolverOptions?: ResolverOptions,
    disk: DiskStore | null = null,
  ) {
    this.#shelf = disk === null ? null : new DiskShelf(disk);
    this.pool = new Pool(settings);
    this.parents = new Parents(this);
    this.resolver = new Resolver({
      timeout: settings.connectTimeout,
      completes: (host) => this.settings.policy.mayComplete(host),
      isShared,
      ...resolverOptions,
    });
    this.parentResolver = new Resolver({
      timeout: settings.connectTimeout,
      maxLookups: PARENT_LOOKUPS,
      shared: false,
      ...resolverOptions,
    });
    this.update(settings);
  }

  /** Other settings, for exchanges that begin from now on. */
  update(settings: ProxySettings): void {
    // what the policy before let the system complete may be asked for under this one
    if (this.settings !== undefined && this.settings.policy !== settings.policy) this.resolver.forget();
    this.settings = settings;
    this.parents.routes = settings.routes;
    const keeps = settings.originConnections === "keep";
    this.pool.limits = keeps ? settings : { ...settings, poolSize: 0 };
    if (!keeps) this.pool.clear();
    if (settings.cacheSize === 0) this.cache = null;
    else if (this.cache === null) this.cache = new HttpCache(settings.cacheSize, this.#shelf);
    else this.cache.limit = settings.cacheSize;
    if (this.cache !== null) this.cache.estimates = settings.cacheEstimates;
    this.rates.limits = { client: settings.clientRates, user: settings.userRates };
    this.via = [fieldLine("Via", `1.0 ${settings.pseudonym}`), fieldLine("Via", `1.1 ${settings.pseudonym}`)];
  }

  nextNumber(): number {
    return ++this.#number;
  }

  /** Takes a number back that nothing was logged for, so that none is missing; false when another was given since. */
  takeBack(number: number): boolean {
    if (number !== this.#number) return false;
    this.#number--;
    return true;
  }

  borrowRequest(): Request {
    const request = this.#requests.pop() ?? new Request(this.settings);
    request.head.limits = this.settings;
    return request;
  }

  giveBackRequest(request: Request): void {
    if (request.release() && this.#requests.length < KEPT) this.#requests.push(request);
  }

  borrowResponse(): Response {
    const response = this.#responses.pop() ?? new Response(this.settings);
    response.use(this.settings);
    return response;
  }

  giveBackResponse(response: Response): void {
    if (response.release() && this.#responses.length < KEPT) this.#responses.push(response);
  }

  /** The line `Date: …` of this second. */
  dateLine(): Uint8Array {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#dateLine = fieldLine("Date", formatDate(second * 1000));
    }
    return this.#dateLine;
  }
}

/** Zones of which no name server says anything, so that their names are not asked for one after the other. */

/** So many names of a zone in a row without an answer, and it counts as silent. */
const SILENCES = 3;
/** ms between two names of a silent zone that are asked for all the same. */
const PAUSE = 5_000;
/** Zones that are remembered; the oldest make room. */
const MOST = 1_000;

interface Silence {
  /** Names in a row that got no answer. */
  count: number;
  /** Until when nothing below it is asked, on the caller's clock. */
  until: number;
}

/**
 * Counted for each client by itself: names that one client makes up must not silence a zone for others, nor must a
 * delegation to nowhere that a stranger owns.
 */
export class SilentZones {
  readonly #silences = new Map<string, Silence>();

  /** @param isShared whether names below this one belong to many who have nothing to do with each other, as below `com` */
  constructor(readonly isShared: (name: string) => boolean) {}

  /**
   * The zone of a name: as few labels at its end as belong to one owner, two at least. The name itself where there is
   * no such zone.
   */
  zoneOf(host: string): string {
    let at = host.lastIndexOf(".");
    do {
      at = host.lastIndexOf(".", at - 1);
    } while (at > 0 && this.isShared(host.slice(at + 1)));
    return host.slice(at + 1);
  }

  /** Whether this client has to do without the name for now. What it lets through is the test of the zone. */
  includes(client: string, host: string, now: number): boolean {
    if (this.#silences.size === 0) return false;
    const silence = this.#silences.get(keyOf(client, this.zoneOf(host)));
    if (silence === undefined || silence.count < SILENCES) return false;
    if (now < silence.until) return true;
    silence.until = now + PAUSE;
    return false;
  }

  /** No name server has said anything about a name. */
  silent(client: string, host: string, now: number): void {
    const key = keyOf(client, this.zoneOf(host));
    const silence = this.#silences.get(key);
    this.#silences.delete(key);
    for (const oldest of this.#silences.keys()) {
      if (this.#silences.size < MOST) break;
      this.#silences.delete(oldest);
    }
    this.#silences.set(key, { count: (silence?.count ?? 0) + 1, until: now + PAUSE });
  }

  /** A name server has spoken about a name, be it that there is none. */
  answered(client: string, host: string): void {
    if (this.#silences.size > 0) this.#silences.delete(keyOf(client, this.zoneOf(host)));
  }
}

function keyOf(client: string, zone: string): string {
  return `${client} ${zone}`;
}

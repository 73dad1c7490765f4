/** Which objects were used, and how often: gathered, since each one that is written costs as much as to read it. */

/** They are written when there are so many, or so long after the first one, ms. */
const MOST_USES = 4096;
const LONGEST_WAIT = 1000;

export interface GatheredUses {
  /** Of objects, for {@link partsOf}. */
  readonly names: readonly string[];
  /** How often each of them was used. */
  readonly counts: readonly number[];
  /** The same for those of which the identifiers are known. */
  readonly ids: readonly number[];
  readonly countsOfIds: readonly number[];
}

export class Uses {
  readonly #names = new Map<string, number>();
  /** What was found on the disk: identifiers are sent and written for a third of what names cost. */
  readonly #ids = new Map<number, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param due called when it is time to {@link take} them */
  constructor(private readonly due: () => void) {}

  add(key: string, variant: string): void {
    this.#count(this.#names, nameOf(key, variant));
  }

  addId(id: number): void {
    this.#count(this.#ids, id);
  }

  #count<Name>(counts: Map<Name, number>, name: Name): void {
    if (this.#size === 0) this.#timer = setTimeout(this.due, LONGEST_WAIT);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (this.#size >= MOST_USES) this.due();
  }

  get #size(): number {
    return this.#names.size + this.#ids.size;
  }

  /** All of them, which are gathered no more; `null` when there are none. */
  take(): GatheredUses | null {
    if (this.#size === 0) return null;
    const uses = {
      names: [...this.#names.keys()],
      counts: [...this.#names.values()],
      ids: [...this.#ids.keys()],
      countsOfIds: [...this.#ids.values()],
    };
    this.#names.clear();
    this.#ids.clear();
    clearTimeout(this.#timer);
    return uses;
  }
}

/** One text for an object: a map of texts costs less than one of maps. The key has no line feed. */
function nameOf(key: string, variant: string): string {
  return `${key}\n${variant}`;
}

/** Those that were used equally often, by how often: one statement does them all. */
export function byCount({ ids, countsOfIds }: GatheredUses): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const [at, id] of ids.entries()) {
    const group = groups.get(countsOfIds[at]);
    if (group === undefined) groups.set(countsOfIds[at], [id]);
    else group.push(id);
  }
  return groups;
}

/** What {@link Uses} has put together. */
export function partsOf(name: string): { key: string; variant: string } {
  const end = name.indexOf("\n");
  return { key: name.slice(0, end), variant: name.slice(end + 1) };
}

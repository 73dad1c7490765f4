/** Which objects were used, and how often: gathered, since each one that is written costs as much as to read it. */

/** They are written when there are so many, or so long after the first one, ms. */
const MOST_USES = 4096;
const LONGEST_WAIT = 1000;

export interface GatheredUses {
  /** Of objects, for {@link partsOf}. */
  readonly names: readonly string[];
  /** How often each of them was used. */
  readonly counts: readonly number[];
}

export class Uses {
  readonly #counts = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param due called when it is time to {@link take} them */
  constructor(private readonly due: () => void) {}

  add(key: string, variant: string): void {
    if (this.#counts.size === 0) {
      this.#timer = setTimeout(this.due, LONGEST_WAIT);
    }
    const name = nameOf(key, variant);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    if (this.#counts.size >= MOST_USES) this.due();
  }

  /** All of them, which are gathered no more; `null` when there are none. */
  take(): GatheredUses | null {
    if (this.#counts.size === 0) return null;
    const uses = { names: [...this.#counts.keys()], counts: [...this.#counts.values()] };
    this.#counts.clear();
    clearTimeout(this.#timer);
    return uses;
  }
}

/** One text for an object: a map of texts costs less than one of maps. The key has no line feed. */
function nameOf(key: string, variant: string): string {
  return `${key}\n${variant}`;
}

/** What {@link Uses} has put together. */
export function partsOf(name: string): { key: string; variant: string } {
  const end = name.indexOf("\n");
  return { key: name.slice(0, end), variant: name.slice(end + 1) };
}

/** Work that may hang, a bounded number at a time, shared out among clients. */

/** One piece of work. It may wait on the accounts of several clients, and is done on that of the first whose turn comes. */
export class Turn {
  /** Whether it was begun. */
  begun = false;
  /** The clients that wait for it; once it has begun, the one that pays for it. */
  accounts: Account[] = [];

  constructor(readonly begin: () => void) {}
}

/** One client: what it has under way and what waits. */
interface Account {
  readonly key: string;
  running: number;
  readonly waiting: Set<Turn>;
}

/** How many times what a client has under way must be free still for one more. */
const MARGIN = 3;
/** The part of all places that is for clients with nothing under way. */
const RESERVE = 1 / 4;

/**
 * A client may begin one more while three times what it has under way is free still, beside the reserve: a single one
 * gets less than a quarter of all places, many get less each, and places are left for newcomers. Those that wait come
 * by turns.
 */
export class Turns {
  /** Clients that have something under way or waiting; the one whose turn came last is the last. */
  readonly #accounts = new Map<string, Account>();
  #running = 0;

  /**
   * @param most pieces under way at a time
   * @param shared whether clients have shares; otherwise each may take all places
   */
  constructor(readonly most: number, readonly shared: boolean) {}

  /** Begins the work at once, or when a turn of this client's or of another that waits for it comes. */
  enter(turn: Turn, key: string): void {
    if (turn.begun || turn.accounts.some((account) => account.key === key)) return;
    let account = this.#accounts.get(key);
    if (account === undefined) this.#accounts.set(key, account = { key, running: 0, waiting: new Set() });
    account.waiting.add(turn);
    turn.accounts.push(account);
    this.#go();
  }

  /** No caller waits any more for this work, which has not begun. */
  leave(turn: Turn): void {
    for (const account of turn.accounts) {
      account.waiting.delete(turn);
      this.#tidy(account);
    }
    turn.accounts = [];
  }

  /** The work is done. */
  end(turn: Turn): void {
    const [account] = turn.accounts;
    account.running--;
    this.#running--;
    this.#tidy(account);
    this.#go();
  }

  #go(): void {
    while (this.#running < this.most) {
      const account = this.#next();
      if (account === null) return;
      const [turn] = account.waiting;
      this.leave(turn);
      turn.begun = true;
      turn.accounts = [account];
      account.running++;
      this.#running++;
      // the next turn of this client comes after one of each other
      this.#accounts.delete(account.key);
      this.#accounts.set(account.key, account);
      turn.begin();
    }
  }

  /** Passes over at most as many as have something under way, or one more. */
  #next(): Account | null {
    for (const account of this.#accounts.values()) {
      if (account.waiting.size > 0 && this.#mayBegin(account)) return account;
    }
    return null;
  }

  #mayBegin({ running }: Account): boolean {
    if (running === 0 || !this.shared) return true;
    return running * MARGIN < this.most * (1 - RESERVE) - this.#running;
  }

  #tidy(account: Account): void {
    if (account.running === 0 && account.waiting.size === 0) this.#accounts.delete(account.key);
  }
}

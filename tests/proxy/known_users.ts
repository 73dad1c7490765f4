/** Users whose passwords cost nothing, for tests that count how often they are asked for. */

import type { Users } from "../../src/proxy/identity/users.ts";

export class KnownUsers implements Users {
  version = 1;
  /** Each `user:password` that was verified, in order. */
  readonly asked: string[] = [];
  readonly #passwords = new Map<string, string>();
  #held: PromiseWithResolvers<void> | null = null;

  constructor(passwords: Record<string, string>) {
    this.set(passwords);
  }

  set(passwords: Record<string, string>): void {
    this.#passwords.clear();
    for (const [user, password] of Object.entries(passwords)) this.#passwords.set(user, password);
    this.version++;
  }

  recordOf(user: string): string | undefined {
    const password = this.#passwords.get(user);
    return password === undefined ? undefined : `hash of ${password}`;
  }

  async verify(user: string, password: string): Promise<boolean> {
    this.asked.push(`${user}:${password}`);
    const right = this.#passwords.get(user) === password;
    await this.#held?.promise;
    return right;
  }

  /** From now on verifying takes until {@link letGo}. */
  hold(): void {
    this.#held = Promise.withResolvers();
  }

  letGo(): void {
    this.#held?.resolve();
    this.#held = null;
  }

  /** From now on verifying is not possible. */
  breakDown(): void {
    this.#held = Promise.withResolvers();
    this.#held.promise.catch(() => {});
    this.#held.reject(new Error("out of memory"));
  }
}

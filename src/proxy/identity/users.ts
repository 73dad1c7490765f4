/** Who the proxy knows. It owns this interface; where the users come from is no matter of this room. */
export interface Users {
  /** Counts up whenever a user comes, goes or has another password. */
  readonly version: number;
  /** What is kept of a user's password: another text as soon as it is another password; `undefined` for no user. */
  recordOf(user: string): string | undefined;
  /**
   * Whether this is the user's password. Takes its time, and as much for a user who is not known: many at once wait
   * for each other. Rejects only when it cannot be found out.
   */
  verify(user: string, password: string): Promise<boolean>;
}

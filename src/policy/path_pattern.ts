/** Paths as rules name them: `/api/*`. */

export interface PathPattern {
  /** As it was written. */
  readonly text: string;
}

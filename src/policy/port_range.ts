/** Ports as rules name them: `443`, `8000-8999`. */

/** First and last included, 1–65535. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

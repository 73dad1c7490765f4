/** The proxy as programs are told of it. */

/**
 * Every part holds nothing but characters that may stand in a URL, so that neither quotes (`"`), white space,
 * backslashes nor control characters come up in it.
 */
export interface ProxyUrl {
  /** `http://user:password@host:8888`, the port always written: not all programs think of the same one. */
  readonly text: string;
  /** Without brackets. */
  readonly host: string;
  readonly port: string;
  /** Whether a user is named, which not every program can pass on. */
  readonly hasUser: boolean;
}

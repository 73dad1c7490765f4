/**
 * A word of a policy (a host, a network, a port, a path) that cannot be understood. The message goes on after the
 * name of the key and a colon, and says what to write instead.
 */
export class PatternError extends Error {
  override readonly name = "PatternError";
}

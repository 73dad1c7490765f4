/** Why there is no answer, or no whole one. */

/** A step of an exchange that failed; the message is one line for people, and may quote the network. */
export class GetFailure extends Error {
  override readonly name = "GetFailure";

  /**
   * @param step where it failed
   * @param refused whether nobody listens where the connection was to go
   */
  constructor(readonly step: Step, message: string, readonly refused = false) {
    super(message);
  }
}

/** The stations of an exchange, in their order. */
export type Step = "name" | "connect" | "tunnel" | "tls" | "answer" | "body";

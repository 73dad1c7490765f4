/** The end of an exchange whose client has gone: there is nobody to be answered. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";

  constructor() {
    super("the client went away");
  }
}

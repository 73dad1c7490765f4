/** What is wrong with what a person wrote. */

/** A value is not what its option takes; the message goes on after the option's name and a colon. */
export class WrongValue extends Error {
  override readonly name: string = "WrongValue";

  /** @param item which item of a list is wrong, from 0, or which key of a table */
  constructor(message: string, readonly item?: number | string) {
    super(message);
  }
}

/** The command line or the configuration is wrong: everything that is wrong with it, each in one line. */
abstract class Problems extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
  }
}

/** The command line cannot be understood. */
export class UsageError extends Problems {
  override readonly name = "UsageError";

  /** @param command whose usage it is, where that is not known to whoever catches it */
  constructor(problems: readonly string[], readonly command?: string) {
    super(problems);
  }
}

/** The configuration cannot be used: its file, or a file that it names. */
export class ConfigError extends Problems {
  override readonly name = "ConfigError";
}

/** The command line or the configuration is wrong: all that is wrong with it, each in one line. */
abstract class Problems extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
  }
}

/** The command line cannot be understood. */
export class UsageError extends Problems {
  override readonly name = "UsageError";
}

/** The configuration cannot be used: its file, or a file that it names. */
export class ConfigError extends Problems {
  override readonly name = "ConfigError";
}

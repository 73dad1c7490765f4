/** The signals that an operator sends, and those that would end a process that does not expect them. */

export interface SignalHandlers {
  /** SIGINT, SIGTERM or SIGBREAK, each time it comes. */
  stop(signal: Deno.Signal): void;
  /** SIGHUP. */
  hangup(): void;
  /** SIGUSR1 or SIGUSR2, which other servers take for something. */
  unused?(signal: Deno.Signal): void;
}

// Windows has no SIGTERM to listen for, and its SIGHUP means that the process is about to be killed
const WINDOWS = Deno.build.os === "windows";
const STOP: readonly Deno.Signal[] = WINDOWS ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
const HANGUP: readonly Deno.Signal[] = WINDOWS ? [] : ["SIGHUP"];
/**
 * Scripts that rotate logs send them, and their default is to end the process. Others that end it stay what they are:
 * SIGALRM, SIGVTALRM, SIGPROF and SIGXCPU come of a limit that was set in order to end it, SIGQUIT of one
 * who wants its memory written to a file. SIGPIPE is ignored by Deno.
 */
const UNUSED: readonly Deno.Signal[] = WINDOWS ? [] : ["SIGUSR1", "SIGUSR2"];
/** A file has reached the size that `ulimit -f` allows: with a listener the write fails (EFBIG), without one all ends. */
const FILE_SIZE: readonly Deno.Signal[] = WINDOWS ? [] : ["SIGXFSZ"];

/** Listens for signals until the returned function is called. */
export function listenForSignals(handlers: SignalHandlers): () => void {
  return listen([
    ...STOP.map((signal) => [signal, () => handlers.stop(signal)] as const),
    ...HANGUP.map((signal) => [signal, () => handlers.hangup()] as const),
    ...UNUSED.map((signal) => [signal, () => handlers.unused?.(signal)] as const),
  ]);
}

/**
 * Keeps signals that nobody means for weir from ending it, whatever the command: from the start to the last write, which
 * is one of Deno's own at its exit.
 */
export function withstandSignals(): void {
  listen([...UNUSED, ...FILE_SIZE].map((signal) => [signal, () => {}]));
}

/** What the operator is told of a signal that means nothing to weir. */
export function ignoredText(signal: Deno.Signal): string {
  return `${signal} is ignored: SIGTERM stops weir, SIGHUP has it read its files again`;
}

function listen(listeners: readonly (readonly [Deno.Signal, () => void])[]): () => void {
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
  };
}

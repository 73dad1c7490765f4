/** The signals that an operator sends. */

export interface SignalHandlers {
  /** SIGINT, SIGTERM or SIGBREAK, each time it comes. */
  stop(signal: Deno.Signal): void;
  /** SIGHUP. */
  hangup(): void;
}

// Windows has no SIGTERM to listen for, and its SIGHUP means that the process is about to be killed
const STOP: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];
const HANGUP: readonly Deno.Signal[] = Deno.build.os === "windows" ? [] : ["SIGHUP"];

/** Listens for signals until the returned function is called. */
export function listenForSignals(handlers: SignalHandlers): () => void {
  const listeners = [
    ...STOP.map((signal) => [signal, () => handlers.stop(signal)] as const),
    ...HANGUP.map((signal) => [signal, () => handlers.hangup()] as const),
  ];
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
  };
}

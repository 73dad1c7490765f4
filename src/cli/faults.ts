/**
 * Keeps the process alive when an error escapes that weir should have handled: one exchange may be lost, the
 * others go on. Each is a fault of weir's own, and is said out loud.
 *
 * @returns a function that ends the watch
 */
export function watchForFaults(report: (message: string) => void): () => void {
  let count = 0;
  const tell = (event: Event, error: unknown) => {
    event.preventDefault();
    count++;
    const text = error instanceof Error ? error.stack ?? String(error) : String(error);
    // a notice is one line
    report(`fault ${count} of weir itself, please report it: ${text.replace(/\s*\n\s*/g, " ")}`);
  };
  const rejected = (event: PromiseRejectionEvent) => tell(event, event.reason);
  const thrown = (event: ErrorEvent) => tell(event, event.error);
  globalThis.addEventListener("unhandledrejection", rejected);
  globalThis.addEventListener("error", thrown);
  return () => {
    globalThis.removeEventListener("unhandledrejection", rejected);
    globalThis.removeEventListener("error", thrown);
  };
}

/** Closing what may be closed already, which the platform takes for a fault. */

export function close(stream: { close(): void }): void {
  try {
    stream.close();
  } catch {
    // it is closed
  }
}

/** Ports of the loopback interface that can be told before somebody listens at them, or while nobody does. */

const given = new Set<number>();

/**
 * A port of 127.0.0.1 that is free now, and stays so until it is used: it is none of those that the system itself
 * gives to outgoing connections and to whoever asks for any port, and none that was given here before.
 */
export function freePort(): number {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (LOWEST_OF_THE_SYSTEM - LOWEST));
    if (given.has(port)) continue;
    given.add(port);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Services have their ports below this one, as a rule, and so has what browsers refuse to connect to. */
const LOWEST = 10_100;
const LOWEST_OF_THE_SYSTEM = lowestOfTheSystem();

/** The first of the ports that the system gives to those that ask for none in particular. */
function lowestOfTheSystem(): number {
  try {
    const lowest = Number.parseInt(Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range"));
    if (lowest > LOWEST + 1000) return lowest;
  } catch { /* Another system than Linux, or nobody allowed it. */ }
  return 32_768;
}

/** What not every machine has, containers above all. */

/** Whether there is a loopback address of IPv6: tests over `::1` are left out where there is none. */
export const HAS_IPV6 = hasIpv6();

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

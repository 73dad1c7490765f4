import { assertEquals } from "@std/assert";
import { clientKey } from "../../src/net/client_key.ts";
import { endsOf } from "../../src/net/ends.ts";

const address = (hostname: string, port: number): Deno.NetAddr => ({ transport: "tcp", hostname, port });

for (
  const [remote, local, client, own, listener] of [
    ["192.0.2.1", "192.0.2.9", "192.0.2.1", "192.0.2.9", "192.0.2.9:8888"],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.9", "192.0.2.1", "192.0.2.9", "192.0.2.9:8888"],
    ["2001:db8::1", "2001:db8::9", "2001:db8::1", "2001:db8::9", "[2001:db8::9]:8888"],
    ["::ffff:0:1", "::1", "::ffff:0:1", "::1", "[::1]:8888"],
  ]
) {
  Deno.test(`a connection from ${remote} to ${local} is one of ${client} at ${listener}`, () => {
    assertEquals(endsOf(address(remote, 1), address(local, 8888)), {
      client,
      clientPort: 1,
      clientKey: clientKey(client),
      local: own,
      localPort: 8888,
      listener,
    });
  });
}

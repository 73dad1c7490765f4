/** weir's own addresses, which it is never told: what leads to one of its listeners is found out when it is dialled. */

import { assertStringIncludes } from "@std/assert";
import { Weir } from "./weir.ts";

const others = Deno.networkInterfaces().map(({ address }) => address)
  .filter((address) => !/^(?:127\.|::1$|fe80:|169\.254\.)/.test(address));

Deno.test({
  name: "no tunnel leads back to weir through another address of this machine",
  ignore: others.length === 0,
  async fn() {
    const hosts = others.map((address) => address.includes(":") ? `[${address}]` : address);
    // some machines have addresses that only a rule leads to
    const rules = hosts.flatMap((host) => ["--allow", `${host}:1-65535`]);
    await using weir = await Weir.start(["--clients", "all", ...rules], { listen: ":0" });
    for (const host of hosts) {
      using client = await Deno.connect({ hostname: "127.0.0.1", port: weir.port });
      await client.write(
        new TextEncoder().encode(`CONNECT ${host}:${weir.port} HTTP/1.1\r\nHost: a\r\n\r\n`),
      );
      const buffer = new Uint8Array(4096);
      const text = new TextDecoder().decode(buffer.subarray(0, await client.read(buffer) ?? 0));
      assertStringIncludes(text, "HTTP/1.1 502 ");
      assertStringIncludes(text, "error=proxy_loop_detected");
    }
  },
});

import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { installNodePrograms } from "./node_packages.ts";
import { Origin } from "./origin.ts";
import { succeed } from "./programs.ts";
import { Weir } from "./weir.ts";

Deno.test("programs for Node", async (test) => {
  await using origin = await Origin.start();
  await using weir = await Weir.start();
  const folder = `${origin.folder}/node`;
  await installNodePrograms(folder);
  const node = async (program: string) => {
    const args = [program, weir.url, origin.http, origin.https, origin.certificates.authority];
    const lines = await succeed("node", args, { cwd: folder });
    return lines.trim().split("\n").map((line) => JSON.parse(line));
  };

  await test.step("undici fetches through a ProxyAgent, forwarded and in tunnels", async () => {
    const digest = createHash("sha256").update("x".repeat(1_000_000)).digest("hex");
    const same = { hello: "Hello from the origin.\n", chunks: 290, digest, ok: 100 };
    assertEquals(await node("undici.mjs"), [
      { way: "forwarded", ...same, via: true },
      { way: "tunnelled", ...same, via: false },
      { way: "tunnelled with TLS", ...same, via: false },
    ]);
  });

  await test.step("ws opens WebSockets, upgraded by weir and in tunnels", async () => {
    const sizes = [1, 70_000, 1_000_000, 1000];
    assertEquals(await node("websocket.mjs"), [
      { way: "upgraded", sizes },
      { way: "tunnelled", sizes },
      { way: "tunnelled with TLS", sizes },
    ]);
  });

  weir.assertHealthy();
});

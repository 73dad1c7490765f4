// undici with a ProxyAgent: node undici.mjs PROXY TARGET AUTHORITY; prints what came as one line of JSON for
// each way to use a proxy.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// Installed beside this file when it runs, and unknown to Deno.
const { fetch, ProxyAgent } = createRequire(import.meta.url)("undici");

const [proxy, http, https, authority] = process.argv.slice(2);
const ca = readFileSync(authority, "utf8");
const ways = [
  ["forwarded", http, { proxyTunnel: false }],
  ["tunnelled", http, { proxyTunnel: true }],
  ["tunnelled with TLS", https, { proxyTunnel: true, requestTls: { ca } }],
];
for (const [way, origin, options] of ways) {
  const dispatcher = new ProxyAgent({ uri: proxy, ...options });
  const hello = await (await fetch(`${origin}/hello.txt`, { dispatcher })).text();
  const chunks = await (await fetch(`${origin}/service/chunks`, { dispatcher })).text();
  const body = "x".repeat(1_000_000);
  const digest = await fetch(`${origin}/service/digest`, { method: "POST", body, dispatcher });
  const many = await Promise.all(
    Array.from({ length: 100 }, async () => (await fetch(`${origin}/hello.txt`, { dispatcher })).status),
  );
  const via = (await (await fetch(`${origin}/service/fields`, { dispatcher })).json()).fields.find(([name]) =>
    name === "via"
  );
  await dispatcher.close();
  console.log(
    JSON.stringify({
      way,
      hello,
      chunks: chunks.length,
      digest: await digest.text(),
      ok: many.filter((status) => status === 200).length,
      via: via !== undefined,
    }),
  );
}

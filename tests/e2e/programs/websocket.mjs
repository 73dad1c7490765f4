// ws through a proxy: node websocket.mjs PROXY http://ORIGIN https://ORIGIN AUTHORITY; prints one line of JSON
// for each way. The agent for http:// sends the Upgrade in absolute-form, the one for https:// opens a tunnel.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// Installed beside this file when it runs, and unknown to Deno.
const require = createRequire(import.meta.url);
const { HttpProxyAgent } = require("http-proxy-agent");
const { HttpsProxyAgent } = require("https-proxy-agent");
const { WebSocket } = require("ws");

const [proxy, http, https, authority] = process.argv.slice(2);
const ca = readFileSync(authority, "utf8");
const ways = [
  ["upgraded", http, new HttpProxyAgent(proxy)],
  ["tunnelled", http, new HttpsProxyAgent(proxy)],
  ["tunnelled with TLS", https, new HttpsProxyAgent(proxy)],
];
for (const [way, origin, agent] of ways) {
  const socket = new WebSocket(`${origin.replace(/^http/, "ws")}/service/echo`, { agent, ca });
  const sizes = await new Promise((resolve, reject) => {
    const messages = ["a", "b".repeat(70_000), "c".repeat(1_000_000)];
    const sizes = [];
    socket.on("open", () => messages.forEach((message) => socket.send(message)));
    socket.on("message", (data) => {
      sizes.push(data.length);
      if (sizes.length === messages.length) socket.close(1000, "done");
    });
    socket.on("close", (code) => resolve([...sizes, code]));
    socket.on("error", reject);
  });
  console.log(JSON.stringify({ way, sizes }));
}

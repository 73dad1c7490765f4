/**
 * A name server and a web server for a network namespace of its own: `deno run -A name_server.ts NAMES`, with NAMES a
 * JSON object of addresses by complete names. Of names below `slow` it says nothing. The web server listens on
 * port 8000.
 */

const names: Record<string, string> = JSON.parse(Deno.args[0]);
const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 53 });
Deno.serve({
  hostname: "0.0.0.0",
  port: 8000,
  onListen: () => console.log("ready"),
}, () => new Response("here"));

for await (const [query, from] of socket) {
  const labels: string[] = [];
  let at = 12;
  while (query[at] !== 0) {
    labels.push(new TextDecoder().decode(query.subarray(at + 1, at + 1 + query[at])));
    at += query[at] + 1;
  }
  if (labels.at(-1) === "slow") continue;
  const address = names[labels.join(".").toLowerCase()];
  const wantsIpv4 = query[at + 2] === 1;
  const answer = address !== undefined && wantsIpv4
    ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split(".").map(Number)]
    : [];
  const head = [
    query[0],
    query[1],
    0x81,
    address === undefined ? 0x83 : 0x80,
    0,
    1,
    0,
    answer.length > 0 ? 1 : 0,
  ];
  await socket.send(
    new Uint8Array([...head, 0, 0, 0, 0, ...query.subarray(12, at + 5), ...answer]),
    from,
  );
}

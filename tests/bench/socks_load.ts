/**
 * Opens tunnels through a SOCKS 5 proxy, asks for something small in each, and closes it: so many at a time, for so
 * many seconds. Prints a JSON object with how many that were, how many failed, and the 99th percentile in ms.
 *
 *     deno run -A socks_load.ts PROXY_PORT ORIGIN_PORT CONCURRENCY SECONDS
 */

const [proxyPort, originPort, concurrency, seconds] = Deno.args.map(Number);

const encoder = new TextEncoder();
const GREETING = Uint8Array.of(5, 1, 0);
const REQUEST = Uint8Array.of(5, 1, 0, 1, 127, 0, 0, 1, originPort >> 8, originPort & 0xff);
const GET = encoder.encode("GET /small HTTP/1.0\r\nHost: a\r\n\r\n");

const times: number[] = [];
let failed = 0;
const until = performance.now() + seconds * 1000;

async function exactly(connection: Deno.TcpConn, buffer: Uint8Array, count: number): Promise<void> {
  for (let at = 0; at < count;) {
    const read = await connection.read(buffer.subarray(at, count));
    if (read === null) throw new Error("ended early");
    at += read;
  }
}

async function one(buffer: Uint8Array): Promise<void> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: proxyPort });
  try {
    connection.setNoDelay(true);
    await connection.write(GREETING);
    await exactly(connection, buffer, 2);
    await connection.write(REQUEST);
    await exactly(connection, buffer, 10);
    if (buffer[1] !== 0) throw new Error(`reply ${buffer[1]}`);
    await connection.write(GET);
    let received = 0;
    for (let read = 0; read !== null; received += read ?? 0) {
      const count = await connection.read(buffer);
      if (count === null) break;
      read = count;
    }
    if (received < 1024) throw new Error("too little");
  } finally {
    connection.close();
  }
}

async function client(): Promise<void> {
  const buffer = new Uint8Array(16 * 1024);
  while (performance.now() < until) {
    const began = performance.now();
    try {
      await one(buffer);
      times.push(performance.now() - began);
    } catch {
      failed++;
    }
  }
}

const began = performance.now();
await Promise.all(Array.from({ length: concurrency }, client));
const took = (performance.now() - began) / 1000;
times.sort((a, b) => a - b);
console.log(JSON.stringify({
  rate: times.length / took,
  p99: times[Math.floor(times.length * 0.99)] ?? 0,
  failed,
  took,
  count: times.length,
}));

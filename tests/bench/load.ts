/** What is asked of a proxy: requests by wrk, bodies by curl, tunnels and idle connections by Deno. */

import type { Proxy } from "./peers.ts";

/** What wrk counted; times in ms. */
export interface WrkResult {
  requests: number;
  seconds: number;
  p50: number;
  p99: number;
  errors: number;
}

/** Runs wrk with one thread; `close` opens a connection for each request. */
export async function wrk(
  proxy: Proxy,
  target: string,
  connections: number,
  seconds: number,
  close = false,
): Promise<WrkResult> {
  const script = new URL("absolute.lua", import.meta.url).pathname;
  return await runWrk(proxy, script, connections, seconds, [target, ...(close ? ["close"] : [])]);
}

/** The same, asking for the targets in a file (a line each) one after another, and again. */
export async function wrkEach(
  proxy: Proxy,
  targets: string,
  connections: number,
  seconds: number,
): Promise<WrkResult & { bytes: number }> {
  const script = new URL("each.lua", import.meta.url).pathname;
  return await runWrk<WrkResult & { bytes: number }>(proxy, script, connections, seconds, [targets]);
}

async function runWrk<Result extends WrkResult>(
  proxy: Proxy,
  script: string,
  connections: number,
  seconds: number,
  args: string[],
): Promise<Result> {
  const output = await run("wrk", [
    ...["-t", "1", "-c", String(connections), "-d", String(seconds), "--timeout", "10", "-s", script],
    ...[`http://127.0.0.1:${proxy.port}/`, "--", ...args],
  ]);
  const line = output.split("\n").find((line) => line.startsWith("{"));
  if (line === undefined) throw new Error(`wrk printed no result:\n${output}`);
  const result: Result = JSON.parse(line);
  if (result.requests === 0) throw new Error(`${proxy.peer.name} answered nothing.`);
  return result;
}

/** Fetches `target` with `count` curls at once, in tunnels or not; seconds until the last has it whole. */
export async function download(
  proxy: Proxy,
  target: string,
  bytes: number,
  count: number,
  tunnel = false,
): Promise<number> {
  const began = performance.now();
  const outputs = await Promise.all(Array.from({ length: count }, () =>
    run("curl", [
      ...["-sS", "-q", "-x", `http://127.0.0.1:${proxy.port}`, ...(tunnel ? ["-p"] : [])],
      ...["-o", "/dev/null", "-w", "%{http_code} %{size_download}", target],
    ])));
  const seconds = (performance.now() - began) / 1000;
  for (const output of outputs) {
    if (output !== `200 ${bytes}`) {
      throw new Error(`${proxy.peer.name} gave ${output} instead of 200 and ${bytes} bytes.`);
    }
  }
  return seconds;
}

/** Sends a file with curl's PUT; seconds until the answer. */
export async function upload(proxy: Proxy, target: string, file: string): Promise<number> {
  const began = performance.now();
  const output = await run("curl", [
    ...["-sS", "-q", "-x", `http://127.0.0.1:${proxy.port}`, "-H", "Expect:", "-T", file],
    ...["-o", "/dev/null", "-w", "%{http_code} %{size_upload}", target],
  ]);
  const expected = `200 ${(await Deno.stat(file)).size}`;
  if (output !== expected) throw new Error(`${proxy.peer.name} gave ${output} instead of ${expected}.`);
  return (performance.now() - began) / 1000;
}

/** Opens tunnels one after another in `workers` rows, each with a request and its answer in it. */
export async function openTunnels(
  proxy: Proxy,
  target: string,
  workers: number,
  seconds: number,
): Promise<{ tunnels: number; seconds: number; p50: number; p99: number; failed: number }> {
  const { host, pathname } = new URL(target);
  const encoder = new TextEncoder();
  const connect = encoder.encode(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const request = encoder.encode(`GET ${pathname} HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
  const times: number[] = [];
  let failed = 0;
  const began = performance.now();
  const until = began + seconds * 1000;
  await Promise.all(Array.from({ length: workers }, async () => {
    const buffer = new Uint8Array(16384);
    while (performance.now() < until) {
      const start = performance.now();
      try {
        using connection = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
        await connection.write(connect);
        await readHead(connection, buffer);
        await connection.write(request);
        let received = 0;
        for (let count; (count = await connection.read(buffer)) !== null;) received += count;
        if (received < 1024) throw new Error("The tunnel ended early.");
        times.push(performance.now() - start);
      } catch {
        failed++;
      }
    }
  }));
  const took = (performance.now() - began) / 1000;
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? NaN;
  return { tunnels: times.length, seconds: took, p50: at(0.5), p99: at(0.99), failed };
}

/** Reads until the end of a head and throws unless it says 200. The target speaks second, so nothing follows. */
async function readHead(connection: Deno.Conn, buffer: Uint8Array): Promise<void> {
  let text = "";
  while (!text.endsWith("\r\n\r\n")) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("The proxy closed the connection.");
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  if (!/^HTTP\/1\.[01] 200/.test(text)) throw new Error(text.split("\r\n")[0]);
}

/**
 * Opens `count` connections, sends one request on each and keeps them open. Throws when the proxy closes them
 * after an answer, for then there is nothing to keep.
 */
export async function openIdle(proxy: Proxy, target: string, count: number): Promise<Deno.Conn[]> {
  const request = new TextEncoder().encode(`GET ${target} HTTP/1.1\r\nHost: ${new URL(target).host}\r\n\r\n`);
  const connections: Deno.Conn[] = [];
  const open = async () => {
    const buffer = new Uint8Array(16384);
    while (connections.length < count) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
      connections.push(connection);
      await connection.write(request);
      let text = "";
      while (text.length < 1024) {
        const more = await connection.read(buffer);
        if (more === null) throw new Error(`${proxy.peer.name} closed a connection early.`);
        text += new TextDecoder().decode(buffer.subarray(0, more));
      }
    }
  };
  try {
    await Promise.all([open(), open(), open(), open(), open(), open(), open(), open()]);
    await connections[0].write(request);
    if (await connections[0].read(new Uint8Array(16384)) === null) {
      throw new Error(`${proxy.peer.name} keeps no connection open.`);
    }
  } catch (error) {
    for (const connection of connections) connection.close();
    throw error;
  }
  return connections;
}

/** Asks for `count` targets one after another on each of 16 connections, all at once; how many were answered 200. */
export async function fetchEach(
  proxy: Proxy,
  target: (number: number) => string,
  count: number,
  fields: string[] = [],
): Promise<number> {
  let next = 0;
  let found = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
    const buffer = new Uint8Array(65536);
    while (next < count) {
      const url = target(next++);
      const lines = [`GET ${url} HTTP/1.1`, `Host: ${new URL(url).host}`, ...fields, "", ""];
      await connection.write(new TextEncoder().encode(lines.join("\r\n")));
      let text = "";
      for (let whole = Infinity; text.length < whole;) {
        const more = await connection.read(buffer);
        if (more === null) throw new Error(`${proxy.peer.name} closed a connection early.`);
        text += new TextDecoder().decode(buffer.subarray(0, more));
        const head = text.indexOf("\r\n\r\n") + 4;
        if (head > 3) whole = head + Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? NaN);
        if (Number.isNaN(whole)) throw new Error(`${proxy.peer.name} gives no length.`);
      }
      if (text.startsWith("HTTP/1.1 200")) found++;
    }
  }));
  return found;
}

async function run(program: string, args: string[]): Promise<string> {
  const output = await new Deno.Command(program, { args, stdin: "null" }).output();
  const text = new TextDecoder().decode(output.stdout);
  if (!output.success) {
    throw new Error(`${program} failed: ${new TextDecoder().decode(output.stderr).trim() || text}`);
  }
  return text;
}

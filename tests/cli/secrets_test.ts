/** A password or a token that came with a URL, well or badly written: no message, no log and no answer repeats it. */

import { assert, assertStringIncludes } from "@std/assert";
import { processIo } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";
import { Weir } from "./weir.ts";

const SECRET = "s3cret";

/** What clients might send, each with {@link SECRET} in a place where a password or a token can be. */
const LINES = [
  `GET http://user:${SECRET}@ho st/ HTTP/1.1`,
  `GET http://user:${SECRET}@host/ HTTP/1.1`,
  `GET http://user:${SECRET}@host:99999/ HTTP/1.1`,
  `GET http://user:${SECRET}%zz@host/ HTTP/1.1`,
  `GET http://us!er-${SECRET}:x@host/ HTTP/1.1`,
  `GET http://${SECRET}%20@host/ HTTP/1.1`,
  `GET http://user:${SECRET}/more@host/ HTTP/1.1`,
  `GET http://user:more/${SECRET}@host/ HTTP/1.1`,
  `GET http://user:${SECRET}?@host/ HTTP/1.1`,
  `GET http://[user:${SECRET}@host/ HTTP/1.1`,
  `GET http://[::1]user:${SECRET}@host/ HTTP/1.1`,
  `GET https://user:${SECRET}@host/ HTTP/1.1`,
  `GET ftp://user:${SECRET}@host/ HTTP/1.1`,
  `GET http://user:${SECRET}@host/#part HTTP/1.1`,
  `GET user:${SECRET}@host HTTP/1.1`,
  `CONNECT user:${SECRET}@host:443 HTTP/1.1`,
  `CONNECT user:${SECRET}/x@host:443 HTTP/1.1`,
  `CONNECT [user:${SECRET}@host:443 HTTP/1.1`,
  `CONNECT host?token=${SECRET}:443 HTTP/1.1`,
  `CONNECT host:443?token=${SECRET} HTTP/1.1`,
  `CONNECT http://user:${SECRET}@host:443/ HTTP/1.1`,
  `GET http://a.invalid/ HTTP/1.1\r\nHost: user:${SECRET}@a.invalid`,
  `GET http://a.invalid/ HTTP/1.1\r\nHost: [user:${SECRET}@a.invalid`,
  `GET /http://user:${SECRET}@host/ HTTP/1.1`,
  `GET /user:${SECRET}@host/ HTTP/1.1`,
  `GET /user:${SECRET}/x@host/ HTTP/1.1`,
  `GET /https://[user:${SECRET}@host/ HTTP/1.1`,
  `GET /${SECRET}%20@host/ HTTP/1.1`,
  `GET http:\\\\user:${SECRET}@host/ HTTP/1.1`,
  `GET /http:\\\\user:${SECRET}@host/ HTTP/1.1`,
  `GET //http://user:${SECRET}@host/ HTTP/1.1`,
];

async function answerTo(port: number, request: string | Uint8Array): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(typeof request === "string" ? new TextEncoder().encode(request) : request);
  return await new Response(connection.readable).text();
}

for (const format of ["json", "pretty", "hops", "common", "combined", "squid"]) {
  Deno.test(`what a malformed target holds in confidence stays out of the answer and the ${format} log`, async () => {
    await using weir = await Weir.start(["--gateway", "127.0.0.1:0", "--log-format", format]);
    const gateway = Number(/gateway +http:\/\/127\.0\.0\.1:([0-9]+)/.exec(weir.err)![1]);
    let count = 0;
    for (const line of LINES) {
      const host = line.includes("\r\nHost:") ? "" : "Host: a.invalid\r\n";
      // to the proxy itself a path is a path
      const ports = /^GET \/(?!https?:)/.test(line) ? [gateway] : [weir.port, gateway];
      for (const port of ports) {
        const own = host.replace("a.invalid", port === gateway ? `127.0.0.1:${gateway}` : "a.invalid");
        const answer = await answerTo(port, `${line}\r\n${own}Connection: close\r\n\r\n`);
        assertStringIncludes(answer, "HTTP/1.1 4", line);
        assert(!answer.includes(SECRET), `${line}\n${answer}`);
        count++;
      }
    }
    // SOCKS 5: a name with user information in it
    const name = new TextEncoder().encode(`user:${SECRET}@host`);
    await answerTo(weir.port, Uint8Array.of(5, 1, 0, 5, 1, 0, 3, name.length, ...name, 0, 80));
    weir.signal("SIGTERM");
    const { out, err } = await weir.ended();
    const lines = out.trimEnd().split("\n").filter((line) => !line.startsWith(" "));
    assert(lines.length > count, `${lines.length} lines`);
    assert(!out.includes(SECRET), out.split("\n").find((line) => line.includes(SECRET)));
    assert(!err.includes(SECRET), err);
  });
}

Deno.test("no command repeats the password of a URL that it cannot use", async () => {
  const urls = [
    `http://user:${SECRET}@ho st:1`,
    `http://user:${SECRET}@bad host/`,
    `htp://user:${SECRET}@host:1`,
    `http://user:${SECRET}/x@host:1/path`,
    `http://user:${SECRET}@host:99999`,
    `http://user:${SECRET}@[host:1`,
    `user:${SECRET}@host:x`,
    `http:\\\\user:${SECRET}@ho st:1`,
    ` http://user:${SECRET}@ho st:1`,
    `"http://user:${SECRET}@ho st:1"`,
    `corp=http://user:${SECRET}@ho st:1`,
    `//user:${SECRET}@ho st:1`,
    `http//user:${SECRET}@ho st:1`,
  ];
  const commands = (url: string) => [
    ["--upstream", url],
    [`--upstream=${url}`],
    ["--no-upstream", url],
    ["--listen", url],
    ["--gateway", url],
    ["--allow", url],
    ["--deny", url],
    ["--clients", url],
    ["--name", url],
    ["--log-format", url],
    ["--grace", url],
    [url],
    [`--upstrem=${url}`],
    ["get", "http://a.invalid/", `-x=${url}`, "-o", "/nonexistent/file"],
    ["get", "http://a.invalid/", `-x${url}`, "-o", "/nonexistent/file"],
    ["--upstream", `http://user:1/${SECRET}@host:1`, "--config", "/nonexistent"],
    ["relay", "--to", url],
    ["relay", "--to", "a:1", url],
    ["get", url, url],
    ["get", "http://a.invalid/", "-x", url],
    ["get", url],
    ["why", url],
    ["why", url, "--method", "GET"],
    ["cache", url],
    ["cache", "show", url, "--cache-dir", "/nonexistent"],
    ["env", url],
    ["env", "sh", "--proxy", url],
    ["passwd", "/nonexistent/users", url],
    ["help", url],
  ];
  for (const url of urls) {
    for (const args of commands(url)) {
      let said = "";
      const io = {
        ...processIo(),
        out: (text: string) => said += text,
        err: (text: string) => said += text,
        input: new Response("").body!,
        isTerminal: () => false,
      };
      const code = await run(args, io);
      assert(code !== 0, `${args}: ${said}`);
      assert(!said.includes(SECRET), `${args}\n${said}`);
    }
  }
});

/** `weir get` from outside: against origins and proxies of raw bytes, and through weir itself. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Io } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";
import { AUTHORITY, KEY, OTHER_NAME, VALID } from "../net/tls_certificates.ts";
import { proxied, type Setting } from "../proxy/harness.ts";
import { Peer, valuesOf } from "../proxy/peer.ts";
import { freePort } from "../net/ports.ts";

interface Got {
  code: number;
  /** Standard output: what is shown and the body, one character a byte. */
  out: string;
  err: string;
}

async function get(args: string[], terminal = false, takes = Infinity): Promise<Got> {
  let [out, err] = ["", ""];
  const io: Io = {
    out: (text) => out += text,
    bytes(bytes) {
      out += String.fromCharCode(...bytes);
      return out.length < takes;
    },
    err: (text) => err += text,
    input: new Response("").body!,
    isTerminal: () => terminal,
    noColor: true,
  };
  const code = await run(["get", ...args], io);
  return { code, out, err };
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

/** Asks an origin that gives one answer. */
async function direct({ origin }: Setting, answer: string, ...args: string[]): Promise<Got> {
  const [got] = await Promise.all([
    get([`${origin.url}/`, "--direct", ...args]),
    (async () => {
      const peer = await origin.accept();
      await peer.message();
      await peer.send(answer);
      await peer.closeWrite();
    })(),
  ]);
  return got;
}

proxied("the body goes to standard output as it is, and what is shown beside it", async (setting) => {
  const { code, out, err } = await direct(
    setting,
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nAge: 3\r\n\r\n\0\x1b\xffa",
  );
  assertEquals([code, out], [0, "\0\x1b\xffa"]);
  assertMatch(
    err,
    /^HTTP\/1\.1 200 OK\nContent-Length: 4\nAge: 3\n\n {2}age {6}the origin .* 3\.0 s ago\n {2}time {5}.*connect .*answer .*body .*\n {2}body {5}4 B\n$/,
  );
});

proxied("the origin is asked by the path, and a proxy by the whole URL", async ({ origin, exchanges }) => {
  origin.answer(OK);
  await get([`${origin.url}/a?b#c`, "--direct", "-v"]).then(({ err }) => {
    assertStringIncludes(err, `> GET /a?b HTTP/1.1\n> Host: ${origin.authority}\n    whom it is for\n`);
  });
  const { err } = await get([`${origin.url}/a`, "-v", "-x", `u%20x:p@${origin.authority}`]);
  assertStringIncludes(err, `> GET ${origin.url}/a HTTP/1.1\n`);
  assertStringIncludes(err, "> Proxy-Authorization: Basic (not shown)\n");
  assertEquals(exchanges.all, []);
});

proxied("what is sent is what was said, and secrets are not shown", async ({ origin }) => {
  const args = [`${origin.url}/x`, "-x", `u%20x:p%C3%A9@${origin.authority}`, "-v", "-d", "a=ü", "-X", "PUT"];
  const fields = ["-H", "Authorization: Bearer s3cret", "-H", "Accept:text/html", "-H", "X-Empty:"];
  const got = get([...args, ...fields]);
  const peer = await origin.accept();
  const sent = await peer.message();
  await peer.send(OK);
  const { err } = await got;
  assertEquals(sent.startLine, `PUT ${origin.url}/x HTTP/1.1`);
  assertEquals(valuesOf(sent, "proxy-authorization"), [`Basic ${btoa("u x:p\xc3\xa9")}`]);
  assertEquals(valuesOf(sent, "accept"), ["text/html"]);
  assertEquals(valuesOf(sent, "x-empty"), [""]);
  assertEquals(valuesOf(sent, "authorization"), ["Bearer s3cret"]);
  assertEquals(sent.content, "a=\xc3\xbc");
  assertStringIncludes(err, "> Authorization: Bearer (not shown)\n");
  assert(!err.includes("s3cret"));
});

proxied("the exit code tells the class of the answer", async (setting) => {
  for (const [status, code] of [[204, 0], [304, 0], [404, 4], [407, 4], [502, 5], [999, 5]]) {
    assertEquals((await direct(setting, `HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`)).code, code);
  }
});

proxied("interim answers are passed over, and shown to who wants to see everything", async (setting) => {
  const answer = `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}`;
  assert(!(await direct(setting, answer)).err.includes("103"));
  const { out, err } = await direct(setting, answer, "-v");
  assertEquals(out, "hi");
  assertStringIncludes(err, "< HTTP/1.1 103 Early Hints\n< Link: x\n\n< HTTP/1.1 200 OK\n");
  const { code, err: told } = await direct(setting, "HTTP/1.1 100 Continue\r\n\r\n".repeat(40));
  assertEquals(code, 1);
  assertStringIncludes(told, "more than 32 interim answers");
});

proxied("a body comes in chunks, with trailers, or until the end of the connection", async (setting) => {
  const chunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nX-Sum: 1\r\n\r\n";
  const got = await direct(setting, chunked);
  assertEquals([got.code, got.out], [0, "abc"]);
  assertStringIncludes(got.err, "\nX-Sum: 1\n");
  assertEquals((await direct(setting, "HTTP/1.0 200 OK\r\n\r\nuntil the end")).out, "until the end");
});

proxied("an answer that is cut short, or none, is no success", async (setting) => {
  const wrong: [answer: string, told: RegExp][] = [
    [
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
      /closed the connection after 2 of 5 bytes of the body/,
    ],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", /after 2 bytes of the body/],
    ["HTTP/1.1 200 OK\r\nContent-Le", /within the head of its answer/],
    ["", /without an answer/],
    ["SSH-2.0-x\r\n", /is no HTTP\/1\.1/],
    ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", /Content-Length more than once/],
    ["HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", /a NUL/],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", /body is not valid/],
  ];
  for (const [answer, told] of wrong) {
    const { code, err } = await direct(setting, answer);
    assertEquals(code, 1, answer);
    assertMatch(err, told);
  }
});

proxied("an odd answer is shown, with what is odd about it, unless that is not wanted", async (setting) => {
  const odd = "HTTP/1.1 200 OK\nX : \x1b[2J\nTransfer-Encoding: chunked\n\n2 \nok\n0\n\n";
  const { code, out, err } = await direct(setting, odd);
  assertEquals([code, out], [0, "ok"]);
  assertMatch(
    err,
    / {2}odd +LF line end, white space before a colon, control character in a value, white space after a chunk size\n/,
  );
  assertEquals(err.includes("\x1b"), false);
  const strict = await direct(setting, odd, "--origin-tolerance", "strict");
  assertEquals(strict.code, 1);
  assertMatch(strict.err, /bare LF/);
});

proxied("silence has its limits", async ({ origin }) => {
  const got = get([`${origin.url}/`, "--direct", "--response-timeout", "1ms"]);
  const peer = await origin.accept();
  const { code, err } = await got;
  assertEquals(code, 1);
  assertStringIncludes(err, `${origin.authority} was silent for too long, without an answer`);
  await peer.rest();
  const body = get([`${origin.url}/`, "--direct", "--body-timeout", "1ms"]);
  const second = await origin.accept();
  await second.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
  assertStringIncludes((await body).err, "was silent for too long, after 2 of 5 bytes of the body");
});

proxied("an end that nobody reads ends the exchange", async ({ origin }) => {
  const got = get([`${origin.url}/`, "--direct"], false, 1);
  const peer = await origin.accept();
  await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nab");
  const { code, err } = await got;
  assertEquals(code, 0);
  assertStringIncludes(err, "2 B, and not all of it\n");
});

const HOSTILE = "HTTP/1.1 200 \x9b2J\r\nX\u007ca: \x9b2J\r\nVia: 1.1 \xe2\x80\xaeevil\r\n" +
  'Cache-Status: "a\\\\b"; hit; detail="x"\r\nProxy-Status: a; details="\x9b"\r\nAge: \x9b\r\n' +
  'Vary: \x9bA\r\nCache-Control: private="\x9b"\r\nContent-Encoding: \x9b\r\nLocation: \x9b\r\n';

proxied("nothing of an answer commands the terminal", async ({ origin }) => {
  for (const args of [[], ["-v"], ["-I"], ["--repeat", "2"], ["-L"]]) {
    for (const body of ["\x1b[2Jb\x07\r", "\0\x1b[2J"]) {
      const length = args[0] === "-I" ? "" : `Content-Length: ${body.length}\r\n`;
      const got = get([`${origin.url}/`, "--direct", ...args], true);
      for (let i = args[0] === "--repeat" ? 2 : 1; i > 0; i--) {
        const peer = await origin.accept();
        await peer.send(`${HOSTILE}${length}\r\n${args[0] === "-I" ? "" : body}`);
        await peer.closeWrite();
      }
      const { code, out, err } = await got;
      assertEquals(code, 0, err);
      // deno-lint-ignore no-control-regex
      assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/.exec(out + err), null, out);
    }
  }
});

proxied("text is shown on a terminal, and what is none is not", async ({ origin }) => {
  origin.answer((_, index) =>
    `HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n${index ? "a\0b" : "a\tb"}`
  );
  const text = await get([`${origin.url}/`, "--direct"], true);
  assertMatch(text.out, /\n\na\tb\n\n {2}time /);
  const other = await get([`${origin.url}/`, "--direct"], true);
  assert(!other.out.includes("a\0"));
  assertMatch(other.out, /the body is no text, and not shown: -o FILE keeps it/);
});

proxied("through weir an answer has its Via and its Cache-Status, in words", {
  settings: { cacheSize: 2 ** 20 },
}, async (setting) => {
  const { origin, authority } = setting;
  origin.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: max-age=60\r\n\r\nhi");
  const first = await get([`${origin.url}/`, "-x", authority]);
  assertStringIncludes(first.err, "  via      it passed weir-test, which got it by HTTP/1.1\n");
  assertMatch(
    first.err,
    / {2}cache {4}weir-test had nothing stored for this URL, asked further on and got 200, keeps it/,
  );
  const second = await get([`${origin.url}/`, "-x", authority]);
  assertMatch(second.err, / {2}cache {4}weir-test answered from its store, fresh for another \d/);
  assertEquals(origin.accepted, 1);
});

proxied(
  "--repeat shows the cache at work",
  { settings: { cacheSize: 2 ** 20 } },
  async ({ origin, authority }) => {
    origin.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: max-age=60\r\n\r\nhi");
    const { code, out, err } = await get([`${origin.url}/`, "-x", authority, "--repeat", "3"]);
    assertEquals([code, err], [0, ""]);
    const lines = out.split("\n");
    assertEquals(lines.slice(0, 3).map((line) => line.trim().split(/ {2,}/).slice(0, 3)), [
      ["1", "200", "miss stored"],
      ["2", "200", "hit"],
      ["3", "200", "hit"],
    ]);
    assertMatch(lines[3], /^3 answers, 2 from the store; .+ to .+, half of them within .+$/);
  },
);

proxied("the worst of repeated answers makes the exit code", async ({ origin }) => {
  const statuses = [200, 503, 404];
  origin.answer((_, index) =>
    `HTTP/1.1 ${statuses[index]} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
  );
  const { code, out } = await get([`${origin.url}/`, "--direct", "--repeat", "3"]);
  assertEquals(code, 5);
  assertStringIncludes(out, "3 answers, and nothing was said of a cache; ");
});

proxied("redirects are told, and followed ten times at most where that is wanted", async ({ origin }) => {
  let asked: string[] = [];
  origin.answer((request) => {
    asked.push(request.startLine);
    const path = request.startLine.split(" ")[1];
    if (path === "/end") return "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nend";
    const to = path === "/loop" ? "loop" : path === "/js" ? "javascript:1" : "/end#x";
    return `HTTP/1.1 302 Found\r\nLocation: ${to}\r\nContent-Length: 5\r\nConnection: close\r\n\r\nmoved`;
  });
  const told = await get([`${origin.url}/a`, "--direct"]);
  assertEquals([told.code, told.out], [0, "moved"]);
  assertStringIncludes(told.err, `it redirects to ${origin.url}/end: -L follows\n`);
  const followed = await get([`${origin.url}/a`, "--direct", "-L", "-d", "x"]);
  assertEquals([followed.code, followed.out], [0, "end"]);
  assertEquals(asked.slice(1), ["POST /a HTTP/1.1", "GET /end HTTP/1.1"]);
  asked = [];
  const endless = await get([`${origin.url}/loop`, "--direct", "-L"]);
  assertEquals([endless.code, asked.length], [1, 11]);
  const astray = await get([`${origin.url}/js`, "--direct", "-L"]);
  assertEquals(astray.code, 1);
  assertStringIncludes(astray.err, "it redirects to where nobody can follow: ");
});

/** An origin that speaks TLS and answers one request. */
async function tlsOrigin(cert: string, ask: (port: number) => Promise<Got>): Promise<[Got, string]> {
  using listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert,
    key: KEY,
    alpnProtocols: ["http/1.1"],
  });
  const answer = async () => {
    const peer = new Peer(await listener.accept());
    try {
      const { startLine } = await peer.message();
      await peer.send(OK);
      await peer.closeWrite();
      return startLine;
    } catch {
      return "";
    } finally {
      peer.close();
    }
  };
  return await Promise.all([ask((listener.addr as Deno.NetAddr).port), answer()]);
}

proxied(
  "https:// goes through a tunnel, and the origin's certificate is verified",
  async ({ authority, exchanges }) => {
    const ca = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(ca, AUTHORITY);
      const [{ code, out, err }, asked] = await tlsOrigin(
        VALID,
        (port) =>
          get([`https://localhost:${port}/a?b`, "-x", authority, "--origin-ca", ca, "-v", "-H", "Cookie: c"]),
      );
      assertEquals([code, out, asked], [0, "hi", "GET /a?b HTTP/1.1"]);
      assertMatch(err, /^> CONNECT localhost:\d+ HTTP\/1\.1\n/);
      assert(err.indexOf("Cookie") > err.indexOf("< HTTP/1.1 200"), "the proxy gets no cookie");
      for (const step of ["to connect", "for the proxy to open", "for the TLS handshake"]) {
        assertStringIncludes(err, step);
      }
      assertEquals((await exchanges.next()).method, "CONNECT");
      const [direct] = await tlsOrigin(
        VALID,
        (port) => get([`https://localhost:${port}/`, "--direct", "--origin-ca", ca]),
      );
      assertEquals(direct.out, "hi");
      const [other] = await tlsOrigin(
        OTHER_NAME,
        (port) => get([`https://localhost:${port}/`, "--direct", "--origin-ca", ca]),
      );
      assertEquals(other.code, 1);
      assertStringIncludes(other.err, "is not for that name");
    } finally {
      await Deno.remove(ca);
    }
    const [unknown] = await tlsOrigin(VALID, (port) => get([`https://localhost:${port}/`, "-x", authority]));
    assertEquals(unknown.code, 1);
    assertStringIncludes(
      unknown.err,
      "issued by nobody who is trusted here: --origin-ca FILE trusts another",
    );
    await exchanges.next();
  },
);

proxied("a proxy that opens no tunnel has its answer shown", async ({ origin }) => {
  const got = get(["https://example.test/", "-x", origin.authority]);
  const peer = await origin.accept();
  assertEquals((await peer.head()).split("\r\n")[0], "CONNECT example.test:443 HTTP/1.1");
  await peer.send(
    "HTTP/1.1 403 no\r\nProxy-Status: p; error=http_request_denied\r\nContent-Length: 4\r\n\r\nask!",
  );
  const { code, out, err } = await got;
  assertEquals([code, out], [4, "ask!"]);
  assertStringIncludes(err, "  proxy    p: does not allow the request\n");
  assertStringIncludes(err, "  tunnel   the proxy opened none; that is an answer of its own\n");
});

proxied("a proxy that is not sure of its tunnel is not believed", async ({ origin }) => {
  const wrong: [string, RegExp][] = [
    ["HTTP/1.1 200 OK\r\n\r\nmore", /says more than that there is a tunnel/],
    ["", /closed the connection without an answer/],
    ["\x16\x03\x01", /is no HTTP\/1\.1/],
  ];
  for (const [answer, told] of wrong) {
    const got = get(["https://example.test/", "-x", origin.authority]);
    const peer = await origin.accept();
    await peer.head();
    await peer.send(answer);
    await peer.closeWrite();
    const { code, err } = await got;
    assertEquals(code, 1);
    assertMatch(err, told);
  }
  const silent = get(["https://example.test/", "-x", origin.authority, "--connect-timeout", "50ms"]);
  await origin.accept();
  assertStringIncludes((await silent).err, "opened no tunnel to example.test:443 in time");
});

Deno.test("where nobody listens, it is said what to do", async () => {
  const port = freePort();
  const config = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(config, `listen = "${port}"\n`);
    const { code, err } = await get(["http://example.test/", "-c", config]);
    assertEquals(code, 1);
    assertStringIncludes(err, `no connection with the proxy 127.0.0.1:${port}: `);
    assertStringIncludes(err, "is weir running there? -x names another proxy, --direct asks without one\n");
  } finally {
    await Deno.remove(config);
  }
  assertEquals(
    (await get(["http://example.test/", "-x", `127.0.0.1:${port}`])).err.includes("is weir running"),
    false,
  );
});

Deno.test("flags that make no sense are refused before anything is asked", async () => {
  const wrong: [string[], string][] = [
    [["ftp://a/"], "only http and https"],
    [["http://u:p@a.test/"], "user"],
    [["http://a.test/", "-x", "a.test", "--direct"], "--proxy and --direct do not go together"],
    [["http://a.test/", "-x", "socks5://a.test"], "--proxy: "],
    [["http://a.test/", "-x", "http://%zz@a.test"], "write %25"],
    [["http://a.test/", "-I", "-d", "x"], "--head and --data do not go together"],
    [["http://a.test/", "--repeat", "2", "-v"], "--repeat and --verbose do not go together"],
    [["http://a.test/", "-X", "CONNECT"], "tunnels are opened for https://"],
    [["http://a.test/", "-X", "GET /"], "must be a method"],
    [["http://a.test/", "-H", "a b: c"], "--header: must be a field"],
    [["http://a.test/", "-H", "a: b\r\nc: d"], "--header: must be a field"],
    [["http://a.test/", "-H", "Content-Length: 5"], "it is counted here"],
    [["http://a.test/", "-H", "proxy-authorization: x"], "write -x http://USER:PASSWORD@HOST:PORT"],
    [["http://a.test/", "-o", "-"], "--output: "],
  ];
  for (const [args, told] of wrong) {
    const { code, err } = await get(args);
    assertEquals(code, 2, args.join(" "));
    assertStringIncludes(err, told);
  }
});

proxied("a file is new, whole, and the body of a success", async ({ origin }) => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/body`;
  const there = () => [...Deno.readDirSync(folder)].map(({ name }) => name);
  const fetch = async (answer: string) => {
    const got = get([`${origin.url}/`, "--direct", "-o", file]);
    const peer = await origin.accept();
    await peer.message();
    await peer.send(answer);
    await peer.closeWrite();
    return await got;
  };
  try {
    const cut = await fetch("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
    assertEquals([cut.code, there()], [1, []]);
    const missing = await fetch("HTTP/1.1 404 no\r\nContent-Length: 2\r\n\r\nno");
    assertEquals([missing.code, there()], [4, []]);
    assertStringIncludes(missing.out, `${file} was not written, for that is an answer of 404\n`);
    const { code, out, err } = await fetch("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\0ab");
    assertEquals([code, err], [0, ""]);
    assertStringIncludes(out, `written to ${file}\n`);
    assertEquals(await Deno.readTextFile(file), "\0ab");
    const again = await get([`${origin.url}/`, "--direct", "-o", file]);
    assertEquals(again.code, 2);
    assertStringIncludes(again.err, "nothing is overwritten");
    assertEquals(await Deno.readTextFile(file), "\0ab");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

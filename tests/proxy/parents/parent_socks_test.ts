/** Parents that speak SOCKS 5 (RFC 1928, RFC 1929): everything goes through a tunnel. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { proxied, type Setting } from "../harness.ts";
import { type Peer, turn, valuesOf } from "../peer.ts";
import { get, OK } from "../round_trip.ts";
import { through } from "../through.ts";

const GRANTED = "\x05\x00\x00\x01\x7f\x00\x00\x01\x12\x34";

function connectTo(authority: string): string {
  return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`;
}

/** What a message of SOCKS says of a name and a port. */
function named(host: string, port: number): string {
  return `\x05\x01\x00\x03${String.fromCharCode(host.length)}${host}` +
    String.fromCharCode(port >> 8, port & 0xff);
}

/** Answers a handshake without a password; resolves with what was asked for. */
async function grant(peer: Peer, length: number): Promise<string> {
  assertEquals(await peer.exactly(3), "\x05\x01\x00");
  await peer.send("\x05\x00");
  const asked = await peer.exactly(length);
  await peer.send(GRANTED);
  return asked;
}

proxied("names go to the parent as names, addresses as addresses", async (setting) => {
  through(setting, { scheme: "socks5" });
  const expected: [authority: string, asked: string][] = [
    ["a.example:443", named("a.example", 443)],
    ["A.Example.:8443", named("a.example", 8443)],
    ["93.184.216.34:443", "\x05\x01\x00\x01\x5d\xb8\xd8\x22\x01\xbb"],
    ["[2606:2800::1]:443", `\x05\x01\x00\x04\x26\x06\x28\x00${"\0".repeat(11)}\x01\x01\xbb`],
  ];
  for (const [authority, asked] of expected) {
    const client = await setting.connect();
    await client.send(connectTo(authority));
    const upstream = await setting.origin.accept();
    assertEquals(await grant(upstream, asked.length), asked);
    assertEquals((await client.message({ method: "CONNECT" })).status, 200);
    await client.send("ping");
    assertEquals(await upstream.exactly(4), "ping");
    client.close();
    upstream.close();
    assertEquals((await setting.exchanges.next()).parent, `socks5://${setting.origin.authority}`);
  }
});

const REPLIES = {
  "an IPv4 address": GRANTED,
  "an IPv6 address": `\x05\x00\x00\x04${"\0".repeat(15)}\x01\x12\x34`,
  "a name": "\x05\x00\x00\x03\x05proxy\x12\x34",
};

for (const [what, reply] of Object.entries(REPLIES)) {
  proxied(`a handshake with a password and a reply with ${what}, however it comes`, async (setting) => {
    through(setting, { scheme: "socks5", user: "ci:s3cret%20word" });
    const answers = ["\x05\x02", "\x01\x00", `${reply}hello`];
    const whole = answers.join("").length;
    for (let split = 1; split < whole; split++) {
      const client = await setting.connect();
      await client.send(connectTo("a.example:443"));
      const upstream = await setting.origin.accept();
      const asked = ["\x05\x02\x00\x02", "\x01\x02ci\x0bs3cret word", named("a.example", 443)];
      let sent = 0;
      for (const [index, answer] of answers.entries()) {
        assertEquals(await upstream.exactly(asked[index].length), asked[index]);
        const at = split - sent;
        await upstream.send(answer.slice(0, Math.max(0, at)));
        await turn();
        await upstream.send(answer.slice(Math.max(0, at)));
        sent += answer.length;
      }
      assertEquals((await client.message({ method: "CONNECT" })).status, 200);
      assertEquals(await client.exactly(5), "hello", `split at ${split}`);
      client.close();
      upstream.close();
      await setting.exchanges.next();
    }
  });
}

proxied(
  "plain requests go in origin form through tunnels that are kept for their origins",
  async (setting) => {
    through(setting, { scheme: "socks5" });
    const client = await setting.connect();
    await client.send(get({ authority: "a.example" }, "/1"));
    const first = await setting.origin.accept();
    await grant(first, named("a.example", 80).length);
    for (const path of ["/1", "/2"]) {
      const sent = await first.message();
      assertEquals([sent.startLine, valuesOf(sent, "host")], [`GET ${path} HTTP/1.1`, ["a.example"]]);
      await first.send(OK);
      assertEquals((await client.message()).content, "ok");
      await client.send(get({ authority: path === "/1" ? "a.example" : "b.example" }, "/2"));
    }
    const second = await setting.origin.accept();
    assertEquals(await grant(second, 16), named("b.example", 80));
    assertEquals((await second.message()).startLine, "GET /2 HTTP/1.1");
    await second.send(OK);
    await client.message();
  },
);

const CODES: [code: number, status: number, error: string, says: string][] = [
  [1, 502, "destination_unavailable", "it failed"],
  [2, 403, "http_request_denied", "refuses a.example:443: its rules forbid it"],
  [3, 502, "destination_ip_unroutable", "the network cannot be reached"],
  [4, 502, "destination_ip_unroutable", "the host cannot be reached"],
  [5, 502, "connection_refused", "the connection was refused"],
  [6, 504, "connection_timeout", "it took too long"],
  [7, 502, "destination_unavailable", "it makes no connections"],
  [8, 502, "destination_unavailable", "it knows no such addresses"],
  [200, 502, "destination_unavailable", "it failed"],
];

proxied("what the parent replies is told as the parent's (RFC 1928 §6)", async (setting) => {
  through(setting, { scheme: "socks5" });
  for (const [code, status, error, says] of CODES) {
    // some servers leave out what follows the code
    for (const rest of ["", "\0\x01\0\0\0\0\0\0"]) {
      const answer = await answered(setting, "\x05\x00", `\x05${String.fromCharCode(code)}${rest}`);
      assertEquals(answer.status, status);
      assertStringIncludes(answer.startLine, "the parent proxy socks5://");
      assertStringIncludes(answer.startLine, says);
      assertEquals((await setting.exchanges.next()).error, error);
    }
  }
});

/** Answers the first tunnel's handshake message by message, then ends. */
async function answered(setting: Setting, ...answers: string[]): ReturnType<Peer["message"]> {
  const client = await setting.connect();
  await client.send(connectTo("a.example:443"));
  const upstream = await setting.origin.accept();
  for (const answer of answers) {
    await upstream.some();
    await upstream.send(answer);
  }
  await upstream.closeWrite();
  const message = await client.message();
  client.close();
  upstream.close();
  return message;
}

const SENSELESS: Record<string, string[]> = {
  "nothing": [],
  "half a greeting": ["\x05"],
  "version 4": ["\x04\x00"],
  "HTTP": ["HTTP/1.1 400 Bad Request\r\n\r\n"],
  "half a reply": ["\x05\x00", "\x05\x00\x00\x01\x7f"],
  "a reply of another version": ["\x05\x00", "\x04\x00\x00\x01\x7f\0\0\x01\0\0"],
  "an address of no kind": ["\x05\x00", "\x05\x00\x00\x09\x7f\0\0\x01\0\0"],
};

for (const [what, answers] of Object.entries(SENSELESS)) {
  proxied(`a parent that answers with ${what}: 502`, async (setting) => {
    through(setting, { scheme: "socks5" });
    const answer = await answered(setting, ...answers);
    assertEquals(answer.status, 502);
    assertStringIncludes(answer.startLine, "the parent proxy socks5://");
    await setting.exchanges.next();
  });
}

const UNWELCOME: [what: string, user: string, answers: string[]][] = [
  ["wants a password that is not there", "", ["\x05\xff"]],
  ["chooses a password that was not offered", "", ["\x05\x02"]],
  ["chooses what nobody knows", "ci:pw", ["\x05\x80"]],
  ["does not take the password", "ci:pw", ["\x05\x02", "\x01\x01"]],
];

for (const [what, user, answers] of UNWELCOME) {
  proxied(`a parent that ${what} is a fault of the configuration`, async (setting) => {
    through(setting, { scheme: "socks5", user });
    const answer = await answered(setting, ...answers);
    assertEquals([answer.status, valuesOf(answer, "proxy-authenticate")], [502, []]);
    assertEquals((await setting.exchanges.next()).error, "proxy_configuration_error");
  });
}

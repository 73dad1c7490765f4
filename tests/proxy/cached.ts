/** A proxy that keeps responses, and what is asked of it again and again, for tests that look at it from outside. */

import { assert } from "@std/assert";
import { proxied, PSEUDONYM, type Setting, type SettingOptions } from "./harness.ts";
import { CAN_RESET, type Message, type Peer, turn, valuesOf } from "./peer.ts";
import { get } from "./round_trip.ts";

export const MIB = 1024 * 1024;
export const FRESH = "Cache-Control: max-age=60\r\n";

/** A test with a proxy that keeps 64 MiB, of origins of this machine too what states no lifetime, and holds nothing any more of what is under way when it is over. */
export function cached(
  name: string,
  run: (setting: Setting) => Promise<void>,
  settings: SettingOptions["settings"] = {},
  options: Omit<SettingOptions, "settings"> = {},
): void {
  proxied(
    name,
    { settings: { cacheSize: 64 * MIB, cacheEstimates: "all", ...settings }, ...options },
    async (setting) => {
      const peers: Peer[] = [];
      const { origin } = setting;
      const accept = origin.accept.bind(origin);
      const keep = (peer: Peer) => {
        peers.push(peer);
        return peer;
      };
      origin.accept = async () => keep(await accept());
      await run({ ...setting, connect: async (options) => keep(await setting.connect(options)) });
      for (const peer of peers) peer.close();
      await until(() => setting.proxy.cache!.budget.used === 0, "no recording is left");
    },
  );
}

/** Waits for what happens by itself and is seen nowhere but inside. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    assert(turns < 5000, what);
    await turn();
  }
}

/**
 * Lets everything happen that is under way: what was sent before has arrived when a byte that is sent now has, however
 * busy the machine is, and what comes of it takes some turns.
 */
export async function turns(count = 20): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [near, far] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  await near.write(new Uint8Array(1));
  await far.read(new Uint8Array(1));
  for (let turns = 0; turns < count; turns++) await turn();
  near.close();
  far.close();
}

/** A response with a `Date` of now; its lines end in CRLF each. */
export function response(fields: string, body = "hello", status = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\nDate: ${
    new Date(Date.now()).toUTCString()
  }\r\n${fields}\r\n${body}`;
}

/** What this cache says of a response. */
export function statusOf(message: Message): string {
  return valuesOf(message, "cache-status")[0]?.replace(`${PSEUDONYM}; `, "");
}

/** Asks, and answers in the origin's place, which must be asked. */
export async function miss(
  setting: Setting,
  client: Peer,
  message: string,
  answer: string,
  upstream?: Peer,
): Promise<{ got: Message; sent: Message; upstream: Peer }> {
  await client.send(message);
  upstream ??= await setting.origin.accept();
  const sent = await upstream.message();
  await upstream.send(answer);
  return { got: await client.message({ method: methodOf(message) }), sent, upstream };
}

/** Asks for what is answered without the origin. */
export async function hit(client: Peer, message: string): Promise<Message> {
  await client.send(message);
  return await client.message({ method: methodOf(message) });
}

function methodOf(message: string): string {
  return message.slice(0, message.indexOf(" "));
}

/** A text of so many characters in which no place looks like another. */
export function longText(length: number): string {
  let text = "";
  for (let index = 0; text.length < length; index++) text += `${index} `.padStart(10, ".");
  return text.slice(0, length);
}

/** Reads until so much of a body has come, which stays to be read. */
export async function came(client: Peer, text: string): Promise<void> {
  while (!client.received.includes(text)) {
    const before = client.received;
    client.received = "";
    const more = await client.some();
    client.received = before + more;
    assert(more !== "", `the other side ended (${client.ending}) before ${text}: ${client.received}`);
  }
}

/** A fresh response whose body follows in chunks. */
export const CHUNKED = `HTTP/1.1 200 OK\r\n${FRESH}Transfer-Encoding: chunked\r\n\r\n`;

export function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** A first client whose request is at the origin, and others that wait for the same. */
export async function gathered(
  setting: Setting,
  others: number | string[],
): Promise<{ first: Peer; rest: Peer[]; upstream: Peer }> {
  const { origin } = setting;
  const first = await setting.connect({ resettable: CAN_RESET });
  await first.send(get(origin));
  const upstream = await origin.accept();
  await upstream.message();
  const messages = Array.isArray(others) ? others : Array.from({ length: others }, () => get(origin));
  const rest: Peer[] = [];
  for (const message of messages) {
    const client = await setting.connect();
    await client.send(message);
    rest.push(client);
  }
  await turns();
  return { first, rest, upstream };
}

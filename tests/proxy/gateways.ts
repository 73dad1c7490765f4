/** What tests of the gateway share. */

import { proxied, type Setting, type SettingOptions } from "./harness.ts";
import { type Message, type Peer, valuesOf } from "./peer.ts";

export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

export interface Asking {
  /** Asks the gateway on a connection of its own. */
  ask(path: string, fields?: string, options?: { method?: string; host?: string }): Promise<Message>;
  client(): Promise<Peer>;
  /** `127.0.0.1:port` of the gateway. */
  own: string;
}

/** A test of a gateway, with or without options. */
export function gateway(
  name: string,
  options: SettingOptions | ((setting: Setting & Asking) => Promise<void>),
  run?: (setting: Setting & Asking) => Promise<void>,
): void {
  const [chosen, body] = typeof options === "function" ? [{}, options] : [options, run!];
  proxied(name, { ...chosen, gateways: [{ hostname: "127.0.0.1", port: 0 }] }, async (setting) => {
    const to = setting.addresses[1];
    const own = `127.0.0.1:${to.port}`;
    const client = () => setting.connect({ to });
    await body({
      ...setting,
      own,
      client,
      ask: async (path, fields = "", { method = "GET", host = own } = {}) => {
        const peer = await client();
        await peer.send(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`);
        const answer = await peer.message({ method });
        peer.close();
        return answer;
      },
    });
  });
}

/** The first value of a field. */
export const first = (message: Message, name: string) => valuesOf(message, name)[0];

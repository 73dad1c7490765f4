/** The proxy as a thing to start, change and stop. */

import type { Observer } from "./observer.ts";
import type { ProxySettings } from "./settings.ts";
import type { ListenAddress } from "../net/listen.ts";

export class Proxy {
  constructor(_settings: ProxySettings, _observer: Observer) {}

  /** Binds every address and starts accepting. Throws {@link ListenError}; then nothing stays bound. */
  listen(_addresses: ListenAddress[]): Deno.NetAddr[] {
    throw new Error("soon");
  }

  /** Takes other settings for what starts from now on. */
  update(_settings: ProxySettings): void {}

  /** Exchanges that are under way. */
  get active(): number {
    return 0;
  }

  /** Stops accepting, closes idle connections, waits for exchanges in flight within `settings.grace`. */
  drain(): Promise<void> {
    return Promise.resolve();
  }

  /** Ends everything at once. */
  stop(): void {}
}

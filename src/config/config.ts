/** Everything that weir can be told, with the defaults filled in. */

import type { ListenAddress } from "../net/listen.ts";
import { ALLOW_ALL } from "../policy/allow_all.ts";
import { NO_LIMITS } from "../policy/rates.ts";
import type { ProxySettings } from "../proxy/settings.ts";
import { DEFAULTS, type Defaults, type Values } from "./options.ts";

export interface Config {
  listen: ListenAddress[];
  log: {
    format: Defaults["log-format"];
    level: Defaults["log-level"];
    color: Defaults["log-color"];
  };
  /** Files whose certificates belong into {@link ProxySettings.originCertificates}; reading them is cli/'s. */
  originCertificateFiles: string[];
  proxy: ProxySettings;
}

/** What a process brings along that no option says. */
export interface Instance {
  /** The pseudonym to take when none is given; the same for the life of the process. */
  pseudonym: string;
  version: string;
}

/** Makes a pseudonym that two proxies hardly share: `weir-1f3a`. */
export function randomPseudonym(): string {
  const [number] = crypto.getRandomValues(new Uint16Array(1));
  return `weir-${number.toString(16).padStart(4, "0")}`;
}

/** Puts values and defaults together. `originCertificates` is left empty. */
export function configOf(values: Values, instance: Instance): Config {
  const all = { ...DEFAULTS, ...values };
  return {
    listen: [...all.listen],
    log: { format: all["log-format"], level: all["log-level"], color: all["log-color"] },
    originCertificateFiles: [...all["origin-ca"] ?? []],
    proxy: {
      pseudonym: all.pseudonym ?? instance.pseudonym,
      showVersion: all["show-version"],
      version: instance.version,
      maxConnections: all["max-connections"],
      maxConnectionsPerClient: all["max-connections-per-client"],
      maxHeadSize: all["max-head-size"],
      maxFields: all["max-fields"],
      maxBodySize: all["max-body-size"],
      headTimeout: all["head-timeout"],
      connectTimeout: all["connect-timeout"],
      responseTimeout: all["response-timeout"],
      bodyTimeout: all["body-timeout"],
      keepAliveTimeout: all["keep-alive-timeout"],
      tunnelTimeout: all["tunnel-timeout"],
      halfClosedTimeout: all["half-closed-timeout"],
      grace: all.grace,
      poolPerOrigin: all["pool-per-origin"],
      poolSize: all["pool-size"],
      poolTimeout: all["pool-timeout"],
      forwardedFor: all["forwarded-for"],
      policy: ALLOW_ALL,
      users: null,
      clientRates: NO_LIMITS,
      userRates: NO_LIMITS,
      originCertificates: [],
    },
  };
}

/** Everything that weir can be told, with the defaults filled in. */

import { ODD_HEADS } from "../http/tolerant_head.ts";
import type { ListenAddress } from "../net/listen.ts";
import { Policy } from "../policy/policy.ts";
import { type Route, Routes } from "../policy/routes.ts";
import type { PolicySpec, RuleSpec } from "../policy/spec.ts";
import type { WaySpec } from "../proxy/parents/parent.ts";
import type { ProxySettings } from "../proxy/settings.ts";
import { trustedProxiesOf } from "./entrance.ts";
import { DEFAULTS, type Defaults, type Values } from "./options.ts";
import { policyOf } from "./policy.ts";
import { NO_WAYS, routesOf, type WrittenWays } from "./routes.ts";
import { rateLimitsOf } from "./rates.ts";

export interface Config {
  listen: ListenAddress[];
  /** Where clients come in over TLS, and the files of what they are shown; reading them is cli/'s. */
  listenTls: ListenAddress[];
  gateways: ListenAddress[];
  certificateFile: string | null;
  keyFile: string | null;
  log: {
    format: Defaults["log-format"];
    level: Defaults["log-level"];
    color: Defaults["log-color"];
  };
  /** Files whose certificates belong into {@link ProxySettings.originCertificates}; reading them is cli/'s. */
  originCertificateFiles: string[];
  /** Who may reach what, as it was written; {@link ProxySettings.policy} is made of it by cli/, with the lists. */
  policy: PolicySpec;
  /** Which ways lead where; {@link ProxySettings.routes} is made of it by cli/, with the lists. */
  routes: readonly Route<WaySpec>[];
  /** Where responses are kept besides memory, and bytes of that; `null` for nowhere. */
  cacheFolder: string | null;
  cacheFolderSize: number;
  /** The file of users; reading it is cli/'s. */
  usersFile: string | null;
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

/**
 * Puts values and defaults together. What files hold is left out: `originCertificates`, `users`, and the lists of
 * the policy and the routes.
 *
 * @param rules in order: the command line's, then the file's
 * @throws {ConfigError} when two rules have the same name
 */
export function configOf(
  values: Values,
  instance: Instance,
  rules: readonly RuleSpec[] = [],
  ways: WrittenWays = NO_WAYS,
): Config {
  const all = { ...DEFAULTS, ...values };
  const policy = policyOf(values, rules);
  const routes = routesOf(values, ways);
  return {
    listen: [...all.listen],
    listenTls: [...all["listen-tls"] ?? []],
    gateways: [...all.gateway ?? []],
    certificateFile: all["tls-cert"] ?? null,
    keyFile: all["tls-key"] ?? null,
    log: { format: all["log-format"], level: all["log-level"], color: all["log-color"] },
    originCertificateFiles: [...all["origin-ca"] ?? []],
    policy,
    routes,
    cacheFolder: all["cache-dir"] ?? null,
    cacheFolderSize: all["cache-disk"],
    usersFile: all.users ?? null,
    proxy: {
      pseudonym: all.pseudonym ?? instance.pseudonym,
      showVersion: all["show-version"],
      version: instance.version,
      socks: !all["no-socks"],
      trustedProxies: trustedProxiesOf(all["trust-proxy"]),
      certificate: null,
      maxConnections: all["max-connections"],
      maxConnectionsPerClient: all["max-connections-per-client"],
      maxConnectionsPerLocalClient: values["max-connections-per-client"] ?? 0,
      maxHeadSize: all["max-head-size"],
      maxFields: all["max-fields"],
      // what an operator has set holds for all heads
      oddHeads: {
        maxHeadSize: values["max-head-size"] ?? ODD_HEADS.maxHeadSize,
        maxFields: values["max-fields"] ?? ODD_HEADS.maxFields,
      },
      maxUnfinished: all["max-unfinished"],
      minBodyRate: all["min-body-rate"],
      maxBodySize: all["max-body-size"],
      headTimeout: all["head-timeout"],
      connectTimeout: all["connect-timeout"],
      responseTimeout: all["response-timeout"],
      bodyTimeout: all["body-timeout"],
      keepAliveTimeout: all["keep-alive-timeout"],
      tunnelTimeout: all["tunnel-timeout"],
      tunnelLifetime: all["tunnel-lifetime"],
      halfClosedTimeout: all["half-closed-timeout"],
      grace: all.grace,
      poolPerOrigin: all["pool-per-origin"],
      poolSize: all["pool-size"],
      poolTimeout: all["pool-timeout"],
      originConnections: all["origin-connections"],
      routes: new Routes(routes, new Map()),
      originTolerance: all["origin-tolerance"],
      via: all.via,
      forwardedFor: all["forwarded-for"],
      gatewayOrigins: all["gateway-origins"],
      frontPage: { names: all.name ?? [], wpad: all.wpad, rules: policy.rules },
      policy: new Policy(policy, new Map()),
      cacheSize: all.cache,
      cacheEstimates: all["cache-estimates"],
      cacheShared: all["cache-shared"],
      users: null,
      clientRates: rateLimitsOf(all, "client"),
      userRates: rateLimitsOf(all, "user"),
      originCertificates: [],
    },
  };
}

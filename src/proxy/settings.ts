import type { HeadLimits } from "../http/head_reader.ts";
import type { ServerCertificate } from "../net/listen_tls.ts";
import type { Networks } from "../policy/network.ts";
import type { RateLimits } from "../policy/rates.ts";
import type { RuleSpec } from "../policy/spec.ts";
import type { Routes } from "../policy/routes.ts";
import type { Decider } from "../policy/verdict.ts";
import type { Estimates } from "./cache/http_cache.ts";
import type { WaySpec } from "./parents/parent.ts";
import type { Users } from "./identity/users.ts";

/** What weir's own pages are made of besides its listeners. */
export interface FrontPageSettings {
  /** Hosts by which clients know weir, besides its addresses and `localhost`; in canonical form. */
  readonly names: readonly string[];
  /** Whether the file for browsers is served to those too that look for one by themselves. */
  readonly wpad: boolean;
  /** The policy's, for that file. */
  readonly rules: readonly RuleSpec[];
}

/** What the proxy can be told. The table of options in `config/` fills it; sizes are bytes, times are ms. */
export interface ProxySettings {
  /** Name in `Via` and `Proxy-Status`, a token unique to this instance: `weir-1f3a`. */
  pseudonym: string;
  /** Whether own answers tell the version. */
  showVersion: boolean;
  version: string;

  /** Whether clients may speak SOCKS too. */
  socks: boolean;
  /** Peers that have to say for whom they connect, by the PROXY protocol; `null` when there are none. */
  trustedProxies: Networks | null;
  /** What listeners over TLS show; `null` when there are none. */
  certificate: ServerCertificate | null;

  /** Connections from clients, in all, of one client of another machine, and of one of this; over it: 503. */
  maxConnections: number;
  maxConnectionsPerClient: number;
  maxConnectionsPerLocalClient: number;
  /** A whole head, start line and fields together, and the number of its fields. */
  maxHeadSize: number;
  maxFields: number;
  /** The same for odd heads of responses. */
  oddHeads?: HeadLimits;
  /** All heads and ClientHellos together that have not come whole, as far as they have outgrown a small buffer. */
  maxUnfinished: number;
  /** Bytes a second of a body that a client has to send or to take on average, while it is waited for; 0: any number. */
  minBodyRate: number;
  /** A request's body; 0 is no limit. */
  maxBodySize: number;

  /** From the first byte of a head (or the connection's start) to its end. */
  headTimeout: number;
  /** To a connection with the origin, names resolved and TLS done. */
  connectTimeout: number;
  /** From the request's last byte to the response's head. */
  responseTimeout: number;
  /** Without a byte either way while a body is moving. */
  bodyTimeout: number;
  /** Between requests of one client connection. */
  keepAliveTimeout: number;
  /** Without a byte either way in a tunnel. */
  tunnelTimeout: number;
  /** A whole tunnel; 0 is no limit. */
  tunnelLifetime: number;
  /** How long an exchange may still stand still once the client has closed its sending side. */
  halfClosedTimeout: number;
  /** How long exchanges in flight may go on after a stop was asked for. */
  grace: number;

  /** Kept upstream connections, per origin and in all, and how long they are kept. */
  poolPerOrigin: number;
  poolSize: number;
  poolTimeout: number;

  /** Whether connections to origins are kept for other requests; `close` tells the origins so. */
  originConnections: "keep" | "close";
  /** Which ways lead where; what no route names is reached directly. */
  routes: Routes<WaySpec>;
  /** Whether odd responses are understood in the one way that the RFCs leave, or answered with 502. */
  originTolerance: "tolerant" | "strict";
  /** Whether weir names itself in requests to origins too, or in responses alone. */
  via: "both" | "responses";
  /** What becomes of `X-Forwarded-For` and `Forwarded`. */
  forwardedFor: "leave" | "delete" | "set" | "append";
  /** Whether sites in a gateway on loopback have origins of their own in browsers, or share that of its paths. */
  gatewayOrigins: "site" | "path";
  /** What weir's own pages are made of. */
  frontPage: FrontPageSettings;
  /** Who may reach what. */
  policy: Decider;
  /** Bytes of stored responses in memory; 0 stores none. */
  cacheSize: number;
  /** Of which origins responses that state no lifetime are kept for an estimated one. */
  cacheEstimates: Estimates;
  /** Whether users share what is stored for one of them. */
  cacheShared: boolean;
  /** Who can say who they are; `null` when nobody is asked. */
  users: Users | null;
  /** What each client and each user may take; what a rule lets through comes with its verdict. */
  clientRates: RateLimits;
  userRates: RateLimits;
  /** PEM certificates that origins may be verified with besides the platform's own. */
  originCertificates: string[];
}

/** Hosts as rules name them. */

import type { Network } from "./network.ts";

/**
 * - `name`: `example.com`, and nothing else
 * - `subdomains`: `*.example.com`, everything below it
 * - `domain`: `.example.com`, itself and everything below it
 * - `any`: `*`
 * - `network`: `10.0.0.0/8`, `192.0.2.1`, matched with the address that is dialled
 * - `list`: `@file`
 *
 * Names are in canonical form, as {@link Authority} has them.
 */
export type HostPattern =
  | { readonly kind: "name" | "subdomains" | "domain"; readonly text: string; readonly name: string }
  | { readonly kind: "any"; readonly text: string }
  | { readonly kind: "network"; readonly text: string; readonly network: Network }
  | { readonly kind: "list"; readonly text: string; readonly file: string };

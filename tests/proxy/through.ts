/** Parents in few words, for tests that look at them from outside. */

import { parseParent } from "../../src/config/parent_url.ts";
import { parseHostPattern } from "../../src/policy/host_pattern.ts";
import { Routes } from "../../src/policy/routes.ts";
import type { WaySpec } from "../../src/proxy/parents/parent.ts";
import type { ProxySettings } from "../../src/proxy/settings.ts";
import { type Setting, SETTINGS } from "./harness.ts";

/** All hosts through these parents, by their URLs; `direct` is none. */
export function waysOf(...urls: string[]): Routes<WaySpec> {
  const via = urls.map((url) => url === "direct" ? null : parseParent(url));
  return new Routes([{ hosts: [parseHostPattern("*")], via }], new Map());
}

/** Sends everything through the origin of the test, which stands for a parent. */
export function through(
  { proxy, origin }: Setting,
  { scheme = "http", user = "", settings = {} }: {
    scheme?: string;
    user?: string;
    settings?: Partial<ProxySettings>;
  } = {},
): void {
  const routes = waysOf(`${scheme}://${user === "" ? "" : `${user}@`}${origin.authority}`);
  proxy.update({ ...SETTINGS, ...settings, routes });
}

/** A port at which nobody answers. */
export { freePort as closedPort } from "../net/ports.ts";

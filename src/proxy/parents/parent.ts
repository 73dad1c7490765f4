/** Another proxy through which origins are reached: what is known of it, and how it is. */

import type { Authority } from "../../http/authority.ts";
import { fieldLine } from "../../http/head_writer.ts";
import { Health } from "../../net/health.ts";

/** A parent as it was configured. */
export interface ParentSpec {
  /** How logs and messages call it: a name of its own, or its URL without user and password. */
  readonly name: string;
  readonly scheme: "http" | "https" | "socks5";
  readonly authority: Authority;
  readonly credentials: { readonly user: string; readonly password: string } | null;
  /** All of the above in one text, by which the same parent is known again. Secret as the password is. */
  readonly secretKey: string;
}

/** A way out: through a parent, or with `null` to the origin itself. */
export type WaySpec = ParentSpec | null;
export type Way = Parent | null;

export class Parent {
  readonly health = new Health();
  /** Whether somebody finds out right now if it is back. */
  probed = false;
  /** `Proxy-Authorization: …` with its CRLF; `null` where there are no credentials (RFC 9110 §11.7.2). */
  readonly authorization: Uint8Array | null;

  /** @param number tells the parents of a process apart */
  constructor(readonly spec: ParentSpec, readonly number: number) {
    const { credentials, scheme } = spec;
    this.authorization = credentials === null || scheme === "socks5"
      ? null
      : fieldLine("Proxy-Authorization", `Basic ${base64(`${credentials.user}:${credentials.password}`)}`);
  }

  get name(): string {
    return this.spec.name;
  }

  /** Whether it speaks HTTP, so that requests can be addressed to it. */
  get speaksHttp(): boolean {
    return this.spec.scheme !== "socks5";
  }

  /** Text from its answers, which may hold anything: not what it was told in confidence. */
  withoutSecrets(text: string): string {
    const { credentials } = this.spec;
    if (credentials === null) return text;
    const { user, password } = credentials;
    const secrets = [password, encodeURIComponent(password), base64(`${user}:${password}`)];
    return secrets.some((secret) => secret !== "" && text.includes(secret)) ? "" : text;
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

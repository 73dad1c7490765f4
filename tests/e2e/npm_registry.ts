/** A package registry with one package, as small as npm's client accepts. */

import { createHash } from "node:crypto";
import { succeed } from "./programs.ts";

export class NpmRegistry implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** Whether a request came that weir had not marked with Via. */
  sawDirect = false;

  private constructor(tarball: Uint8Array<ArrayBuffer>, tls?: { cert: string; key: string }) {
    const options = { hostname: "127.0.0.1", port: 0, onListen() {}, ...tls };
    this.#server = Deno.serve(options, (request) => {
      if (!request.headers.has("via")) this.sawDirect = true;
      const { pathname } = new URL(request.url);
      if (pathname === "/leaf") return Response.json(this.#description(tarball));
      if (pathname === "/leaf/-/leaf-1.0.0.tgz") return new Response(tarball);
      return Response.json({ error: "not_found" }, { status: 404 });
    });
    this.url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${this.#server.addr.port}/`;
  }

  readonly url: string;

  /** Packs the package `leaf` in `folder` and serves it, over TLS when a certificate is given. */
  static async start(folder: string, tls?: { cert: string; key: string }): Promise<NpmRegistry> {
    await Deno.mkdir(`${folder}/package`, { recursive: true });
    const manifest = { name: "leaf", version: "1.0.0", main: "leaf.js" };
    await Deno.writeTextFile(`${folder}/package/package.json`, JSON.stringify(manifest));
    await Deno.writeTextFile(`${folder}/package/leaf.js`, 'module.exports = "a leaf";\n');
    await succeed("tar", ["-czf", "leaf.tgz", "package"], { cwd: folder });
    return new NpmRegistry(await Deno.readFile(`${folder}/leaf.tgz`), tls);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  #description(tarball: Uint8Array) {
    const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
    const version = {
      name: "leaf",
      version: "1.0.0",
      dist: { tarball: `${this.url}leaf/-/leaf-1.0.0.tgz`, integrity },
    };
    return { name: "leaf", "dist-tags": { latest: "1.0.0" }, versions: { "1.0.0": version } };
  }
}

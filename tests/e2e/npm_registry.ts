/** A package registry with one package, as small as npm's client accepts. */

import { createHash } from "node:crypto";
import { succeed } from "./programs.ts";

interface Version {
  readonly manifest: { readonly version: string };
  readonly tarball: Uint8Array<ArrayBuffer>;
}

export class NpmRegistry implements AsyncDisposable {
  readonly #folder: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #versions = new Map<string, Version>();
  /** Whether a request came that weir had not marked with Via. */
  sawDirect = false;
  /** How many requests have come. */
  requests = 0;

  private constructor(folder: string, tls?: { cert: string; key: string }) {
    this.#folder = folder;
    const options = { hostname: "127.0.0.1", port: 0, onListen() {}, ...tls };
    this.#server = Deno.serve(options, (request) => {
      if (!request.headers.has("via")) this.sawDirect = true;
      const { pathname, origin } = new URL(request.url);
      this.requests++;
      // as the public registry has it: a description for minutes, a package for ever
      const headers = { "cache-control": "public, max-age=300", "etag": `W/"${this.#versions.size}"` };
      if (pathname === "/leaf") return Response.json(this.#description(origin), { headers });
      const version = this.#versions.get(/^\/leaf\/-\/leaf-([0-9.]+)\.tgz$/.exec(pathname)?.[1] ?? "");
      if (version !== undefined) {
        return new Response(version.tarball, {
          headers: { "cache-control": "public, immutable, max-age=31557600" },
        });
      }
      return Response.json({ error: "not_found" }, { status: 404 });
    });
    this.url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${this.port}/`;
  }

  readonly url: string;

  get port(): number {
    return this.#server.addr.port;
  }

  /** Packs the package `leaf` 1.0.0 in `folder` and serves it, over TLS when a certificate is given. */
  static async start(folder: string, tls?: { cert: string; key: string }): Promise<NpmRegistry> {
    const registry = new NpmRegistry(folder, tls);
    await registry.publish("1.0.0");
    return registry;
  }

  /** Publishes a version of `leaf`, with a script that is run when it is installed. */
  async publish(version: string, postinstall?: string): Promise<void> {
    const folder = `${this.#folder}/${version}`;
    await Deno.mkdir(`${folder}/package`, { recursive: true });
    const manifest = {
      name: "leaf",
      version,
      main: "leaf.js",
      ...postinstall === undefined ? {} : { scripts: { postinstall }, hasInstallScript: true },
    };
    await Deno.writeTextFile(`${folder}/package/package.json`, JSON.stringify(manifest));
    await Deno.writeTextFile(`${folder}/package/leaf.js`, 'module.exports = "a leaf";\n');
    await succeed("tar", ["-czf", "leaf.tgz", "package"], { cwd: folder });
    this.#versions.set(version, { manifest, tarball: await Deno.readFile(`${folder}/leaf.tgz`) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  /** @param origin under which name the registry was asked */
  #description(origin: string) {
    const versions = [...this.#versions.values()].map(({ manifest, tarball }) => ({
      ...manifest,
      dist: {
        tarball: `${origin}/leaf/-/leaf-${manifest.version}.tgz`,
        integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
      },
    }));
    return {
      name: "leaf",
      "dist-tags": { latest: versions.at(-1)!.version },
      versions: Object.fromEntries(versions.map((each) => [each.version, each])),
    };
  }
}

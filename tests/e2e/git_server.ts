/** git's own HTTP server, `git http-backend`, which wants a CGI gateway in front of it: this is one. */

export class GitServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** Whether a request came in chunks. */
  sawChunks = false;

  /** Serves the repositories under `folder` to anybody, for reading and writing. */
  constructor(folder: string) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
      if (request.headers.get("transfer-encoding") === "chunked") this.sawChunks = true;
      return await answer(folder, request);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Runs one request through `git http-backend` (RFC 3875). */
async function answer(folder: string, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const body = new Uint8Array(await request.arrayBuffer());
  const child = new Deno.Command("git", {
    args: ["http-backend"],
    stdin: "piped",
    stdout: "piped",
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH")!,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      // The repositories may belong to another user than the one who runs this.
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers.get("content-type") ?? "",
      CONTENT_LENGTH: String(body.length),
      HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
      HTTP_GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
      REMOTE_ADDR: "127.0.0.1",
    },
  }).spawn();
  // It does not have to read a body to answer.
  const given = ReadableStream.from([body]).pipeTo(child.stdin).catch(() => {});
  const [{ stdout }] = await Promise.all([child.output(), given]);
  const text = new TextDecoder("latin1").decode(stdout);
  const end = text.indexOf("\r\n\r\n");
  const headers = new Headers(
    text.slice(0, end).split("\r\n").map((line) => line.split(/: */, 2) as [string, string]),
  );
  const status = Number.parseInt(headers.get("status") ?? "200");
  headers.delete("status");
  return new Response(stdout.subarray(end + 4), { status, headers });
}

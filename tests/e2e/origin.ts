/** The origin of these tests: nginx with files, over HTTP and over TLS, and the services behind it. */

import { type Certificates, makeCertificates } from "./certificates.ts";
import { accepts, freePort, PATH, removeFolder, until } from "./programs.ts";
import { Services } from "./services.ts";

export class Origin implements AsyncDisposable {
  private constructor(
    /** Holds everything that the test writes; removed at the end. */
    readonly folder: string,
    /** What nginx serves. */
    readonly files: string,
    readonly certificates: Certificates,
    readonly services: Services,
    readonly port: number,
    readonly tlsPort: number,
    private readonly nginx: Deno.ChildProcess,
  ) {}

  get http(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get https(): string {
    return `https://127.0.0.1:${this.tlsPort}`;
  }

  static async start(): Promise<Origin> {
    const folder = await Deno.makeTempDir({ prefix: "weir-e2e-" });
    const files = `${folder}/www`;
    await Deno.mkdir(files);
    await Deno.writeTextFile(`${files}/hello.txt`, "Hello from the origin.\n");
    const certificates = await makeCertificates(folder);
    const services = new Services();
    const [port, tlsPort] = [freePort(), freePort()];
    await Deno.writeTextFile(
      `${folder}/nginx.conf`,
      configuration(folder, certificates, services, port, tlsPort),
    );
    const nginx = startNginx(folder);
    const origin = new Origin(folder, files, certificates, services, port, tlsPort, nginx);
    try {
      let ended = false;
      nginx.status.then(() => ended = true);
      await until("nginx to listen", () => {
        if (ended) throw new Error("nginx ended at its start.");
        return accepts(port);
      });
    } catch (error) {
      await origin[Symbol.asyncDispose]();
      throw error;
    }
    return origin;
  }

  /** Lines of the access log: method, target, status, Via, version. */
  get log(): string[] {
    return Deno.readTextFileSync(`${this.folder}/access.log`).trim().split("\n");
  }

  /** Writes `bytes` random bytes as a file that nginx serves; its path. */
  async randomFile(name: string, bytes: number): Promise<string> {
    using file = await Deno.create(`${this.files}/${name}`);
    const piece = new Uint8Array(65536);
    for (let left = bytes; left > 0; left -= piece.length) {
      crypto.getRandomValues(piece);
      await file.write(piece.subarray(0, Math.min(left, piece.length)));
    }
    return `${this.files}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.nginx.kill("SIGTERM");
    } catch { /* It has ended already. */ }
    await this.nginx.status;
    await this.services[Symbol.asyncDispose]();
    await removeFolder(this.folder);
  }
}

function startNginx(folder: string): Deno.ChildProcess {
  try {
    return new Deno.Command("nginx", {
      args: ["-c", `${folder}/nginx.conf`, "-e", `${folder}/error.log`],
      env: { PATH },
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    throw error instanceof Deno.errors.NotFound
      ? new Error("These tests need nginx: apt-get install nginx")
      : error;
  }
}

function configuration(
  folder: string,
  { certificate, key }: Certificates,
  services: Services,
  port: number,
  tlsPort: number,
): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(" ");
  return `
daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 8000; }
http {
  include /etc/nginx/mime.types; default_type application/octet-stream;
  log_format short '$request_method $request_uri $status "$http_via" $server_protocol';
  access_log ${folder}/access.log short;
  sendfile on; client_max_body_size 0; keepalive_requests 100000; ${temporary}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    listen 127.0.0.1:${tlsPort} ssl http2;
    ssl_certificate ${certificate}; ssl_certificate_key ${key};
    root ${folder}/www;
    location / { autoindex on; }
    location = /empty { return 204; }
    location /service/ {
      proxy_pass http://${services.authority}; proxy_http_version 1.1; proxy_request_buffering off;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_for_upgrade;
    }
  }
  map $http_upgrade $connection_for_upgrade { default upgrade; "" ""; }
}
`;
}

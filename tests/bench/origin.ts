/** The origin behind every proxy: nginx with answers from memory, and a sink for uploads. */

import { freePort, installed, listening, Program } from "./processes.ts";

export const GIBIBYTE = 2 ** 30;

export interface Origin {
  /** `127.0.0.1:port` of nginx. */
  authority: string;
  /** `127.0.0.1:port` of the sink. */
  sinkAuthority: string;
  /** 1 KiB, answered from memory. */
  small: string;
  /** The same, fresh for a day. */
  kept: string;
  /** 64 KiB of zeros, fresh for a day. */
  kept64k: string;
  /** What begins so is 1 KiB, answered from memory, fresh for a day: `…/each/1`. */
  each: string;
  /** 1 GiB of zeros, sent with sendfile. */
  large: string;
  /** Takes any request body to its end and answers 200. */
  sink: string;
  programs: Program[];
}

/** Starts the origin with its files in `folder`, which had better be in memory. */
export async function startOrigin(folder: string): Promise<Origin> {
  const nginx = installed("nginx");
  if (nginx === undefined) throw new Error("The origin is nginx: install it (apt-get install nginx).");
  await Deno.mkdir(`${folder}/www`, { recursive: true });
  using large = await Deno.create(`${folder}/www/large`);
  await large.truncate(GIBIBYTE);
  await Deno.writeFile(`${folder}/www/kept64k`, new Uint8Array(65536));

  const port = freePort();
  const configuration = `${folder}/origin.conf`;
  await Deno.writeTextFile(
    configuration,
    `
daemon off; master_process off; user root; pid ${folder}/origin.pid; error_log stderr error;
events { worker_connections 18000; }
http {
  access_log off; server_tokens off; sendfile on; tcp_nodelay on; open_file_cache max=10;
  keepalive_timeout 600s; keepalive_requests 1000000000; default_type application/octet-stream;
  ${temporaryFolders(folder, "origin")}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /small { return 200 "${"weir".repeat(256)}"; }
    location = /kept { add_header Cache-Control max-age=86400; return 200 "${"weir".repeat(256)}"; }
    location = /kept64k { add_header Cache-Control max-age=86400; root ${folder}/www; }
    location /each/ { add_header Cache-Control max-age=86400; return 200 "${"weir".repeat(256)}"; }
    location / { root ${folder}/www; }
  }
}`,
  );
  const server = Program.start("origin", [nginx, "-c", configuration], `${folder}/origin.log`);
  const sinkPort = freePort();
  const sink = Program.start("sink", [
    Deno.execPath(),
    "run",
    "--allow-net",
    new URL("upload_sink.ts", import.meta.url).pathname,
    String(sinkPort),
  ], `${folder}/sink.log`);
  await Promise.all([listening(server, port), listening(sink, sinkPort)]);
  const authority = `127.0.0.1:${port}`;
  return {
    authority,
    sinkAuthority: `127.0.0.1:${sinkPort}`,
    small: `http://${authority}/small`,
    kept: `http://${authority}/kept`,
    kept64k: `http://${authority}/kept64k`,
    each: `http://${authority}/each/`,
    large: `http://${authority}/large`,
    sink: `http://127.0.0.1:${sinkPort}/sink`,
    programs: [server, sink],
  };
}

/** Lines for nginx that keep its temporary files in `folder`. */
export function temporaryFolders(folder: string, name: string): string {
  return ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${name}_${kind};`).join(" ");
}

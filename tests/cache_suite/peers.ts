/** The caches that can be put to the suite: weir, and those that people run otherwise, with little set. */

import { installed, listening, Program } from "../bench/processes.ts";
import { run } from "../e2e/programs.ts";
import { Weir } from "../e2e/weir.ts";
import { freePort } from "../net/ports.ts";
import type { Address } from "./suite.ts";

export interface Peer {
  name: string;
  /** Starts it with files of its own in `folder`, in front of the server at `origin`, a port of 127.0.0.1. */
  start(folder: string, origin: number): Promise<Running>;
}

export interface Running extends AsyncDisposable {
  /** What it calls itself. */
  version: string;
  address: Address;
  /** Throws when it did not take the tests as it should. */
  assertHealthy?(): void;
}

const weir: Peer = {
  name: "weir",
  async start() {
    // The cache is on by default; the suite's origin is one of this machine.
    const program = await Weir.start(["--cache-estimates", "all"]);
    return {
      version: "weir",
      address: { port: program.port, absolute: true },
      assertHealthy: () => program.assertHealthy(),
      async [Symbol.asyncDispose]() {
        await program.kill();
      },
    };
  },
};

const squid: Peer = {
  name: "squid",
  start: (folder) =>
    program(folder, "squid", ["-v"], true, (port) => [
      ["squid", "-N", "-f", `${folder}/squid.conf`],
      {
        "squid.conf": `
http_port 127.0.0.1:${port}
http_access allow all
cache_mem 64 MB
refresh_pattern . 0 20% 4320
access_log none
cache_log ${folder}/squid.cache.log
cache_store_log none
netdb_filename none
pinger_enable off
pid_filename ${folder}/squid.pid
coredump_dir ${folder}
visible_hostname squid.invalid
shutdown_lifetime 0 seconds
`,
      },
    ]),
};

const nginx: Peer = {
  name: "nginx",
  start: (folder, origin) =>
    program(folder, "nginx", ["-v"], false, (port) => [
      ["nginx", "-c", `${folder}/nginx.conf`],
      {
        "nginx.conf": `
daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr error;
events { worker_connections 1000; }
http {
  access_log off;
  client_body_temp_path ${folder}/nginx.client; proxy_temp_path ${folder}/nginx.proxy;
  fastcgi_temp_path ${folder}/nginx.fastcgi; uwsgi_temp_path ${folder}/nginx.uwsgi;
  scgi_temp_path ${folder}/nginx.scgi;
  proxy_cache_path ${folder}/nginx.cache levels=1:2 keys_zone=cache:8m max_size=64m inactive=600m;
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://127.0.0.1:${origin}; proxy_cache cache; proxy_cache_revalidate on; }
  }
}
`,
      },
    ]),
};

const varnish: Peer = {
  name: "varnish",
  start: (folder, origin) =>
    program(folder, "varnishd", ["-V"], false, (port) => [
      [
        ...["varnishd", "-F", "-n", `${folder}/varnish`, "-a", `127.0.0.1:${port}`],
        ...["-b", `127.0.0.1:${origin}`, "-s", "malloc,64m"],
        // Nothing is fresh that does not say so or reused after it, but it is kept to be validated: with what
        // it does otherwise, the suite cannot tell what comes of the fields of HTTP.
        ...["-p", "default_ttl=0", "-p", "default_grace=0", "-p", "default_keep=60"],
      ],
      {},
    ]),
};

export const PEERS: Peer[] = [weir, squid, nginx, varnish];

/**
 * Starts a program on a free port. `make` gives the command that runs it in the foreground and the files that
 * it reads from `folder`; `versionArguments` make it print what it is.
 */
async function program(
  folder: string,
  name: string,
  versionArguments: string[],
  absolute: boolean,
  make: (port: number) => [command: string[], files: Record<string, string>],
): Promise<Running> {
  if (installed(name) === undefined) throw new Error(`There is no ${name} on this machine.`);
  // Several of them drop to a user of their own, who has to write here.
  await Deno.chmod(folder, 0o777);
  const version = await run(name, versionArguments);
  const port = freePort();
  const [command, files] = make(port);
  for (const [file, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${file}`, text);
  const started = Program.start(name, command, `${folder}/${name}.log`);
  await listening(started, port);
  return {
    version: (version.stdout + version.stderr).split("\n")[0],
    address: { port, absolute },
    [Symbol.asyncDispose]: () => started.end(),
  };
}

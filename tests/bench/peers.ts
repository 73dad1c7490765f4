/** The proxies that are compared: how each is started, with its checks and its access log as it should be. */

import { type Origin, temporaryFolders } from "./origin.ts";
import { writePolicy } from "./policy.ts";
import { delay, freePort, installed, listening, Program } from "./processes.ts";

export interface Peer {
  name: string;
  /** Whether it opens CONNECT tunnels. */
  tunnels: boolean;
  /** Writes what it needs into `folder` and gives the command that runs it in the foreground on `port`. */
  command(folder: string, port: number, origin: Origin): Promise<string[]>;
}

/** A peer that is running and accepts. */
export interface Proxy {
  peer: Peer;
  program: Program;
  port: number;
  /** From spawning the program to the end of its first answer from the origin, ms. */
  firstAnswer: number;
}

const repository = new URL("../../", import.meta.url).pathname;

function weir(command: string[]): Peer {
  return {
    name: "weir",
    tunnels: true,
    command: (_folder, port) =>
      Promise.resolve([...command, "--listen", `127.0.0.1:${port}`, "--log-format", "squid", ...WEIR_LIMITS]),
  };
}

/** The same, with a policy. It is compared only when it is asked for. */
function weirWithPolicy(command: string[]): Peer {
  return {
    ...weir(command),
    name: "weir-policy",
    async command(folder, port, origin) {
      const words = await weir(command).command(folder, port, origin);
      // files below /dev, where the folder may be, need more than --allow-read
      const permitted = words.map((word) => word === "--allow-net" ? "--allow-all" : word);
      return [...permitted, "--config", await writePolicy(folder)];
    },
  };
}

/** Another checkout of weir, which this one is measured against in the same rounds. */
export const AGAINST = "weir-against";

/** What {@link AGAINST} runs: the checkout in `folder`, by the command that runs this one from its sources. */
function weirOf(folder: string, ...args: string[]): Peer {
  const [program, ...words] = WEIR_FROM_SOURCES.slice(0, -1);
  return { ...weir([program, ...words, `${folder}/main.ts`, ...args]), name: AGAINST };
}

/** As many connections of one client as the others are given. */
export const WEIR_LIMITS = ["--max-connections", "18000", "--max-connections-per-client", "18000"];

const squid = squidWith("cache deny all\ncache_mem 0");
const cachingSquid = squidWith("cache_mem 256 MB\nmaximum_object_size_in_memory 8 MB");

export function squidWith(cache: string): Peer {
  return {
    name: "squid",
    tunnels: true,
    async command(folder, port) {
      // Squid drops to its own user, who has to write here.
      await Deno.chmod(folder, 0o777);
      return [
        "squid",
        "-N",
        "-f",
        await configure(
          folder,
          "squid.conf",
          `
http_port 127.0.0.1:${port}
http_access allow all
${cache.replaceAll("FOLDER", folder)}
workers 1
access_log stdio:${folder}/squid.access.log squid
buffered_logs on
cache_log ${folder}/squid.cache.log
cache_store_log none
netdb_filename none
pinger_enable off
client_db off
max_filedescriptors 18000
pid_filename ${folder}/squid.pid
coredump_dir ${folder}
visible_hostname squid.invalid
client_idle_pconn_timeout 10 minutes
shutdown_lifetime 0 seconds`,
        ),
      ];
    },
  };
}

const tinyproxy: Peer = {
  name: "tinyproxy",
  tunnels: true,
  command: async (folder, port) => [
    "tinyproxy",
    "-d",
    "-c",
    await configure(
      folder,
      "tinyproxy.conf",
      `
Listen 127.0.0.1
Port ${port}
Timeout 600
LogFile "${folder}/tinyproxy.access.log"
LogLevel Connect
MaxClients 18000
Allow 127.0.0.1`,
    ),
  ],
};

const haproxy: Peer = {
  name: "haproxy",
  tunnels: false,
  command: async (folder, port, origin) => [
    "haproxy",
    "-db",
    "-f",
    await configure(
      folder,
      "haproxy.conf",
      `
global
  nbthread 1
  maxconn 8900
  log stdout format raw local0 info
defaults
  mode http
  log global
  option httplog
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
  http-reuse always
frontend forward
  bind 127.0.0.1:${port} backlog 4096
  option forwardfor
  use_backend sink if { path -m beg /sink }
  default_backend origin
backend origin
  server origin ${origin.authority}
backend sink
  server sink ${origin.sinkAuthority}
`,
    ),
  ],
};

const CACHE_OF_NGINX = "proxy_cache_path FOLDER/kept levels=1:2 keys_zone=kept:16m max_size=256m;";
const nginx = nginxWith("");
const cachingNginx = nginxWith(CACHE_OF_NGINX);
/** Files that are asked for often stay open. */
const tunedNginx = {
  ...nginxWith(`${CACHE_OF_NGINX} open_file_cache max=10000 inactive=600s; open_file_cache_valid 600s;`),
  name: "nginx-tuned",
};

/** Its cache is files, which are in memory where the folder is. */
function nginxWith(cache: string): Peer {
  return {
    name: "nginx",
    tunnels: false,
    command: async (folder, port, origin) => [
      "nginx",
      "-c",
      await configure(
        folder,
        "nginx.conf",
        `
daemon off; master_process off; user root; pid ${folder}/nginx.pid; error_log stderr error;
events { worker_connections 18000; }
http {
  access_log ${folder}/nginx.access.log; sendfile on; tcp_nodelay on;
  keepalive_timeout 600s; keepalive_requests 1000000000; client_max_body_size 0;
  ${temporaryFolders(folder, "nginx")}
  ${cache.replaceAll("FOLDER", folder)}
  upstream origin { server ${origin.authority}; keepalive 512; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_request_buffering off; proxy_max_temp_file_size 0;
    location / { proxy_pass http://origin; ${cache === "" ? "" : "proxy_cache kept;"} }
    location /sink { proxy_pass http://${origin.sinkAuthority}; }
  }
}`,
      ),
    ],
  };
}

/** It writes its log into memory that is shared with who reads it. */
const varnish: Peer = {
  name: "varnish",
  tunnels: false,
  async command(folder, port, origin) {
    // It drops to users of its own, who have to write here.
    await Deno.chmod(folder, 0o777);
    return [
      ...["varnishd", "-F", "-n", `${folder}/varnish`, "-a", `127.0.0.1:${port}`, "-s", "malloc,256m"],
      ...["-b", origin.authority, "-p", "timeout_idle=600"],
    ];
  },
};

const privoxy: Peer = {
  name: "privoxy",
  tunnels: true,
  command: async (folder, port) => [
    "privoxy",
    "--no-daemon",
    await configure(
      folder,
      "privoxy.conf",
      `
confdir ${folder}
logdir ${folder}
logfile privoxy.access.log
debug 512
listen-address 127.0.0.1:${port}
max-client-connections 9000
listen-backlog 4096
keep-alive-timeout 600
connection-sharing 1
tolerate-pipelining 1
socket-timeout 600
`,
    ),
  ],
};

/** What can be named, whatever is installed. */
export const PEER_NAMES = [
  ...["weir", "squid", "haproxy", "nginx", "tinyproxy", "privoxy"],
  ...["varnish", "nginx-tuned", "weir-policy", "weir-uncached", "weir-lean"],
  ...["squid-ufs", "squid-rock", AGAINST],
];

/**
 * The proxies to compare: weir as `command` runs it, and those of the others that are installed.
 *
 * @param against the folder of another checkout of weir, or `""`
 */
export function choosePeers(command: string[], only: string[], against: string): Peer[] {
  const policed = only.includes("weir-policy") ? [weirWithPolicy(command)] : [];
  const other = against === "" ? [] : [weirOf(against)];
  return [...chosen([weir(command), ...policed, squid, haproxy, nginx, tinyproxy, privoxy], only), ...other];
}

/**
 * Those that cache, with their caches on and in memory; `weir-uncached`, which is weir without one; and `weir-lean`,
 * which is weir with 4 MiB at the most for what is new: V8 takes up to 16 (and as much again) as soon as much of it stays, once.
 */
export function chooseCaches(command: string[], only: string[], against: string): Peer[] {
  const uncached = { ...weir([...command, "--no-cache"]), name: "weir-uncached" };
  const [program, ...args] = command;
  const flags = args[0] === "run" ? ["run", "--v8-flags=--max-semi-space-size=4", ...args.slice(1)] : args;
  const lean = { ...weir([program, ...flags, "--cache", "256m"]), name: "weir-lean" };
  const peers = chosen(
    [weir([...command, "--cache", "256m"]), uncached, lean, cachingSquid, cachingNginx, tunedNginx, varnish],
    only,
  );
  return against === "" ? peers : [...peers, weirOf(against, "--cache", "256m")];
}

/** Those that are installed, and named if any are. */
export function chosen<P extends Peer>(peers: P[], only: string[]): P[] {
  return peers.filter(({ name }) => {
    if (only.length > 0 && !only.includes(name)) return false;
    if (name.startsWith("weir") || installed(PROGRAMS[name] ?? name) !== undefined) return true;
    console.error(`${name} is not installed and left out.`);
    return false;
  });
}

/** Programs that are not called like what they are. */
const PROGRAMS: Record<string, string> = {
  varnish: "varnishd",
  "nginx-tuned": "nginx",
  "squid-ufs": "squid",
  "squid-rock": "squid",
};

/** How weir is run from the sources. */
export const WEIR_FROM_SOURCES = [
  Deno.execPath(),
  "run",
  "--allow-net",
  "--no-prompt",
  `${repository}main.ts`,
];

/** Starts a proxy in a folder of its own and waits for its first answer. */
export async function startProxy(peer: Peer, folder: string, origin: Origin): Promise<Proxy> {
  const own = await Deno.makeTempDir({ dir: folder, prefix: `${peer.name}-` });
  const port = freePort();
  const [name, ...args] = await peer.command(own, port, origin);
  const path = name.includes("/") ? name : installed(name)!;
  const began = performance.now();
  const program = Program.start(peer.name, [path, ...args], `${own}/output.log`, own);
  const firstAnswer = await answered(program, port, origin.small) - began;
  return { peer, program, port, firstAnswer };
}

/** Asks again and again until there is a `200`; the moment of its last byte (`performance.now()`). */
async function answered(program: Program, port: number, url: string): Promise<number> {
  const { host } = new URL(url);
  const request = new TextEncoder().encode(
    `GET ${url} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
  );
  const buffer = new Uint8Array(65536);
  const deadline = performance.now() + 15_000;
  while (performance.now() < deadline && !program.ended) {
    try {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(request);
      let text = "";
      for (let count; (count = await connection.read(buffer)) !== null;) {
        text += new TextDecoder().decode(buffer.subarray(0, count));
      }
      if (/^HTTP\/1\.[01] 200 /.test(text)) return performance.now();
    } catch { /* Not yet. */ }
    await delay(1);
  }
  await listening(program, port);
  throw new Error(`${program.name} does not answer.\n${program.lastWords()}`);
}

async function configure(folder: string, name: string, text: string): Promise<string> {
  await Deno.writeTextFile(`${folder}/${name}`, text);
  return `${folder}/${name}`;
}

/** Names below which anybody may have a name of their own, as far as they are well known. */

/**
 * Suffixes of two labels or more under which strangers register, or under which a service gives names to whoever
 * asks. The whole list is publicsuffix.org's and has ten thousand; these are the ones that rules are written for.
 */
const SHARED: ReadonlySet<string> = new Set([
  // registries
  ...["co.uk", "org.uk", "me.uk", "ac.uk", "gov.uk", "com.au", "net.au", "org.au", "co.nz", "co.za", "co.jp"],
  ...["ne.jp", "or.jp", "co.kr", "co.in", "co.id", "co.il", "com.br", "com.mx", "com.ar", "com.co", "com.tr"],
  ...["com.cn", "com.tw", "com.hk", "com.sg", "com.my", "com.pl", "com.ua", "uk.com", "eu.org"],
  // storage, where a bucket is anybody's
  ...["amazonaws.com", "s3.amazonaws.com", "storage.googleapis.com", "blob.core.windows.net"],
  ...["core.windows.net", "r2.dev", "r2.cloudflarestorage.com", "digitaloceanspaces.com", "backblazeb2.com"],
  // sites and programs
  ...[
    "github.io",
    "githubusercontent.com",
    "gitlab.io",
    "pages.dev",
    "workers.dev",
    "netlify.app",
    "vercel.app",
  ],
  ...["herokuapp.com", "fly.dev", "onrender.com", "web.app", "firebaseapp.com", "appspot.com", "run.app"],
  ...["cloudfunctions.net", "azurewebsites.net", "azureedge.net", "cloudfront.net", "deno.dev", "deno.net"],
  ...[
    "glitch.me",
    "surge.sh",
    "blogspot.com",
    "wordpress.com",
    "repl.co",
    "replit.app",
    "ngrok.io",
    "ngrok.app",
  ],
  ...[
    "ngrok-free.app",
    "trycloudflare.com",
    "loca.lt",
    "serveo.net",
    "duckdns.org",
    "dyndns.org",
    "no-ip.org",
  ],
  // an address in the name
  ...["nip.io", "sslip.io", "xip.io"],
]);

/** Labels that no registry gives out: they are a network's own (RFC 6761, RFC 6762, RFC 8375, and usage). */
const LOCAL: ReadonlySet<string> = new Set([
  ...["localhost", "local", "internal", "test", "example", "invalid", "onion", "alt"],
  ...["lan", "home", "corp", "intranet", "private", "localdomain", "cluster"],
]);

/** Whether names below `name` belong to many who have nothing to do with each other. */
export function isShared(name: string): boolean {
  return name.includes(".") ? SHARED.has(name) : !LOCAL.has(name);
}

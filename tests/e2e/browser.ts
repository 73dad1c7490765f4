/** Chromium without a window, with a profile of its own, and with nothing of its own to ask the network for. */

import { type Output, PATH, removeFolder, run, succeed } from "./programs.ts";

const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"],
  ...["--no-first-run", "--no-default-browser-check", "--no-service-autorun", "--metrics-recording-only"],
  ...[
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--disable-breakpad",
  ],
  ...["--disable-default-apps", "--disable-extensions", "--disable-client-side-phishing-detection"],
  ...["--disable-component-extensions-with-background-pages", "--disable-field-trial-config"],
  "--disable-features=HttpsUpgrades,OptimizationHints,MediaRouter,Translate,InterestFeedContentSuggestions",
  // where it asks who is signed in
  "--gaia-url=http://127.0.0.1:1/",
];

/** Flags that name a proxy which is to be used for loopback too. */
export function throughProxy(url: string): string[] {
  return [`--proxy-server=${url}`, "--proxy-bypass-list=<-loopback>"];
}

/** Options of weir by which what a browser asks the world for by itself does not leave this machine. */
export const HERE_ALONE = ["127.0.0.1", "*.localhost"].flatMap((host) => ["--allow", host]);

/** Throws when there is no Chromium: started for a test, a missing one would only be silent. */
export async function needBrowser(): Promise<void> {
  await succeed("chromium", ["--version"], { env: { HOME: "/tmp" } });
}

/** A browser that has a page open for as long as the test wants. */
export class Browser implements AsyncDisposable {
  // Also its folder for temporary files, so that nothing is left of it; short, since it has a socket in there.
  readonly #profile = Deno.makeTempDirSync({ prefix: "weir-chromium-" });
  readonly #child: Deno.ChildProcess;

  /** @param proxy the flags that name the proxy */
  constructor(proxy: readonly string[], url: string) {
    this.#child = new Deno.Command("setsid", {
      args: [
        ...["chromium", ...FLAGS, "--ignore-certificate-errors", `--user-data-dir=${this.#profile}`],
        ...[...proxy, "--remote-debugging-port=0", url],
      ],
      clearEnv: true,
      env: { PATH, HOME: this.#profile, TMPDIR: this.#profile },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Ends the browser and all its processes, which are one group. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      Deno.kill(-this.#child.pid, "SIGKILL");
    } catch { /* It has ended already. */ }
    await this.#child.status;
    await removeFolder(this.#profile);
  }
}

/** Opens a page in a browser of its own and waits for its end: the page as it was in the end on standard output. */
export async function dumpPage(url: string, flags: readonly string[]): Promise<Output> {
  const profile = await Deno.makeTempDir({ prefix: "weir-chromium-" });
  try {
    const args = [...FLAGS, `--user-data-dir=${profile}`, "--enable-logging=stderr", ...flags];
    return await run("chromium", [...args, "--dump-dom", url], { env: { HOME: profile, TMPDIR: profile } });
  } finally {
    await removeFolder(profile);
  }
}

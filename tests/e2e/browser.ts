/** Chromium without a window, with a profile of its own, that goes through the proxy for loopback too. */
export class Browser implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  /** @param proxy the flags that name the proxy: `--proxy-server=http://127.0.0.1:8888` */
  constructor(proxy: readonly string[], profile: string, url: string) {
    this.#child = new Deno.Command("setsid", {
      args: [
        ...["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        ...["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"],
        ...["--disable-component-update", "--disable-default-apps", "--ignore-certificate-errors"],
        ...[`--user-data-dir=${profile}`, ...proxy],
        ...["--proxy-bypass-list=<-loopback>", "--remote-debugging-port=0", url],
      ],
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
  }
}

/** What `weir env` prints, given to the programs that it is for: do they use the proxy, and leave it out if told? */

import { assert, assertEquals } from "@std/assert";
import { NpmRegistry } from "./npm_registry.ts";
import { Origin } from "./origin.ts";
import { denoEnvironment, run, succeed } from "./programs.ts";
import { Weir } from "./weir.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** Whether a program is there and runs; those that are not everywhere are tried where they are. */
async function runs(...[program, ...args]: string[]): Promise<boolean> {
  try {
    return (await run(program, args, { env: usual() })).code === 0;
  } catch {
    return false;
  }
}

/** What programs that were installed for one user need to find themselves. */
function usual(): Record<string, string> {
  const others = ["HOME", "PYENV_ROOT", "RUSTUP_HOME"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(others), ...denoEnvironment() };
}

const JAVA = `import java.net.*; class Fetch { public static void main(String[] a) throws Exception {
  System.out.print(new String(new URL(a[0]).openStream().readAllBytes())); } }`;

const GO = `package main
import ("io"; "net/http"; "os")
func main() { if r, err := http.Get(os.Args[1]); err == nil { io.Copy(os.Stdout, r.Body) } }
`;

/** What a client of Docker asks of a daemon, which there is none of, to make a container. */
async function containerAsked(config: string): Promise<{ Env: string[] }> {
  const asked = Promise.withResolvers<{ Env: string[] }>();
  const daemon = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    if (!request.url.includes("/containers/create")) {
      return new Response("OK", { headers: { "Api-Version": "1.41", "OSType": "linux" } });
    }
    asked.resolve(await request.json());
    return Response.json({ Id: "made", Warnings: [] }, { status: 201 });
  });
  const client = run("docker", ["--config", config, "create", "--pull", "never", "image"], {
    env: { ...usual(), DOCKER_HOST: `tcp://127.0.0.1:${daemon.addr.port}` },
  });
  client.then(({ stderr }) => asked.reject(new Error(stderr)), asked.reject);
  try {
    return await asked.promise;
  } finally {
    await client;
    await daemon.shutdown();
  }
}

Deno.test("what weir env prints makes programs use the proxy", async (test) => {
  await using origin = await Origin.start();
  await using weir = await Weir.start();
  await using registry = await NpmRegistry.start(`${origin.folder}/registry`);
  const weirEnv = (program: string, ...args: string[]) =>
    succeed(Deno.execPath(), [
      "run",
      "--allow-net",
      "--no-prompt",
      MAIN,
      "env",
      program,
      "--proxy",
      weir.url,
      ...args,
    ], {
      env: usual(),
    });

  /** A home of its own for each try, with the file in it or the commands run. */
  async function home(
    program: string,
    file: string | null,
    noProxy: string,
  ): Promise<{ path: string; text: string }> {
    const path = await Deno.makeTempDir({ dir: origin.folder });
    const text = await weirEnv(program, "--no-proxy", noProxy);
    if (file !== null) {
      await Deno.mkdir(`${path}/${file}`.replace(/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${path}/${file}`, text);
    }
    return { path, text };
  }

  const seen = (mark: string) => weir.log.filter(({ target }) => String(target).includes(mark)).length;

  /**
   * Runs a program twice, through the proxy and with the origin excepted.
   *
   * @param command a line for sh; `URL` in it stands for a file of the origin, and `$EVAL` for what was printed
   */
  async function prove(
    program: string,
    file: string | null,
    command: string,
    {
      env = {},
      excepted = "127.0.0.1",
      url = `${origin.http}/hello.txt`,
      expected = "Hello from the origin.\n",
    } = {},
  ) {
    for (const noProxy of ["", excepted]) {
      const { path, text } = await home(program, file, noProxy);
      const mark = `${program}-${noProxy === "" ? "through" : "past"}`;
      const line = command.replaceAll("URL", url.includes("?") ? url : `${url}?${mark}`).replaceAll(
        "MARK",
        mark,
      );
      const before = weir.log.length;
      const said = await succeed("sh", ["-c", `${file === null ? text : ""}${line}`], {
        env: { ...env, HOME: path },
      });
      if (expected !== "") assertEquals(said, expected, mark);
      if (noProxy === "") await weir.logged(mark, ({ target }) => String(target).includes(mark));
      else {
        // what went through would stand in the log before this
        await succeed("curl", [
          "-q",
          "-sS",
          "-x",
          weir.url,
          "-o",
          "/dev/null",
          `${origin.http}/hello.txt?after-${mark}`,
        ]);
        await weir.logged(mark, ({ target }) => String(target).includes(`after-${mark}`));
        assertEquals(
          seen(mark) - seen(`after-${mark}`),
          0,
          `${program} used the proxy for what was excepted`,
        );
        assert(weir.log.length > before);
      }
    }
  }

  await test.step("sh, for curl and wget alike", async () => {
    await prove("sh", null, "curl -q -sS URL");
    await prove("bash", null, "wget --no-config -q -O - URL");
  });
  await test.step("curl by ~/.curlrc", () => prove("curl", ".curlrc", "curl -sS URL"));
  await test.step("wget by ~/.wgetrc", () => prove("wget", ".wgetrc", "wget -q -O - URL"));
  await test.step("Deno", () => {
    const code = "console.log((await (await fetch('URL')).text()).trim())";
    const env = usual();
    return prove("deno", null, `'${Deno.execPath()}' eval "${code}"`, { env });
  });

  await test.step("git by its configuration, and its exceptions by the environment", async () => {
    const options = { env: { HOME: (await home("git", null, "")).path, GIT_TERMINAL_PROMPT: "0" } };
    await succeed("sh", ["-c", await weirEnv("git")], options);
    const list = `git ls-remote ${origin.http}/no-such-repository`;
    await run("sh", ["-c", `${list}-through`], options);
    await weir.logged("git's request", ({ target }) => String(target).includes("repository-through"));
    await run("sh", ["-c", `${await weirEnv("sh", "--no-proxy", "127.0.0.1")}${list}-past`], options);
    await succeed("sh", ["-c", await weirEnv("git", "--undo")], options);
    await run("sh", ["-c", `${list}-undone`], options);
    await succeed("curl", [
      "-q",
      "-sS",
      "-x",
      weir.url,
      "-o",
      "/dev/null",
      `${origin.http}/hello.txt?after-git`,
    ]);
    await weir.logged("the last", ({ target }) => String(target).includes("after-git"));
    assertEquals([seen("repository-past"), seen("repository-undone")], [0, 0]);
  });

  await test.step("npm by its configuration", async () => {
    const options = { env: { HOME: (await home("npm", null, "")).path } };
    const view = () => succeed("npm", ["view", "leaf", "version", "--registry", registry.url], options);
    await succeed("sh", ["-c", await weirEnv("npm", "--no-proxy", "")], options);
    assertEquals(await view(), "1.0.0\n");
    assertEquals(registry.sawDirect, false);
    await weir.logged("npm's request", ({ target }) => String(target) === `${registry.url}leaf`);
    await succeed("sh", ["-c", await weirEnv("npm", "--no-proxy", "127.0.0.1")], options);
    await view();
    assertEquals(registry.sawDirect, true);
    await succeed("sh", ["-c", await weirEnv("npm", "--undo")], options);
    assertEquals(await succeed("npm", ["config", "get", "proxy"], options), "null\n");
  });

  await test.step({
    name: "Node",
    ignore: !await runs(
      ...["node", "-e", "process.exit(process.allowedNodeEnvironmentFlags.has('--use-env-proxy') ? 0 : 1)"],
    ),
    // not fetch, which opens a tunnel for http too: which one it was would not stand in the log
    fn: () => prove("node", null, `node -e "require('http').get('URL', (r) => r.pipe(process.stdout))"`),
  });

  await test.step({
    name: "apt",
    ignore: !await runs("apt-get", "--version"),
    fn: async () => {
      for (const [excepted, count] of [["", 1], ["127.0.0.1", 0]] as const) {
        const mark = `apt-${count}`;
        const { path } = await home("apt", "apt.conf", excepted);
        await Deno.mkdir(`${path}/lists/partial`, { recursive: true });
        await Deno.writeTextFile(`${path}/sources.list`, `deb ${origin.http}/${mark} stable main\n`);
        const settings = [
          `Dir::Etc::SourceList=${path}/sources.list`,
          "Dir::Etc::SourceParts=/dev/null",
          `Dir::State::Lists=${path}/lists`,
          `Dir::Cache=${path}`,
          "APT::Sandbox::User=root",
          "Acquire::Retries=0",
        ];
        // there is no repository: that it is asked for is enough
        await run("apt-get", [...settings.flatMap((each) => ["-o", each]), "update"], {
          env: { APT_CONFIG: `${path}/apt.conf` },
        });
        if (count > 0) await weir.logged(mark, ({ target }) => String(target).includes(`/${mark}/`));
        else assert(origin.log.some((line) => line.includes(`/${mark}/`)), "apt asked nobody");
      }
      assertEquals(seen("/apt-0/"), 0);
    },
  });

  await test.step({
    name: "pip",
    ignore: !await runs("python3", "-m", "pip", "--version"),
    fn: async () => {
      const path = await Deno.makeTempDir({ dir: origin.folder });
      const python = (await succeed("python3", ["-c", "import sys; print(sys.executable)"], { env: usual() }))
        .trim();
      const options = {
        env: { HOME: path, PIP_CONFIG_FILE: `${path}/pip.conf`, PIP_DISABLE_PIP_VERSION_CHECK: "1" },
      };
      const commands = (await weirEnv("pip")).replace(/^pip /, `'${python}' -m pip `);
      await succeed("sh", ["-c", commands.replace("config set", "config --user set")], {
        env: { ...options.env, PIP_CONFIG_FILE: "", XDG_CONFIG_HOME: path },
      });
      await run(python, [
        "-m",
        "pip",
        "download",
        "no-such",
        "--retries",
        "0",
        "-i",
        `${origin.http}/pip-through`,
      ], {
        env: { HOME: path, XDG_CONFIG_HOME: path },
      });
      await weir.logged("pip's request", ({ target }) => String(target).includes("/pip-through/"));
    },
  });

  await test.step({
    name: "cargo",
    ignore: !await runs("cargo", "--version"),
    fn: async () => {
      const path = await Deno.makeTempDir({ dir: origin.folder });
      await Deno.writeTextFile(`${path}/config.toml`, await weirEnv("cargo"));
      // there is no registry: that it is asked for is enough
      await run("cargo", ["search", "leaf", "--index", `sparse+${origin.http}/cargo-through/`], {
        env: { ...usual(), CARGO_HOME: path, CARGO_NET_RETRY: "0" },
      });
      await weir.logged("cargo's request", ({ target }) => String(target).includes("/cargo-through/"));
    },
  });

  await test.step({
    name: "Java",
    ignore: !await runs("java", "--version"),
    fn: async () => {
      await Deno.writeTextFile(`${origin.folder}/Fetch.java`, JAVA);
      await prove("jvm", null, `java ${origin.folder}/Fetch.java URL`, { env: {} });
    },
  });

  await test.step({
    name: "fish",
    ignore: !await runs("fish", "--version"),
    fn: () => prove("fish", ".weir.fish", "fish -c 'source ~/.weir.fish; curl -q -sS \"URL\"'"),
  });

  await test.step({
    name: "Go",
    ignore: !await runs("go", "version"),
    fn: async () => {
      const folder = await Deno.makeTempDir({ dir: origin.folder });
      await Deno.writeTextFile(`${folder}/fetch.go`, GO);
      const env = { ...usual(), HOME: folder, GOCACHE: `${folder}/cache`, GOFLAGS: "-mod=mod" };
      await succeed("go", ["build", "-o", `${folder}/fetch`, `${folder}/fetch.go`], { env });
      // loopback it never sends through a proxy: a name that there is not, of which the proxy says so
      const url = "http://no-such.invalid/MARK?";
      await prove("go", null, `${folder}/fetch URL`, { excepted: "no-such.invalid", url, expected: "" });
    },
  });

  await test.step({
    name: "Docker's client",
    ignore: !await runs("docker", "--version"),
    fn: async () => {
      const { path } = await home("docker", "config.json", "localhost,.example");
      const { Env } = await containerAsked(path);
      for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"]) {
        assert(Env.includes(`${name}=${weir.url}`), `${name} in ${Env}`);
      }
      assert(Env.includes("no_proxy=localhost,.example"), `${Env}`);
    },
  });

  await test.step({
    name: "systemd",
    ignore: !await runs("systemd-analyze", "--version"),
    fn: async () => {
      const path = await Deno.makeTempDir({ dir: origin.folder });
      await Deno.mkdir(`${path}/a.service.d`);
      await Deno.writeTextFile(`${path}/a.service`, "[Service]\nExecStart=/bin/true\n");
      const proxy = ["--proxy", `http://a%27b:c%5Cd@127.0.0.1:1`, "--no-proxy", ".example,10.0.0.0/8"];
      const text = await weirEnv("systemd", ...proxy);
      const judged = async (text: string) => {
        await Deno.writeTextFile(`${path}/a.service.d/proxy.conf`, text);
        return (await run("systemd-analyze", ["verify", "--man=no", `${path}/a.service`], { env: usual() }))
          .stderr;
      };
      assertEquals(await judged(text), "");
      // of what it does not take it tells how it has read it
      const said = await judged(text.replaceAll('Environment="', 'Environment="1'));
      assert(said.includes("ignoring: 1http_proxy=http://a%27b:c%5Cd@127.0.0.1:1\n"), said);
      assert(said.includes("ignoring: 1no_proxy=.example,10.0.0.0/8\n"), said);
    },
  });

  weir.assertHealthy();
});

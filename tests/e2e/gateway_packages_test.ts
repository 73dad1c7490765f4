/** Package managers that know of no proxy and get all that they need through the gateway. */

import { assertEquals } from "@std/assert";
import { NpmRegistry } from "./npm_registry.ts";
import { freePort, removeFolder, succeed } from "./programs.ts";
import { Weir } from "./weir.ts";

/** Serves a folder, and writes down what it was asked for and whether weir had marked it with Via. */
class Files implements AsyncDisposable {
  readonly asked: string[] = [];
  sawDirect = false;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(folder: string) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
      const { pathname } = new URL(request.url);
      this.asked.push(pathname);
      if (!request.headers.has("via")) this.sawDirect = true;
      const file = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
      try {
        const type = file.endsWith(".html") ? "text/html" : "application/octet-stream";
        return new Response(await Deno.readFile(folder + file), { headers: { "content-type": type } });
      } catch {
        return new Response("not found", { status: 404 });
      }
    });
  }

  get authority(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Runs a test with a folder of its own and the URL of a gateway, and sees to it that nothing has gone past it. */
async function inGateway(run: (folder: string, gateway: string, weir: Weir) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "weir-packages-" });
  try {
    const port = freePort();
    await using weir = await Weir.start(["--gateway", `127.0.0.1:${port}`]);
    await run(folder, `http://127.0.0.1:${port}`, weir);
    weir.assertHealthy();
  } finally {
    await removeFolder(folder);
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A Debian repository with one package, `leaf`, in `folder`. */
async function makeRepository(folder: string): Promise<void> {
  const control = "Package: leaf\nVersion: 1.0\nArchitecture: all\nMaintainer: a test <test@example.com>\n" +
    "Description: a leaf\n";
  await Deno.mkdir(`${folder}/build/DEBIAN`, { recursive: true });
  await Deno.mkdir(`${folder}/build/usr/share/leaf`, { recursive: true });
  await Deno.mkdir(`${folder}/served`);
  await Deno.writeTextFile(`${folder}/build/DEBIAN/control`, control);
  await Deno.writeTextFile(`${folder}/build/usr/share/leaf/leaf`, "a leaf\n");
  const deb = `${folder}/served/leaf_1.0_all.deb`;
  await succeed("dpkg-deb", ["--root-owner-group", "--build", `${folder}/build`, deb]);
  const bytes = await Deno.readFile(deb);
  const packages = `${control}Filename: ./leaf_1.0_all.deb\nSize: ${bytes.length}\nSHA256: ${await sha256(
    bytes,
  )}\n\n`;
  await Deno.writeTextFile(`${folder}/served/Packages`, packages);
  const index = new TextEncoder().encode(packages);
  await Deno.writeTextFile(
    `${folder}/served/Release`,
    `Date: ${new Date().toUTCString()}\nSHA256:\n ${await sha256(index)} ${index.length} Packages\n`,
  );
}

for (const before of ["", "http://", "http:/"]) {
  Deno.test(`apt updates its lists and downloads a package: /${before}host/`, () =>
    inGateway(async (folder, gateway, weir) => {
      await makeRepository(folder);
      await using repository = new Files(`${folder}/served`);
      for (const each of ["state/lists/partial", "cache/archives/partial", "etc/parts", "out"]) {
        await Deno.mkdir(`${folder}/${each}`, { recursive: true });
      }
      await Deno.writeTextFile(`${folder}/state/status`, "");
      await Deno.writeTextFile(
        `${folder}/etc/sources.list`,
        `deb [trusted=yes] ${gateway}/${before}${repository.authority}/ ./\n`,
      );
      // nothing of this machine's own configuration
      await Deno.writeTextFile(
        `${folder}/apt.conf`,
        `Dir::State "${folder}/state"; Dir::State::status "${folder}/state/status"; Dir::Cache "${folder}/cache";
Dir::Etc "${folder}/etc"; Dir::Etc::parts "${folder}/etc/parts"; Dir::Etc::sourceparts "-"; Dir::Log "${folder}";
APT::Sandbox::User ""; Acquire::Languages "none"; Acquire::Retries "0";
`,
      );
      const options = { cwd: `${folder}/out`, env: { APT_CONFIG: `${folder}/apt.conf`, HOME: folder } };
      await succeed("apt-get", ["-q", "-o", "APT::Update::Error-Mode=any", "update"], options);
      await succeed("apt-get", ["-q", "download", "leaf"], options);
      await succeed("dpkg-deb", ["-x", "leaf_1.0_all.deb", "unpacked"], options);
      assertEquals(await Deno.readTextFile(`${folder}/out/unpacked/usr/share/leaf/leaf`), "a leaf\n");
      assertEquals(repository.sawDirect, false);
      await weir.logged(
        "the package",
        ({ target, status }) =>
          status === 200 && String(target).endsWith(`${repository.authority}/./leaf_1.0_all.deb`),
      );
    }));
}

/** A wheel of one module, `leaf`, and an index that names it. */
async function makeIndex(folder: string): Promise<void> {
  const wheel = `${folder}/wheel`;
  const info = `${wheel}/leaf-1.0.dist-info`;
  await Deno.mkdir(info, { recursive: true });
  for (const each of ["files", "simple/leaf"]) {
    await Deno.mkdir(`${folder}/served/${each}`, { recursive: true });
  }
  await Deno.writeTextFile(`${wheel}/leaf.py`, 'NAME = "a leaf"\n');
  await Deno.writeTextFile(`${info}/METADATA`, "Metadata-Version: 2.1\nName: leaf\nVersion: 1.0\n");
  await Deno.writeTextFile(
    `${info}/WHEEL`,
    "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
  );
  await Deno.writeTextFile(
    `${info}/RECORD`,
    ["leaf.py", ...["METADATA", "WHEEL", "RECORD"].map((name) => `leaf-1.0.dist-info/${name}`)]
      .map((name) => `${name},,\n`).join(""),
  );
  const file = "leaf-1.0-py3-none-any.whl";
  await succeed("python3", [
    "-m",
    "zipfile",
    "-c",
    `${folder}/served/files/${file}`,
    "leaf.py",
    "leaf-1.0.dist-info",
  ], {
    cwd: wheel,
  });
  await Deno.writeTextFile(
    `${folder}/served/simple/leaf/index.html`,
    `<!doctype html><a href="../../files/${file}">${file}</a>`,
  );
}

for (const before of ["", "http://", "http:/", "http%3A//", "http%3A/"]) {
  Deno.test(`pip installs a package: /${before}host/`, () =>
    inGateway(async (folder, gateway, weir) => {
      await makeIndex(folder);
      await using index = new Files(`${folder}/served`);
      await succeed("python3", [
        ...[
          "-m",
          "pip",
          "install",
          "--isolated",
          "--no-cache-dir",
          "--disable-pip-version-check",
          "--no-deps",
        ],
        ...["--retries", "0", "--index-url", `${gateway}/${before}${index.authority}/simple/`],
        ...["--target", `${folder}/out`, "leaf"],
      ], { env: { HOME: folder, PIP_CONFIG_FILE: "/dev/null" } });
      const said = await succeed("python3", ["-c", "import leaf; print(leaf.NAME)"], {
        cwd: `${folder}/out`,
      });
      assertEquals(said, "a leaf\n");
      assertEquals(index.sawDirect, false);
      await weir.logged(
        "the wheel",
        ({ target, status }) => status === 200 && String(target).endsWith("/files/leaf-1.0-py3-none-any.whl"),
      );
    }));
}

Deno.test("npm installs a package", () =>
  inGateway(async (folder, gateway, weir) => {
    await using registry = await NpmRegistry.start(`${folder}/registry`);
    await Deno.mkdir(`${folder}/project`);
    await Deno.writeTextFile(`${folder}/project/package.json`, '{ "private": true }');
    const { host } = new URL(registry.url);
    await succeed("npm", [
      ...["install", "leaf", "--no-audit", "--no-fund", "--no-update-notifier", "--fetch-retries=0"],
      ...["--registry", `${gateway}/${host}/`, "--replace-registry-host=always"],
      ...["--cache", `${folder}/cache`, "--userconfig", `${folder}/npmrc`],
    ], { cwd: `${folder}/project`, env: { HOME: folder } });
    const said = await succeed("node", ["-p", 'require("leaf")'], { cwd: `${folder}/project` });
    assertEquals(said, "a leaf\n");
    assertEquals(registry.sawDirect, false);
    await weir.logged("the package", ({ target, status }) =>
      status === 200 && target === `${registry.url}leaf/-/leaf-1.0.0.tgz`);
  }));

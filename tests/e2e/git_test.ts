import { assertEquals, assertMatch } from "@std/assert";
import { GitServer } from "./git_server.ts";
import { Origin } from "./origin.ts";
import { succeed } from "./programs.ts";
import { Weir } from "./weir.ts";

Deno.test("git", async (test) => {
  await using origin = await Origin.start();
  await using weir = await Weir.start();
  const identity = { GIT_AUTHOR_NAME: "A", GIT_AUTHOR_EMAIL: "a@test", GIT_COMMITTER_NAME: "A" };
  const env = { ...identity, GIT_COMMITTER_EMAIL: "a@test", GIT_TERMINAL_PROMPT: "0", HOME: origin.folder };
  const git = (cwd: string, ...args: string[]) => succeed("git", args, { cwd, env });
  const through = ["-c", `http.proxy=${weir.url}`, "-c", `http.sslCAInfo=${origin.certificates.authority}`];

  const source = `${origin.folder}/source`;
  await git(origin.folder, "init", "-q", "-b", "main", source);
  for (let commit = 0; commit < 5; commit++) {
    await Deno.writeFile(`${source}/file${commit}`, crypto.getRandomValues(new Uint8Array(60_000)));
    await git(source, "add", ".");
    await git(source, "commit", "-q", "-m", `Commit ${commit}`);
  }
  const head = (await git(source, "rev-parse", "HEAD")).trim();
  const bare = `${origin.files}/project.git`;
  await git(origin.folder, "clone", "-q", "--bare", source, bare);
  await git(bare, "update-server-info");

  for (const scheme of ["http", "https"] as const) {
    await test.step(`clones plain files over ${scheme}`, async () => {
      const clone = `${origin.folder}/files-${scheme}`;
      await git(origin.folder, ...through, "clone", "-q", `${origin[scheme]}/project.git`, clone);
      assertEquals((await git(clone, "rev-parse", "HEAD")).trim(), head);
      await git(clone, "fsck", "--strict");
    });
  }

  await test.step("clones from and pushes to a server that speaks git's protocol", async () => {
    await git(bare, "config", "http.receivepack", "true");
    await using server = new GitServer(origin.files);
    const clone = `${origin.folder}/smart`;
    await git(origin.folder, ...through, "clone", "-q", `${server.url}/project.git`, clone);
    assertEquals((await git(clone, "rev-parse", "HEAD")).trim(), head);
    // More than http.postBuffer, so that git asks first and then sends in chunks.
    await Deno.writeFile(`${clone}/large`, crypto.getRandomValues(new Uint8Array(60_000)));
    await Deno.writeFile(`${clone}/larger`, largeBytes());
    await git(clone, "add", ".");
    await git(clone, "commit", "-q", "-m", "Something large");
    await git(clone, ...through, "push", "-q", "origin", "main");
    assertEquals(await git(bare, "rev-parse", "main"), await git(clone, "rev-parse", "main"));
    assertMatch(await git(bare, "show", "--stat", "main"), /larger/);
    assertEquals(server.sawChunks, true);
  });

  weir.assertHealthy();
});

function largeBytes(): Uint8Array {
  const bytes = new Uint8Array(3_000_000);
  for (let at = 0; at < bytes.length; at += 50_000) crypto.getRandomValues(bytes.subarray(at, at + 50_000));
  return bytes;
}

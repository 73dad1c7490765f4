/** What the workflows of CI may do, and that they run what was looked at: read from the files themselves. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import manifest from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));
const FILES = ["test", "release"].map((name) => `.github/workflows/${name}.yml`);

/** The text of each job by its name, and what stands before them. */
function jobsOf(text: string): { head: string; jobs: Map<string, string> } {
  const [head, rest] = text.split(/^jobs:\n/m);
  const parts = rest.split(/^ {2}([a-z]+):\n/m).slice(1);
  const jobs = new Map<string, string>();
  for (let i = 0; i < parts.length; i += 2) jobs.set(parts[i], parts[i + 1]);
  return { head, jobs };
}

Deno.test("each action is named by its commit, with its version beside it", async () => {
  for (const file of FILES) {
    const uses = (await read(file)).split("\n").filter((line) => /\buses:/.test(line));
    assert(uses.length > 0, file);
    for (const line of uses) {
      assertMatch(line, /^ +- uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, file);
    }
  }
});

Deno.test("a job has the permissions that it names, and the one that may write runs no code of the repository", async () => {
  const writing: string[] = [];
  for (const file of FILES) {
    const { head, jobs } = jobsOf(await read(file));
    assertMatch(head, /^permissions: \{\}$/m, file);
    for (const [name, job] of jobs) {
      assertMatch(job, /^ {4}permissions:\n {6}contents: (?:read|write)\n/m, `${file} ${name}`);
      if (job.includes("actions/checkout@")) {
        assert(job.includes("persist-credentials: false"), `${file} ${name}`);
      }
      if (!job.includes("contents: write")) {
        assert(!/github\.token|secrets\./.test(job), `${file} ${name}`);
        continue;
      }
      writing.push(`${file} ${name}`);
      assert(!/checkout@|\bdeno\b|\bnpm\b|\.ci\//.test(job), `${file} ${name}`);
      assert(job.includes("sha256sum --check"), `${file} ${name}`);
    }
  }
  assertEquals(writing, [".github/workflows/release.yml publish"]);
});

Deno.test("what is fetched is held to checksums", async () => {
  assertEquals(manifest.lock.frozen, true);
  const { dependencies } = JSON.parse(await read(".ci/deno/package.json"));
  const { packages } = JSON.parse(await read(".ci/deno/package-lock.json"));
  assertEquals(packages[""].dependencies, dependencies);
  for (const [name, each] of Object.entries<{ version: string; integrity: string }>(packages)) {
    if (name === "") continue;
    assertEquals(each.version, dependencies.deno, name);
    assertMatch(each.integrity, /^sha512-/, name);
  }
});

import { assert, assertEquals } from "@std/assert";
import { deniedLine, jsonLine } from "../review/logs.ts";
import { weir } from "./logs_of_commands.ts";
import { Folder, runWeir } from "./weir.ts";

const POLICY =
  '[policy]\ndefault = "deny"\n\n[[rule]]\nname = "npm"\naction = "allow"\nhosts = ["registry.corp.test"]\n';

Deno.test("a replay tells what another policy would judge otherwise, and is 1 if anything", async () => {
  await using folder = await Folder.make();
  const log = await folder.write(
    "weir.log",
    [
      jsonLine({ rule: "old" }),
      jsonLine({ host: "x.org" }),
      jsonLine({ host: "x.org", method: "GET", port: 80, target: "http://x.org/a?b" }),
      deniedLine(),
      jsonLine({ verdict: "none" }),
    ].join("\n"),
  );
  const { code, out, err } = await weir(["replay", log, "--config", "-"], POLICY);
  assertEquals([code, err], [1, ""]);
  assertEquals(
    out,
    `5 exchanges: 1 judged as before (1 of them by another rule), 3 otherwise
       1  not judged: they were not decided by a policy then

deny, now allow
       1  registry.corp.test:443                    by default, now npm: the rule matches
          2026-11-21 06:00:25Z 127.0.0.1 CONNECT

allow, now deny
       1  x.org:443                                 by default: no rule matches
          2026-11-21 06:00:25Z 127.0.0.1 CONNECT
       1  x.org:80                                  by default: no rule matches
          2026-11-21 06:00:25Z 127.0.0.1 GET /a
`,
  );
});

Deno.test("a replay that changes nothing is 0", async () => {
  await using folder = await Folder.make();
  const policy = await folder.write("policy.toml", POLICY);
  const { code, out } = await weir(
    ["replay", "-", "-c", policy],
    `${jsonLine()}\n${deniedLine({ host: "x.org" })}`,
  );
  assertEquals([code, out], [0, "2 exchanges: 2 judged as before, 0 otherwise\n"]);
});

Deno.test("flags make a policy too, and without any there is nothing to replay by", async () => {
  assertEquals((await weir(["replay", "-", "--deny", "*"], jsonLine())).code, 1);
  const { code, err } = await weir(["replay", "-"], jsonLine());
  assertEquals(code, 2);
  assert(err.startsWith("weir: weir replay needs a policy: weir replay LOG… --config NEW\n"));
  assertEquals((await weir(["replay", "-", "-c", "-"])).code, 2);
});

Deno.test("a policy and logs without the permission to read them are told in one line to run", async () => {
  await using folder = await Folder.make();
  const policy = await folder.write("policy.toml", POLICY);
  const log = await folder.write("weir.log", jsonLine());
  const line = `--allow-read=${policy},${log} `;
  for (const permissions of [[], [`--allow-read=${policy}`], [`--allow-read=${log}`]]) {
    const { code, err } = await runWeir(["replay", log, "-c", policy], { permissions });
    assertEquals(code, 3);
    assert(err.includes(line), err);
  }
});

Deno.test("what would take another way is told behind what would be decided otherwise, and is 1 too", async () => {
  const policy = `${POLICY}
[[parent]]
name = "corp"
url = "http://proxy.corp.example:3128"

[[route]]
hosts = ["registry.corp.test"]
via = ["corp", "direct"]
`;
  const lines = [jsonLine({ parent: "old" }), jsonLine({ parent: "corp" }), jsonLine()].join("\n");
  await using folder = await Folder.make();
  const log = await folder.write("weir.log", lines);
  assertEquals(await weir(["replay", log, "--config", "-"], policy), {
    code: 1,
    out: `3 exchanges: 3 judged as before, 0 otherwise, 1 by another way

by another way
       1  registry.corp.test:443                    via old, now corp, direct
`,
    err: "",
  });
});

/** What programs that nobody here wrote see of a policy: who is asked, who is refused, and how they tell it. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Origin } from "./origin.ts";
import { dumpPage, throughProxy } from "./browser.ts";
import { denoEnvironment, type Output, removeFolder, run, succeed, until } from "./programs.ts";
import { Weir } from "./weir.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const DENO = [Deno.execPath(), "run", "--allow-net", "--allow-read", "--no-prompt"];

/** weir with a policy, its files beside it. */
async function start(folder: string, policy: string, ...args: string[]): Promise<Weir> {
  await Deno.writeTextFile(`${folder}/weir.toml`, policy);
  return await Weir.start(["-c", `${folder}/weir.toml`, ...args], { command: [...DENO, MAIN] });
}

/** Gives a user a password by `weir passwd`, which reads it from standard input. */
async function addUser(file: string, user: string, password: string): Promise<void> {
  const command = [...DENO, "--allow-write", MAIN, "passwd", file, user].join(" ");
  const env = { ...denoEnvironment(), PASSWORD: password };
  await succeed("sh", ["-c", `echo "$PASSWORD" | ${command}`], { env });
}

function curl(proxy: Weir, ...args: string[]): Promise<Output> {
  return run("curl", ["-q", "-sS", "-x", proxy.url, ...args]);
}

Deno.test("curl and wget say who they are, and reach what they may", async (test) => {
  await using origin = await Origin.start();
  const { port, tlsPort, folder, certificates } = origin;
  await addUser(`${folder}/users`, "ci", "correct horse");
  await using weir = await start(
    folder,
    `[policy]
users = "users"
authentication = "by-rule"

[[rule]]
name = "for all"
action = "allow"
hosts = ["open.localhost"]
ports = [${port}]

[[rule]]
name = "deploy"
action = "allow"
users = ["ci"]
hosts = ["deploy.localhost", "127.0.0.1"]
ports = [${port}, ${tlsPort}]
`,
  );
  const open = `http://open.localhost:${port}/hello.txt`;
  const deploy = `http://deploy.localhost:${port}/hello.txt`;

  await test.step("nobody is asked for what all may reach", async () => {
    assertEquals((await curl(weir, open)).stdout, "Hello from the origin.\n");
  });

  await test.step("curl is asked, and let in by the right password alone", async () => {
    assertStringIncludes((await curl(weir, "-i", deploy)).stdout, "\r\nProxy-Authenticate: Basic realm=");
    const wrong = await curl(weir, "-i", "-U", "ci:wrong", deploy);
    assertStringIncludes(wrong.stdout, "the user or the password is wrong");
    assertEquals((await curl(weir, "-U", "ci:correct horse", deploy)).stdout, "Hello from the origin.\n");
    // curl tries without, sees the 407 and sends the password over the same connection
    const negotiated = await curl(weir, "--proxy-anyauth", "-U", "ci:correct horse", "-d", "body", deploy);
    assertEquals(negotiated.code, 0);
  });

  await test.step("a tunnel is for users in the same way", async () => {
    const target = `https://127.0.0.1:${tlsPort}/hello.txt`;
    const trust = ["--cacert", certificates.authority];
    const without = await curl(weir, ...trust, target);
    assertMatch(without.stderr, /CONNECT tunnel failed, response 407/);
    const within = await curl(weir, ...trust, "-U", "ci:correct horse", target);
    assertEquals(within.stdout, "Hello from the origin.\n");
  });

  await test.step("wget too", async () => {
    const env = { http_proxy: weir.url };
    const without = await run("wget", ["-nv", "-O", "-", "--tries=1", deploy], { env });
    assertMatch(without.stderr, /ERROR 407: Proxy Authentication Required: say who you are/);
    const user = ["--proxy-user=ci", "--proxy-password=correct horse"];
    assertEquals(
      await succeed("wget", ["-nv", "-O", "-", ...user, deploy], { env }),
      "Hello from the origin.\n",
    );
  });

  await test.step("a new user is known without a restart", async () => {
    const asAnna = () => curl(weir, "-i", "-U", "anna:battery staple", deploy);
    assertMatch((await asAnna()).stdout, /^HTTP\/1\.1 407 .*the user or the password is wrong/);
    await addUser(`${folder}/users`, "anna", "battery staple");
    // she is known, and no rule names her
    const answer = await until("the file to be read again", async () => {
      const { stdout } = await asAnna();
      return !stdout.startsWith("HTTP/1.1 407 ") && stdout;
    });
    assertMatch(answer, /^HTTP\/1\.1 403 Forbidden: denied by default/);
  });

  const named = await weir.logged(
    "requests by name",
    ({ user, status }) => user === "ci" && status === 200,
    3,
  );
  assert(named.every(({ rule }) => rule === "deploy"));
  weir.assertHealthy();
});

Deno.test("curl sees what the policy says of names, addresses, TLS and rates", async (test) => {
  await using origin = await Origin.start();
  const { port, tlsPort, folder } = origin;
  await Deno.writeTextFile(`${folder}/allowed.txt`, "# nobody yet\nnobody.example\n");
  await using weir = await start(
    folder,
    `[[rule]]
name = "slow"
action = "allow"
hosts = ["slow.localhost"]
ports = [${port}]
rates = { requests = 1, burst = 2 }

[[rule]]
name = "listed"
action = "allow"
hosts = ["@allowed.txt"]
ports = [${port}]

[[rule]]
name = "secure"
action = "allow"
hosts = ["secure.localhost"]
ports = [${tlsPort}]

[[rule]]
name = "web"
action = "allow"
hosts = ["*"]
ports = [80]
`,
  );

  await test.step("a rule for all hosts is none for cloud metadata, in any notation", async () => {
    const metadata = ["169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]"];
    for (const host of metadata) {
      const { stdout } = await curl(weir, "-i", `http://${host}/latest/meta-data/`);
      assertMatch(stdout, /^HTTP\/1\.1 403 Forbidden: denied by metadata addresses/);
    }
    // curl itself would make an address of 2852039166 before it asks
    const target = ["--request-target", "http://2852039166/latest/meta-data/", "http://x.example/"];
    assertMatch((await curl(weir, "-i", ...target)).stdout, /^HTTP\/1\.1 400 /);
  });

  await test.step("a list that changes is in force with SIGHUP", async () => {
    const url = `http://new.localhost:${port}/hello.txt`;
    assertStringIncludes((await curl(weir, url)).stdout, "denied by default");
    await Deno.writeTextFile(`${folder}/allowed.txt`, "new.localhost\n");
    weir.signal("SIGHUP");
    await weir.said("is in force: 1 list read again");
    assertEquals((await curl(weir, url)).stdout, "Hello from the origin.\n");
  });

  await test.step("a tunnel for one name is none for another", async () => {
    const insecure = ["-k", "-o", "/dev/null", "-w", "%{http_code}"];
    const right = await curl(weir, ...insecure, `https://secure.localhost:${tlsPort}/hello.txt`);
    assertEquals(right.stdout, "200");
    const fronted = await curl(weir, ...insecure, ...[
      ...["--connect-to", `front.example:443:secure.localhost:${tlsPort}`],
      "https://front.example/hello.txt",
    ]);
    assertMatch(fronted.stderr, /alert access denied/, "curl learns that the proxy did it on purpose");
    const [line] = await weir.logged("the front", ({ rule }) => rule === "tls");
    assertEquals(line.verdict, "deny");
    assertStringIncludes(String(line.reason), "is for front.example");
  });

  await test.step("what comes too fast is told when to come again", async () => {
    const url = `http://slow.localhost:${port}/hello.txt`;
    // even when each of them takes a second
    const answers = await curl(weir, "-i", ...Array<string>(20).fill(url));
    assertMatch(answers.stdout, /^HTTP\/1\.1 429 Too Many Requests: too much: .* 1 a second/m);
    assertMatch(answers.stdout, /^Retry-After: \d+\r$/m);
    // curl waits as long as it is told
    const patient = await curl(weir, "--retry", "3", url);
    assertStringIncludes(patient.stdout, "Hello from the origin.\n");
  });

  weir.assertHealthy();
});

Deno.test("git clones through an allow-list what it names, and nothing else", async () => {
  await using origin = await Origin.start();
  const { folder, files, port } = origin;
  const env = { HOME: folder, GIT_TERMINAL_PROMPT: "0" };
  const git = (...args: string[]) => run("git", args, { cwd: folder, env });
  const identity = ["-c", "user.name=A", "-c", "user.email=a@test"];
  await succeed("git", ["init", "-q", "-b", "main", "source"], { cwd: folder, env });
  await succeed("git", [...identity, "commit", "-q", "--allow-empty", "-m", "A commit"], {
    cwd: `${folder}/source`,
    env,
  });
  await succeed("git", ["clone", "-q", "--bare", "source", `${files}/project.git`], { cwd: folder, env });
  await succeed("git", ["update-server-info"], { cwd: `${files}/project.git`, env });

  await using weir = await Weir.start(["--allow", `git.localhost:${port}`]);
  const through = ["-c", `http.proxy=${weir.url}`];
  const allowed = await git(...through, "clone", "-q", `http://git.localhost:${port}/project.git`, "clone");
  assertEquals(allowed.code, 0, allowed.stderr);
  const denied = await git(...through, "clone", "-q", `http://other.localhost:${port}/project.git`, "other");
  assert(denied.code !== 0);
  assertStringIncludes(denied.stderr, "403");
  weir.assertHealthy();
});

Deno.test("Chromium shows who refused a page and why, and no page for a tunnel", async () => {
  const folder = await Deno.makeTempDir({ prefix: "weir-e2e-" });
  try {
    await using weir = await start(
      folder,
      `[[rule]]
name = "no trackers"
action = "deny"
hosts = ["tracker.localhost"]
note = "Ask #security <b>if</b> you need one."
`,
    );
    const proxy = throughProxy(weir.url);
    const page = (await dumpPage("http://tracker.localhost/", proxy)).stdout;
    assertStringIncludes(page, "<p>Denied by no trackers.</p>");
    assertStringIncludes(page, "<p>Ask #security &lt;b&gt;if&lt;/b&gt; you need one.</p>");
    assertStringIncludes(page, "This answer is from the proxy");
    await dumpPage("https://tracker.localhost/", proxy);
    // For the page it has asked once or twice: for its icon too, when it got that far
    await weir.logged("the browser's tunnel", ({ kind }) => kind === "tunnel");
    const asked = weir.log.filter(({ host }) => host === "tracker.localhost");
    assert(asked.length >= 2 && asked.every(({ status, rule }) => status === 403 && rule === "no trackers"));
    weir.assertHealthy();
  } finally {
    await removeFolder(folder);
  }
});

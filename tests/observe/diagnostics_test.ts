import { assert, assertEquals } from "@std/assert";
import { configureDiagnostics, type DiagnosticsOptions } from "../../src/observe/diagnostics.ts";
import type { NoticeLevel } from "../../src/proxy/observer.ts";

async function said(
  level: NoticeLevel,
  lines: [NoticeLevel, string][],
  options: Partial<DiagnosticsOptions> = {},
): Promise<string> {
  let text = "";
  const diagnostics = await configureDiagnostics(level, {
    color: false,
    time: false,
    write(bytes) {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
    ...options,
  });
  for (const [lineLevel, message] of lines) diagnostics(lineLevel, message);
  await diagnostics.flush();
  return text;
}

const ALL: [NoticeLevel, string][] = [["debug", "a"], ["info", "b"], ["warning", "c"], ["error", "d"]];

Deno.test("a line says who speaks, how bad it is, and what it is", async () => {
  assertEquals(
    await said("debug", ALL),
    "weir: debug: a\nweir: info: b\nweir: warning: c\nweir: error: d\n",
  );
});

Deno.test("what is below the level is not said", async () => {
  assertEquals(await said("info", ALL), "weir: info: b\nweir: warning: c\nweir: error: d\n");
  assertEquals(await said("warning", ALL), "weir: warning: c\nweir: error: d\n");
  assertEquals(await said("error", ALL), "weir: error: d\n");
});

Deno.test("a message is a message: braces stay, control characters are escaped, its length is bounded", async () => {
  assertEquals(
    await said("info", [["info", "a {line} {{b}} {}"], ["info", "c\n\x1b[2Jweir: error: forged\u202e"]]),
    "weir: info: a {line} {{b}} {}\nweir: info: c\\x0a\\x1b[2Jweir: error: forged\\u{202e}\n",
  );
  assert((await said("info", [["info", "x".repeat(100_000)]])).length < 5000);
});

Deno.test("on a terminal the level has a colour, elsewhere a line has the time", async () => {
  assertEquals(await said("info", [["warning", "a"]], { color: true }), "weir: \x1b[33mwarning:\x1b[0m a\n");
  const timed = await said("info", [["info", "a"]], { time: true });
  assert(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z weir: info: a\n$/.test(timed), timed);
});

Deno.test("a later configuration takes the place of the earlier one", async () => {
  let first = "";
  const write = (bytes: Uint8Array) => {
    first += new TextDecoder().decode(bytes);
    return Promise.resolve(bytes.length);
  };
  await said("error", [["error", "a"]], { write });
  assertEquals(await said("info", [["info", "b"]]), "weir: info: b\n");
  assertEquals(first, "weir: error: a\n");
});

Deno.test("a standard error that nobody reads, or that fails, harms nobody", async () => {
  const lines = Array.from(
    { length: 30_000 },
    (_, i): [NoticeLevel, string] => ["info", `${i} ${"x".repeat(60)}`],
  );
  await said("info", lines, { write: () => new Promise(() => {}), patience: 1 });
  await said("info", lines, { write: () => Promise.reject(new Deno.errors.BrokenPipe("Broken pipe")) });
});

Deno.test("what was lost is told once there is room", async () => {
  const begun = Promise.withResolvers<void>();
  const settled = Promise.withResolvers<void>();
  let text = "";
  const diagnostics = await configureDiagnostics("info", {
    color: false,
    time: false,
    async write(bytes) {
      text += new TextDecoder().decode(bytes);
      begun.resolve();
      await settled.promise;
      return bytes.length;
    },
  });
  diagnostics("info", "first");
  await begun.promise;
  for (let i = 0; i < 20_000; i++) diagnostics("info", `${i} ${"x".repeat(100)}`);
  settled.resolve();
  await diagnostics.flush();
  const lines = text.trimEnd().split("\n");
  // one more than was said: the first word about the loss found no room either
  const lost = 20_001 - (lines.length - 1) + 1;
  assertEquals(
    lines.at(-1),
    `weir: warning: messages missing here so far: ${lost}; standard error is not read fast enough`,
  );
});

Deno.test("--allow-net alone is enough", async () => {
  const module = new URL("../../src/observe/diagnostics.ts", import.meta.url).href;
  const code = `
    import { configureDiagnostics } from ${JSON.stringify(module)};
    const diagnostics = await configureDiagnostics("warning", { color: false });
    diagnostics("info", "nothing");
    diagnostics("warning", "something");
    await diagnostics.flush();
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-net",
      `--config=${new URL("../../deno.json", import.meta.url).pathname}`,
      "--ext=ts",
      "-",
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(code));
  await writer.close();
  const { stderr } = await child.output();
  const text = new TextDecoder().decode(stderr);
  assert(/^\d{4}-\S+Z weir: warning: something\n$/.test(text), text);
});

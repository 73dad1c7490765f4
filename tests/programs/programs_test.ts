import { assert, assertEquals } from "@std/assert";
import { readExceptions } from "../../src/cli/env/read_exceptions.ts";
import { PROGRAM_WORDS, PROGRAMS, type Setting } from "../../src/programs/programs.ts";
import { readProxyUrl } from "../../src/cli/env/read_proxy_url.ts";

/** As odd as a setting may be: every character here is one that somebody's notation gives a meaning to. */
const ODD: Setting = {
  proxy: readProxyUrl("http://o'neil:$HOME;%25&(1)!~*@[2001:db8::1]:3128"),
  exceptions: readExceptions("example.com,*.test,192.0.2.1,10.0.0.0/8"),
};

const textOf = (name: string, setting = ODD) => PROGRAMS.find((each) => each.name === name)!.text(setting);

Deno.test("each word stands for one program", () => {
  assertEquals(new Set(PROGRAM_WORDS).size, PROGRAM_WORDS.length);
});

Deno.test("each program's text ends its last line and says what the proxy's host is", () => {
  for (const { name, text, undo } of PROGRAMS) {
    assert(text(ODD).endsWith("\n"), name);
    assert(text(ODD).includes("2001:db8::1"), name);
    assert(undo === undefined || undo().endsWith("\n"), name);
  }
});

Deno.test("a POSIX shell reads the values back as they are", async () => {
  const script = `${textOf("sh")}printf '%s\\n' "$http_proxy" "$HTTPS_PROXY" "$no_proxy" "$NO_PROXY"`;
  assertEquals((await sh(script)).split("\n").slice(0, 4), [
    ODD.proxy.text,
    ODD.proxy.text,
    "example.com,.test,192.0.2.1,10.0.0.0/8",
    "example.com,.test,192.0.2.1,10.0.0.0/8",
  ]);
  assertEquals(
    await sh(`${textOf("jvm")}printf %s "$JAVA_TOOL_OPTIONS"`).then((text) => text.split(" ").at(-1)),
    [
      "-Dhttp.nonProxyHosts=example.com|*.example.com|*.test|192.0.2.1|10.*",
    ][0],
  );
});

Deno.test("undoing leaves a POSIX shell without any of the variables", async () => {
  for (const name of ["sh", "node", "deno", "go", "jvm"]) {
    const program = PROGRAMS.find((each) => each.name === name)!;
    const before = await sh("env");
    const left = await sh(`${program.text(ODD)}${program.undo!()}env`);
    const proxies = (text: string) => text.split("\n").filter((line) => /prox/i.test(line));
    assertEquals(proxies(left).filter((line) => !proxies(before).includes(line)), [], name);
  }
});

Deno.test("texts in quotes are those of their notation", () => {
  assert(textOf("fish").startsWith(`set -gx http_proxy 'http://o\\'neil:`), textOf("fish"));
  assert(textOf("powershell").startsWith(`$env:http_proxy = 'http://o''neil:`), textOf("powershell"));
  assert(textOf("systemd").includes("%%25"), "a percent sign begins a specifier of systemd");
  const { proxies } = JSON.parse(textOf("docker"));
  assertEquals(proxies.default, {
    httpProxy: ODD.proxy.text,
    httpsProxy: ODD.proxy.text,
    noProxy: "example.com,.test,192.0.2.1,10.0.0.0/8",
  });
});

Deno.test("apt leaves out whole names alone, for both schemes", () => {
  assertEquals(
    textOf("apt", { ...ODD, proxy: readProxyUrl("proxy.test:1") }),
    ["http", "https"].map((scheme) =>
      `Acquire::${scheme}::Proxy "http://proxy.test:1";\n` +
      `Acquire::${scheme}::Proxy::example.com "DIRECT";\nAcquire::${scheme}::Proxy::192.0.2.1 "DIRECT";\n`
    ).join(""),
  );
});

async function sh(script: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

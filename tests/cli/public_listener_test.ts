import { assert, assertEquals, assertThrows } from "@std/assert";
import { requireAdmission } from "../../src/cli/public_listener.ts";
import { ConfigError } from "../../src/config/errors.ts";
import { readFlags } from "../../src/config/flags.ts";
import { policyOf } from "../../src/config/policy.ts";
import { readToml } from "../../src/config/toml.ts";
import { parseListenAddress } from "../../src/net/listen.ts";

/** What a command line and a file come to: `""` when weir may serve, else what it says. */
async function refusal(args: string[], text = ""): Promise<string> {
  const line = readFlags(args, parseListenAddress);
  const file = await readToml(text, "weir.toml", parseListenAddress);
  const policy = policyOf({ ...file.values, ...line.values }, [...line.rules, ...file.rules]);
  try {
    requireAdmission(line.values.listen ?? [], policy, line, []);
    return "";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

Deno.test("an address that only this machine or its network reaches needs nothing", async () => {
  const addresses = ["8888", "127.1.2.3:80", "[::1]:80", "localhost:80", "a.localhost:80", "192.168.1.1:80"];
  for (const address of [...addresses, "10.0.0.1:80", "100.64.0.1:80", "[fd00::1]:80", "[fe80::1]:80"]) {
    assertEquals(await refusal(["-l", address]), "", address);
  }
});

Deno.test("an address that may be reached from anywhere is refused, with the line that fixes it", async () => {
  const everywhere = [":8888", "0.0.0.0:80", "[::]:80", "[::ffff:0.0.0.0]:80", "[::ffff:0:0]:80"];
  for (
    const address of [...everywhere, "8.8.8.8:80", "[::ffff:8.8.8.8]:80", "[2600::1]:80", "gate.example:80"]
  ) {
    const [what, first, second] = (await refusal(["-l", "8888", "-l", address, "--grace=1s"])).split("\n");
    assert(what.includes("may be reached from anywhere"), address);
    assert(!what.includes("127.0.0.1"), what);
    assert(first.endsWith(" --grace=1s --clients loopback,192.168.0.0/16"), first);
    assert(second.endsWith("--grace=1s --clients all"), second);
  }
});

Deno.test("the line that fixes it works also where flags end with --", async () => {
  const [, first] = (await refusal(["-l", ":80", "--", "serve"])).split("\n");
  assert(first.endsWith(" -l :80 --clients loopback,192.168.0.0/16 -- serve"), first);
});

Deno.test("whoever names clients has thought of it, be it all", async () => {
  assertEquals(await refusal(["-l", ":80", "--clients", "192.168.0.0/16"]), "");
  assertEquals(await refusal(["-l", ":80", "--clients", "all"]), "");
  assertEquals(await refusal(["-l", ":80", "--clients", "all", "--mode", "report"]), "");
});

Deno.test("users are enough where everybody is asked, and not where nobody need say", async () => {
  assertEquals(await refusal(["-l", ":80", "--users", "users"]), "");
  assert(await refusal(["-l", ":80", "--users", "users", "--authentication", "by-rule"]) !== "");
  assert(await refusal(["-l", ":80", "--users", "users", "--mode", "report"]) !== "");
});

Deno.test("rules are enough when each that allows names clients or users, and the default is deny", async () => {
  const rule = (more: string) => `[[rule]]\naction = "allow"\nhosts = "a.example"\n${more}\n`;
  const listen = ["-l", ":80"];
  const byUsers = '[policy]\nusers = "u"\nauthentication = "by-rule"\n';
  assertEquals(await refusal(listen, rule('clients = "10.0.0.0/8"')), "");
  assertEquals(await refusal(listen, byUsers + rule('users = "*"')), "");
  assertEquals(await refusal(listen, `${rule('clients = "private"')}[[rule]]\naction = "deny"\n`), "");
  assert(await refusal(listen, rule("")) !== "");
  assert(await refusal(listen, rule('clients = "all"')) !== "");
  assert(await refusal(listen, rule('clients = "private"') + rule("")) !== "");
  assert(await refusal([...listen, "--default-action", "allow"], rule('clients = "private"')) !== "");
});

Deno.test("the reason says what is missing", () => {
  const line = readFlags(["-l", ":80", "--mode", "report"], parseListenAddress);
  const policy = policyOf(line.values, []);
  const error = assertThrows(() => requireAdmission(line.values.listen!, policy, line, ["a b"]), ConfigError);
  assert((error as ConfigError).message.includes("in report mode nobody is refused"));
  assert((error as ConfigError).message.includes("'--allow-read=a b'"));
});

import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../src/config/errors.ts";
import { readFlags } from "../../src/config/flags.ts";
import { parseListenAddress } from "../../src/net/listen.ts";
import { formatPorts } from "../../src/policy/port_range.ts";

const rulesOf = (...args: string[]) => readFlags(args, parseListenAddress).rules;

/** Name, action, hosts and ports of each rule. */
function toldOf(...args: string[]): string[] {
  return rulesOf(...args).map(({ name, action, hosts, ports }) =>
    `${name} | ${action} ${hosts?.map(({ text }) => text)} ${ports === null ? "any" : formatPorts(ports)}`
  );
}

Deno.test("--allow and --deny keep the order that they have among each other", () => {
  assertEquals(toldOf("--deny", "a.example", "--allow=*.example:443", "--deny", "*"), [
    "--deny a.example | deny a.example any",
    "--allow *.example:443 | allow *.example 443",
    "--deny * | deny * any",
  ]);
});

Deno.test("commas stand between hosts, and between the ports of a host", () => {
  assertEquals(
    toldOf("--allow", "a.example:80,443,8000-8999, b.example,[2001:db8::1]:443,10.0.0.0/8,@list"),
    [
      "--allow a.example:80,443,8000-8999 | allow a.example 80,443,8000-8999",
      "--allow b.example | allow b.example any",
      "--allow [2001:db8::1]:443 | allow [2001:db8::1] 443",
      "--allow 10.0.0.0/8 | allow 10.0.0.0/8 any",
      "--allow @list | allow @list any",
    ],
  );
});

Deno.test("what was said before is not said again, so that every rule's name is its own", () => {
  assertEquals(toldOf("--allow", "a.example,b.example,a.example", "--deny", "a.example"), [
    "--allow a.example | allow a.example any",
    "--allow b.example | allow b.example any",
    "--deny a.example | deny a.example any",
  ]);
});

Deno.test("such rules have no lines, but say where they come from", () => {
  const [{ source }] = rulesOf("--allow", "a.example");
  assertEquals(source, { file: "command line", lines: {}, line: 0 });
});

Deno.test("each --allow and --deny that is wrong is told, with what to write", () => {
  const { problems } = assertThrows(
    () => rulesOf("--allow", "https://a.example/x", "--deny=,", "--allow", "a.example:0"),
    UsageError,
  );
  assertEquals(problems.map((problem: string) => problem.split(":")[0]), ["--allow", "--deny", "--allow"]);
});

Deno.test("who asks nothing of the policy is not told of --allow", () => {
  const { problems } = assertThrows(() => rulesOf("help", "--allow", "a.example"), UsageError);
  assertEquals(problems.length, 1);
});

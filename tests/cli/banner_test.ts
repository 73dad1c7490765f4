import { assert, assertEquals } from "@std/assert";
import { banner } from "../../src/cli/banner.ts";
import { readFlags } from "../../src/config/flags.ts";
import { policyOf } from "../../src/config/policy.ts";
import { parseListenAddress } from "../../src/net/listen.ts";
import type { PolicySpec, RuleSpec } from "../../src/policy/spec.ts";

function bannerOf(...hostnames: string[]): string {
  return bannerBy(policyOf({}, []), ...hostnames);
}

function bannerBy(policy: PolicySpec, ...hostnames: string[]): string {
  return banner(hostnames.map((hostname) => ({ transport: "tcp", hostname, port: 8888 })), policy, false);
}

/** The rules of `--allow` and `--deny`. */
function rulesOf(...args: string[]): RuleSpec[] {
  return readFlags(args, parseListenAddress).rules;
}

Deno.test("the banner says where weir listens, how to try it, how to use it and how to stop it", () => {
  const text = bannerOf("127.0.0.1", "::1");
  assert(text.startsWith("weir "));
  assert(text.split("\n")[0].endsWith(" listens on 127.0.0.1:8888, [::1]:8888"));
  assert(text.includes("curl -x http://127.0.0.1:8888 http://example.com/"));
  assert(text.includes("http_proxy=http://127.0.0.1:8888 https_proxy=http://127.0.0.1:8888"));
  assert(text.includes("HTTP proxy 127.0.0.1, port 8888"));
  assert(text.includes("Ctrl-C"));
});

Deno.test("the banner is short", () => {
  assert(bannerOf("::", "127.0.0.1").trimEnd().split("\n").length < 8);
});

Deno.test("who lets others in is told so, once", () => {
  for (const hostname of ["127.0.0.1", "127.9.9.9", "::1"]) {
    assert(!bannerOf(hostname).includes("careful"), hostname);
  }
  for (const hostname of ["::", "0.0.0.0", "192.0.2.1", "2001:db8::1"]) {
    assertEquals(bannerOf(hostname, "127.0.0.1").split("careful").length, 2, hostname);
  }
});

Deno.test("who lets others in by a list or with passwords alone is not warned", () => {
  for (const values of [{ clients: ["10.0.0.0/8"] }, { users: "users" }]) {
    assert(!bannerBy(policyOf(values, []), "::").includes("careful"));
    assert(bannerBy(policyOf({ ...values, mode: "report" }, []), "::").includes("careful"));
  }
  assert(bannerBy(policyOf({ clients: ["all"] }, []), "::").includes("careful"));
  assert(bannerBy(policyOf({ users: "users", authentication: "by-rule" }, []), "::").includes("careful"));
});

Deno.test("the policy is told in one line", () => {
  const lineOf = (policy: PolicySpec) => /^ {2}policy {4}(.*)$/m.exec(bannerBy(policy, "::1"))?.[1];
  assertEquals(lineOf(policyOf({}, [])), "no rules, default allow");
  assertEquals(lineOf(policyOf({}, rulesOf("--deny", "a.example"))), "1 rule, default allow");
  assertEquals(
    lineOf(policyOf({ mode: "report" }, rulesOf("--deny=a.example,b.example", "--allow=c.example"))),
    "3 rules, default deny, report mode",
  );
});

Deno.test("what to try is an address that works from this machine", () => {
  assert(bannerOf("::").includes("curl -x http://127.0.0.1:8888 "));
  assert(bannerOf("192.0.2.1", "::1").includes("curl -x http://[::1]:8888 "));
  assert(bannerOf("192.0.2.1").includes("curl -x http://192.0.2.1:8888 "));
});

Deno.test("the banner tells of users, and how one of them comes in", () => {
  const users = { path: "users.txt", size: 2 };
  const textBy = (policy: PolicySpec) =>
    banner([{ transport: "tcp", hostname: "127.0.0.1", port: 8888 }], policy, false, [], [], [], users);
  const always = textBy(policyOf({ users: "users.txt" }, []));
  assert(always.includes("\n  users     2 in users.txt, nobody else is served\n"), always);
  assert(always.includes("curl -x http://127.0.0.1:8888 -U USER http://example.com/\n"));
  assert(always.includes("export http_proxy=http://USER:PASSWORD@127.0.0.1:8888 "));
  const byRule = textBy(policyOf({ users: "users.txt", authentication: "by-rule" }, []));
  assert(byRule.includes("\n  users     2 in users.txt, asked for where a rule wants one\n"), byRule);
  assert(byRule.includes("curl -x http://127.0.0.1:8888 http://example.com/\n"));
  assert(textBy(policyOf({ users: "users.txt", mode: "report" }, [])).includes("in report mode\n"));
  assert(!bannerOf("127.0.0.1").includes("users  "));
});

Deno.test("the banner says what is kept of responses, and how to turn that off", () => {
  const listeners: Deno.NetAddr[] = [{ transport: "tcp", hostname: "127.0.0.1", port: 8888 }];
  const told = (memory: number, folder: string | null = null) => {
    const cache = { memory, folder, disk: 1024 ** 3 };
    const text = banner(listeners, policyOf({}, []), false, [], [], [], null, cache);
    return text.split("\n").find((line) => line.startsWith("  cache "));
  };
  const rest = "shared responses only; --no-cache turns it off";
  assertEquals(told(64 * 1024 * 1024), `  cache     64 MiB in memory, ${rest}`);
  assertEquals(told(1000), `  cache     1000 B in memory, ${rest}`);
  assertEquals(told(65536, "/c\n"), `  cache     64 KiB in memory and 1 GiB in /c\\u{a}, ${rest}`);
  assert(!bannerOf("127.0.0.1").includes("cache"));
});

import { assert, assertEquals, assertMatch } from "@std/assert";
import { AUTHORITY } from "../net/tls_certificates.ts";
import { Folder } from "./weir.ts";

/** Permissions that are missing are told with a line to run; here that line is run, as a person would. */

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const GIVE_LINE = /^ {2}give (?:it|them): {2}(.+)$/m;

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A line of a shell, with `deno` the one that runs the tests, which never asks. */
async function shell(line: string, folder: string): Promise<Ended> {
  const program = line.replace(/^deno run/, `'${Deno.execPath()}' run --no-prompt`);
  const child = new Deno.Command("sh", { args: ["-c", program], cwd: folder, stdin: "null" });
  const { code, stdout, stderr } = await child.output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

const LOG_LINE = "1795246057.467      2 127.0.0.1 TCP_MISS/200 219 GET http://localhost:8000/hello.txt - " +
  "HIER_DIRECT/127.0.0.1 text/plain\n";

async function prepared(): Promise<Folder> {
  const folder = await Folder.make();
  await folder.write("weir.toml", '[policy]\ndefault = "deny"\n');
  await folder.write("lists.toml", '[[rule]]\nname = "ads"\naction = "deny"\nhosts = ["@ads.txt"]\n');
  await folder.write("grown.toml", '[[rule]]\naction = "allow"\nhosts = ["@names.txt"]\n');
  await folder.write("cached.toml", '[cache]\ndir = "cache"\n');
  await folder.write("ads.txt", "ads.example\n");
  await folder.write("names.txt", "a.example\n");
  await folder.write("squid.log", LOG_LINE);
  await folder.write("ca.pem", AUTHORITY);
  await folder.write("users", "");
  return folder;
}

/** Command lines, how often a person is sent back at most, and what comes of it in the end. */
const LINES: readonly (readonly [args: string, rounds: number, code: number, what: RegExp])[] = [
  ["get http://127.0.0.1:9/ --direct", 1, 1, /refused/],
  ["get http://127.0.0.1:9/ --direct -o page --origin-ca ca.pem", 1, 1, /refused/],
  ["get http://127.0.0.1:9/ --direct -c weir.toml --origin-ca ca.pem -o page", 1, 1, /refused/],
  ["get http://127.0.0.1:9/ --direct -c lists.toml -o page", 2, 1, /refused/],
  ["why http://127.0.0.1/ -c lists.toml --cache-dir cache", 2, 0, /allowed by/],
  ["why http://name.invalid/", 1, 0, /allowed by/],
  ["why http://127.0.0.1/ --deny @ads.txt -c weir.toml", 1, 1, /denied by/],
  ["test weir.toml lists.toml", 2, 0, /has no tests/],
  ["test weir.toml", 1, 0, /has no tests/],
  ["report squid.log", 1, 0, /1 exchange/],
  ["learn squid.log", 1, 0, /localhost/],
  ["learn squid.log --into new.toml", 1, 0, /localhost/],
  ["learn squid.log --into grown.toml", 2, 0, /localhost/],
  ["replay squid.log --config lists.toml", 2, 0, /1 exchange/],
  ["replay squid.log --config weir.toml --deny @ads.txt", 1, 1, /1 exchange/],
  ["passwd --delete users ann", 1, 1, /no user ann/],
  ["cache stats --cache-dir cache", 1, 3, /there is no cache|no such|holds no/],
  ["cache clear --cache-dir cache", 1, 3, /there is no cache|no such|holds no/],
  ["--check -c lists.toml --users users --origin-ca ca.pem", 2, 0, /is right/],
  ["-l BUSY -c lists.toml --users users --cache-dir cache --deny @names.txt", 2, 1, /taken by/],
  ["-l BUSY -c cached.toml", 2, 1, /taken by/],
  ["-l BUSY --deny @names.txt --cache-dir cache", 1, 1, /taken by/],
  ["-l BUSY", 1, 1, /taken by/],
  ["relay -l BUSY --to 127.0.0.1:9", 1, 1, /taken by/],
  ["env -c weir.toml", 1, 0, /http_proxy/],
];

for (const [args, rounds, code, what] of LINES) {
  Deno.test(`without permissions, the line that is printed is the one that works: weir ${args}`, async () => {
    await using folder = await prepared();
    using busy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    let line = `deno run ${MAIN} ${args.replace("BUSY", `127.0.0.1:${busy.addr.port}`)}`;
    let ended = await shell(line, folder.path);
    let round = 0;
    for (let next = GIVE_LINE.exec(ended.err); next !== null; next = GIVE_LINE.exec(ended.err)) {
      assert(++round <= rounds, `sent back ${round} times by ${line}:\n${ended.err}`);
      assertMatch(ended.err, /permission/);
      line = next[1];
      ended = await shell(line, folder.path);
    }
    assert(round > 0, `never sent back:\n${ended.err}`);
    assertEquals([ended.code, what.test(ended.out + ended.err)], [code, true], ended.out + ended.err);
    assert(!/permission|NotCapable|Requires/.test(ended.err), ended.err);
  });
}

Deno.test("a way by the network alone is told where it is one", async () => {
  await using folder = await prepared();
  const alone = await shell(`deno run --allow-net ${MAIN} env -c weir.toml`, folder.path);
  const [, line] = /or, by the network alone: {2}(.+)$/m.exec(alone.err) ?? [];
  assertEquals((await shell(line, folder.path)).code, 0);
  const more = await shell(`deno run --allow-net ${MAIN} replay squid.log -c weir.toml`, folder.path);
  assert(!more.err.includes("by the network alone"), more.err);
});

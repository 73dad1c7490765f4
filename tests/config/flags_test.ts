import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { UsageError } from "../../src/config/errors.ts";
import { readFlags } from "../../src/config/flags.ts";
import { parseListenAddress } from "../../src/net/listen.ts";

const read = (...args: string[]) => readFlags(args, parseListenAddress);

function problemsOf(...args: string[]): readonly string[] {
  return assertThrows(() => read(...args), UsageError).problems;
}

Deno.test("a value comes in the next word or after an equals sign, for long and short flags", () => {
  const expected = [{ hostname: "127.0.0.1", port: 8080 }];
  for (const args of [["--listen", "8080"], ["--listen=8080"], ["-l", "8080"], ["-l8080"], ["-l=8080"]]) {
    assertEquals(read(...args).values.listen, expected, args.join(" "));
  }
});

Deno.test("--config - is standard input, and so are its other forms", () => {
  for (const args of [["--config", "-"], ["--config=-"], ["-c", "-"], ["-c-"]]) {
    assertEquals(read(...args).config, "-", args.join(" "));
  }
});

Deno.test("--listen adds up, any other flag takes the last word", () => {
  const { values } = read("-l", "1", "--grace", "1s", "-l", "[::1]:2", "--grace", "2s");
  assertEquals(values, {
    listen: [{ hostname: "127.0.0.1", port: 1 }, { hostname: "::1", port: 2 }],
    grace: 2000,
  });
});

Deno.test("a flag of yes or no needs no word, and takes one after an equals sign alone", () => {
  assertEquals(read("--show-version").values, { "show-version": true });
  assertEquals(read("--show-version=false").values, { "show-version": false });
  assertEquals(read("--version", "help", "serve").words, ["serve"]);
  assertEquals(problemsOf("--show-version=yes"), ['--show-version: must be true or false, not "yes"']);
});

Deno.test("several short flags may share a dash", () => {
  const line = read("-Vl8080");
  assertEquals([line.version, line.values.listen?.[0].port], [true, 8080]);
});

Deno.test("after -- every word is a word", () => {
  assertEquals(read("help", "--", "--listen").words, ["--listen"]);
  assertEquals(problemsOf("--", "--lisetn"), ["there is no command --lisetn"]);
});

Deno.test("what was not given is not there, so that the file may say it", () => {
  assertEquals(read().values, {});
});

Deno.test("an unknown flag names the nearest one", () => {
  assertEquals(problemsOf("--lisetn=1"), ["there is no flag --lisetn; did you mean --listen?"]);
  assertEquals(problemsOf("--zebra"), ["there is no flag --zebra"]);
  assertEquals(problemsOf("-listen"), ["there is no flag -listen; did you mean --listen?"]);
  assertEquals(problemsOf("-y"), ["there is no flag -y"]);
});

Deno.test("an unknown choice names them all and the nearest one", () => {
  assertEquals(problemsOf("--log-level", "warn"), [
    '--log-level: must be one of debug, info, warning, error, not "warn"; did you mean warning?',
  ]);
  assertEquals(problemsOf("--log-format", "sqiud"), [
    '--log-format: must be one of pretty, hops, json, common, combined, squid, none, not "sqiud"; did you mean squid?',
  ]);
});

Deno.test("a flag at the end that needs a value says which", () => {
  assertEquals(problemsOf("--grace"), ["--grace needs a value: TIME"]);
  assertEquals(problemsOf("-l"), ["-l needs a value: ADDRESS"]);
});

Deno.test("a value outside its bounds is told what is allowed", () => {
  assertEquals(problemsOf("--head-timeout", "0s"), ["--head-timeout: must be from 1ms to 168h, not 0s"]);
  assertEquals(problemsOf("--max-fields", "1" + "0".repeat(30)), [
    `--max-fields: must be from 16 to 10000, not 1${"0".repeat(30)}`,
  ]);
  assertEquals(problemsOf("--grace", "-5s"), [
    '--grace: must be a time such as 500ms, 10s, 5m or 1h, not "-5s"',
  ]);
  assertEquals(problemsOf("--max-fields", "NaN"), ['--max-fields: must be a whole number, not "NaN"']);
  assertEquals(problemsOf("--pool-size", "1000000"), [
    "--pool-size: must be from 0 to 100000, not 1000000; 0: keep none",
  ]);
});

Deno.test("a pseudonym is a token that means the same in Via and in Proxy-Status", () => {
  assertEquals(read("--pseudonym", "proxy-1.example").values.pseudonym, "proxy-1.example");
  for (const text of ["", "1a", "a b", "a;b", "a\r\nX: y", "é", "a".repeat(65)]) {
    assertEquals(problemsOf("--pseudonym", text).length, 1, text);
  }
});

Deno.test("the first word is the command, and serve is what runs without one", () => {
  assertEquals(read().command, "serve");
  assertEquals(read("--grace", "1s", "serve").command, "serve");
  assertEquals(read("help", "serve").words, ["serve"]);
});

Deno.test("a flag of another command says whose it is", () => {
  assertEquals(problemsOf("help", "--grace", "1s"), [
    "--grace belongs to weir serve, weir relay, not to weir help",
  ]);
  assertEquals(problemsOf("help", "-l1"), [
    "-l belongs to weir serve, weir relay, weir env, not to weir help",
  ]);
});

Deno.test("more words than a command takes are told, each", () => {
  assertEquals(problemsOf("help", "serve", "a", "b\n"), [
    "there is one word too many: a",
    "there is one word too many: b\\u{a}",
  ]);
});

Deno.test("everything that is wrong is said at once", () => {
  assertEquals(problemsOf("--bogus", "--grace", "10", "-l", "x:y:z", "--max-body-size=lots").length, 4);
});

Deno.test("who asks for help gets it, whatever else is wrong", () => {
  assertEquals(read("--bogus", "--help").help, true);
});

Deno.test("no command line throws anything but a UsageError", () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "-l",
      "--listen",
      "--grace=",
      "-",
      "--",
      "--check",
      "-hV",
      "--__proto__",
      "--constructor=1",
    ),
  );
  fc.assert(fc.property(fc.array(word), (args) => {
    try {
      read(...args);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      for (const problem of error.problems) assertEquals(/\p{Cc}/u.test(problem), false, problem);
    }
  }));
});

Deno.test("a flag that is not there is likened to those of its command, wherever the command stands", () => {
  const problem = (...args: string[]) => problemsOf(...args)[0];
  assertEquals(problem("--port", "8080"), "there is no flag --port");
  assertEquals(problem("--srot", "url"), "there is no flag --srot");
  assertEquals(problem("cache", "list", "--srot"), "there is no flag --srot; did you mean --sort?");
  assertEquals(problem("--srot", "cache", "list"), "there is no flag --srot; did you mean --sort?");
  assertEquals(problem("--lisen", ":1"), "there is no flag --lisen; did you mean --listen?");
});

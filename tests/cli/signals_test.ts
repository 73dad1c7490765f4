import { assert, assertEquals } from "@std/assert";
import { HeldExchange } from "./exchange.ts";
import { Folder, Weir } from "./weir.ts";

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} lets what is in flight finish, accepts no more, and is 0`, async () => {
    await using weir = await Weir.start();
    await using exchange = await HeldExchange.begin(weir.port);
    weir.signal(signal);
    await weir.said(`${signal}: stopping; 1 exchange in flight may take 10s`);
    await refused(weir.port);
    const answer = await exchange.finish();
    assert(answer.endsWith("\r\n\r\nhello"), answer);
    assertEquals((await weir.ended()).code, 0);
  });
}

Deno.test("a signal without anything in flight ends weir without a word", async () => {
  await using weir = await Weir.start();
  const before = weir.err;
  weir.signal("SIGTERM");
  assertEquals(await weir.ended(), { code: 0, out: "", err: before });
});

Deno.test("what is in flight when the grace is over is ended", async () => {
  await using weir = await Weir.start(["--grace", "50ms"]);
  await using exchange = await HeldExchange.begin(weir.port);
  weir.signal("SIGTERM");
  assertEquals((await exchange.rest()).includes("hello"), false);
  assertEquals((await weir.ended()).code, 0);
});

for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
  Deno.test(`a second ${signal} ends everything at once, with ${code}`, async () => {
    await using weir = await Weir.start(["--grace", "1h"]);
    await using _exchange = await HeldExchange.begin(weir.port);
    weir.signal("SIGTERM");
    await weir.said("SIGTERM: stopping");
    weir.signal(signal);
    assertEquals((await weir.ended()).code, code);
  });
}

Deno.test("SIGHUP reads the file again, and what it says is in force", async () => {
  await using folder = await Folder.make();
  const file = await folder.write("weir.toml", 'forwarding.pseudonym = "before"\n');
  await using weir = await Weir.start(["--config", file], { permissions: [`--allow-read=${file}`] });
  assert((await exchanged(weir.port)).includes("1.1 before"));

  await folder.write("weir.toml", 'forwarding.pseudonym = "after"\n');
  weir.signal("SIGHUP");
  await weir.said(`info: SIGHUP: ${file} is in force`);
  assert((await exchanged(weir.port)).includes("1.1 after"));
  weir.signal("SIGTERM");
  assertEquals((await weir.ended()).code, 0);
});

Deno.test("SIGHUP with a wrong file says what is wrong and changes nothing", async () => {
  await using folder = await Folder.make();
  const file = await folder.write("weir.toml", 'forwarding.pseudonym = "before"\n');
  await using weir = await Weir.start(["--config", file], { permissions: [`--allow-read=${file}`] });
  await folder.write("weir.toml", 'grcae = 1\n[log]\nformat = "xml"\n');
  weir.signal("SIGHUP");
  const from = await weir.said(
    `error: SIGHUP: ${file}:1: there is no key grcae; did you mean grace in [timeouts]?`,
  );
  await weir.said(`error: SIGHUP: ${file}:3: log.format: must be one of`, from);
  await weir.said("error: SIGHUP: the old configuration stays in force", from);
  assert((await exchanged(weir.port)).includes("1.1 before"));

  await folder.write("weir.toml", 'forwarding.pseudonym = "after"\n');
  weir.signal("SIGHUP");
  await weir.said(`info: SIGHUP: ${file} is in force`, from);
  assert((await exchanged(weir.port)).includes("1.1 after"));
});

Deno.test("SIGHUP changes the format of the log and the level of the notices, but no listener", async () => {
  await using folder = await Folder.make();
  const file = await folder.write("weir.toml", 'listen = "127.0.0.1:0"\nlog.format = "json"\n');
  await using weir = await Weir.start(["--log-level", "info", "--config", file], {
    permissions: [`--allow-read=${file}`],
  });
  await exchanged(weir.port);
  await folder.write("weir.toml", 'log.format = "common"\n');
  weir.signal("SIGHUP");
  await weir.said(`info: SIGHUP: ${file} is in force`);
  await exchanged(weir.port);
  weir.signal("SIGTERM");
  const [first, second, ...more] = (await weir.ended()).out.trimEnd().split("\n");
  assertEquals([first[0], second.startsWith("127.0.0.1 - - ["), more], ["{", true, []]);
});

Deno.test("SIGHUP without a file that can be read again says so and goes on", async () => {
  await using weir = await Weir.start();
  weir.signal("SIGHUP");
  await weir.said("warning: SIGHUP: nothing to reload, there is no --config");
  await using piped = await Weir.start(["--config", "-"], { input: "" });
  piped.signal("SIGHUP");
  await piped.said("warning: SIGHUP: nothing to reload, standard input cannot be read again");
  await exchanged(piped.port);
});

/** What a client gets, from the status line to the end. */
async function exchanged(port: number): Promise<string> {
  await using exchange = await HeldExchange.begin(port);
  return await exchange.finish();
}

/** Waits until nobody listens any more. */
async function refused(port: number): Promise<void> {
  while (true) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return;
      throw error;
    }
  }
}

for (const command of [[], ["relay", "--to", "127.0.0.1:1"]]) {
  Deno.test({
    name: `signals that mean nothing to weir ${command[0] ?? "serve"} are told and do not end it`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using weir = await Weir.start(command);
      for (const signal of ["SIGUSR1", "SIGUSR2", "SIGUSR1"] as const) {
        const from = weir.err.length;
        weir.signal(signal);
        await weir.said(`warning: ${signal} is ignored: SIGTERM stops weir`, from);
      }
      // what a write gets that would make a file larger than it may be
      weir.signal("SIGXFSZ");
      (await Deno.connect({ hostname: "127.0.0.1", port: weir.port })).close();
      weir.signal("SIGTERM");
      assertEquals((await weir.ended()).code, 0);
    },
  });
}

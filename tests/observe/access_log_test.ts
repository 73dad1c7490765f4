import { assert, assertEquals } from "@std/assert";
import { accessLog, type AccessLogFormat, type AccessLogOptions } from "../../src/observe/access_log.ts";
import { formatCombined } from "../../src/observe/format_combined.ts";
import { formatCommon } from "../../src/observe/format_common.ts";
import { hopsFormat } from "../../src/observe/format_hops.ts";
import { formatJson } from "../../src/observe/format_json.ts";
import { prettyFormat } from "../../src/observe/format_pretty.ts";
import { formatSquid } from "../../src/observe/format_squid.ts";
import type { Exchange } from "../../src/proxy/exchange.ts";
import { forward, tunnel } from "./samples.ts";

const NEVER = 2 ** 30;

/** A log with a sink that takes everything, and what it wrote and told. */
function recorded(format: AccessLogFormat, options: Partial<AccessLogOptions> = {}) {
  const record = { text: "", notices: [] as string[] };
  const log = accessLog(format, {
    color: false,
    delay: NEVER,
    write(bytes) {
      record.text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
    notice: (level, message) => void record.notices.push(`${level}: ${message}`),
    ...options,
  });
  return { log, record };
}

Deno.test("an exchange is one line in each format, and four with hops", async () => {
  const formats: [AccessLogFormat, (exchange: Exchange) => string, number][] = [
    ["pretty", prettyFormat(false), 1],
    ["hops", hopsFormat(false), 4],
    ["json", formatJson, 1],
    ["common", formatCommon, 1],
    ["combined", formatCombined, 1],
    ["squid", formatSquid, 1],
  ];
  for (const [format, toLine, lines] of formats) {
    const { log, record } = recorded(format);
    log.finished(forward());
    log.finished(tunnel());
    await log.flush();
    assertEquals(record.text, `${toLine(forward())}\n${toLine(tunnel())}\n`);
    assertEquals(record.text.match(/\n/g)?.length, 2 * lines);
    assertEquals(record.notices, []);
  }
});

Deno.test("none says nothing, and asks for nothing", async () => {
  const { log, record } = recorded("none");
  const exchange = forward();
  exchange.fields = {
    field() {
      throw new Error("asked");
    },
  };
  log.finished(exchange);
  await log.flush();
  assertEquals(record, { text: "", notices: [] });
  assertEquals(log.dropped, 0);
});

Deno.test("only pretty and hops have colours", async () => {
  for (const format of ["pretty", "hops", "json", "common", "combined", "squid"] as const) {
    const { log, record } = recorded(format, { color: true });
    log.finished(forward());
    await log.flush();
    assertEquals(record.text.includes("\x1b["), format === "pretty" || format === "hops");
  }
});

Deno.test("a reader that takes nothing costs lines, which are counted and told of, and nobody's time", async () => {
  const { log, record } = recorded("combined", { write: () => new Promise(() => {}), patience: 1 });
  for (let i = 0; i < 60_000; i++) log.finished(forward());
  assert(log.dropped > 20_000, `${log.dropped}`);
  assertEquals(record.notices, [
    "warning: 1 exchange is missing from the access log: standard output was not read fast enough",
  ]);
  await log.flush();
  assertEquals(log.dropped, 60_000);
  assertEquals(record.notices[1], record.notices[0].replace("1 exchange is", "59999 exchanges are"));
});

Deno.test("an exchange that cannot be put into a line is counted, told once, and harms nobody", async () => {
  const { log, record } = recorded("combined");
  const exchange = forward();
  exchange.fields = {
    field() {
      throw new Error("the head is gone");
    },
  };
  log.finished(exchange);
  log.finished(exchange);
  log.finished(forward());
  await log.flush();
  assertEquals(log.dropped, 2);
  assertEquals(record.notices, ["error: an exchange could not be logged: Error: the head is gone"]);
  assertEquals(record.text.match(/\n/g)?.length, 1);
});

Deno.test("a full disk is told of, and that it is tried again", async () => {
  const { log, record } = recorded("common", {
    write: () => Promise.reject(new Error("No space left on device")),
  });
  log.finished(forward());
  await log.flush();
  assertEquals(record.notices, [
    "warning: the access log cannot be written (No space left on device); requests are served as before, and it " +
    "is tried again",
  ]);
});

const PROGRAM = `
  import { accessLog } from ${
  JSON.stringify(new URL("../../src/observe/access_log.ts", import.meta.url).href)
};
  import { forward } from ${JSON.stringify(new URL("./samples.ts", import.meta.url).href)};
  const notice = (level, message) => console.error(level + ": " + message);
  const log = accessLog("squid", { color: false, notice, patience: 10 });
  /** Resolves when the event loop has turned until this holds. */
  const until = (holds) => new Promise((resolve) => {
    const timer = setInterval(() => holds() && resolve(clearInterval(timer)), 1);
  });
`;

/** A process of its own with the log on its real standard output, and `--allow-net` alone. */
async function start(code: string): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", "--ext=ts", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(PROGRAM + code));
  await writer.close();
  return child;
}

Deno.test("lines reach standard output by themselves, and let the process end", async () => {
  const child = await start("log.finished(forward());");
  const { stdout, stderr } = await child.output();
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(new TextDecoder().decode(stdout), `${formatSquid(forward())}\n`);
});

Deno.test("a reader that goes away silences the log with one notice, and the process lives on", async () => {
  const child = await start(`
    await until(() => {
      log.finished(forward());
      return log.dropped > 3;
    });
    console.error("still alive");
    Deno.exit(7);
  `);
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const errors = await new Response(child.stderr).text();
  assertEquals((await child.status).code, 7);
  assertEquals(
    errors,
    "warning: the access log has ended: nobody reads standard output any more; requests are served as before\n" +
      "still alive\n",
  );
});

Deno.test("a reader that stands still stops neither the process nor its end", async () => {
  const child = await start(`
    for (let i = 0; i < 60_000; i++) log.finished(forward());
    let turns = 0;
    await until(() => ++turns > 10);
    for (let i = 0; i < 60_000; i++) log.finished(forward());
    await log.flush();
    console.error(String(log.dropped > 60_000));
    Deno.exit(0);
  `);
  const errors = await new Response(child.stderr).text();
  assertEquals((await child.status).code, 0);
  assert(
    /^warning: 1 exchange is missing .*\nwarning: \d+ exchanges are missing .*\ntrue\n$/.test(errors),
    errors,
  );
  await child.stdout.cancel();
});

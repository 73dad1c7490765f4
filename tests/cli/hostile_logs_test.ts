/** Logs, cache folders and file names are written by others: what is said of them holds nothing that a terminal obeys. */

import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { objectSum } from "../../src/cache/disk/checksum.ts";
import { DiskStore } from "../../src/cache/disk_store.ts";
import { harmless, processIo } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";
import { deniedLine, jsonLine } from "../review/logs.ts";

const HOSTILE = "\x1b]0;x\x07\x9b2J\x85\u202e";
/** Lines end in one way alone, and nothing else is a control, a mark of direction or one that is not seen. */
// deno-lint-ignore no-control-regex
const OBEYED = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

async function said(args: string[], input = ""): Promise<string> {
  let text = "";
  const io = {
    ...processIo(),
    out: (more: string) => text += more,
    err: (more: string) => text += more,
    input: new Response(input).body!,
    isTerminal: () => false,
  };
  await run(args, io);
  assert(text !== "", args.join(" "));
  return text;
}

Deno.test("nothing of a log commands the terminal on which it is reviewed", async () => {
  const lines = [jsonLine(), deniedLine()];
  for (const line of [jsonLine({ method: "GET" }), deniedLine({ method: "GET" }), jsonLine(), deniedLine()]) {
    for (const key of Object.keys(JSON.parse(line)).concat("user", "details", "cache", "reason", "parent")) {
      const value = JSON.parse(line)[key];
      lines.push(JSON.stringify({ ...JSON.parse(line), [key]: `${value ?? ""}${HOSTILE}` }));
      lines.push(JSON.stringify({ ...JSON.parse(line), [HOSTILE]: 1 }));
    }
  }
  const log = `${lines.join("\n")}\n${HOSTILE.replaceAll("\n", "")}\n`;
  for (
    const args of [
      ["report", "-"],
      ["report", "-", "--markdown"],
      ["learn", "-", "--by-user", "--by-client", "--by-method", "--tests"],
      ["replay", "-", "--deny", "registry.corp.test"],
    ]
  ) {
    const text = await said(args, log);
    assertEquals(OBEYED.exec(text), null, `${args.join(" ")}\n${JSON.stringify(text)}`);
  }
});

Deno.test("nothing of a name commands the terminal on which it is said that it is wrong", async () => {
  for (
    const args of [
      ["--config", HOSTILE],
      ["--users", HOSTILE],
      ["--allow", HOSTILE],
      ["--cache-dir", `/nonexistent/${HOSTILE}`, "--tls-cert", HOSTILE],
      ["cache", "list", "--cache-dir", HOSTILE],
      ["cache", "show", `http://a.example/${HOSTILE}`, "--cache-dir", HOSTILE],
      ["passwd", `/nonexistent/${HOSTILE}/users`, "alice"],
      ["report", HOSTILE],
      ["learn", HOSTILE, "--into", HOSTILE],
      ["get", HOSTILE],
      ["get", "http://127.0.0.1:1/", "-o", `/nonexistent/${HOSTILE}/file`],
      ["why", HOSTILE],
      ["relay", "--to", HOSTILE],
      [HOSTILE],
    ]
  ) {
    const text = await said(args);
    assertEquals(OBEYED.exec(text), null, `${JSON.stringify(args)}\n${JSON.stringify(text)}`);
  }
});

Deno.test("what is stored is listed as JSON that a terminal obeys nothing of", async () => {
  const path = Deno.makeTempDirSync({ dir: "/tmp", prefix: "weir-hostile-" });
  try {
    const store = await DiskStore.open(path, 2 ** 24, () => {});
    const meta = JSON.stringify({
      status: 200,
      // of controls a head may hold those of C1
      reason: "OK\x9b2J",
      address: "192.0.2.1",
      requestTime: Date.now(),
      responseTime: Date.now(),
      vary: [["accept", "\x9b2J\x85"]],
      length: 10,
      range: null,
      fields: [["Vary", "accept"], ["A", "\x9b2J\x85"], ["Cache-Control", "max-age=60"]],
    });
    assert(store.write("http://a.example/", "v", meta, [new Uint8Array(10)]));
    await store.settled();
    await store.close();
    // keys that no request has
    const database = new DatabaseSync(`${path}/weir-cache.sqlite`);
    const row = database.prepare("SELECT * FROM objects").get() as unknown as Parameters<typeof objectSum>[0];
    const key = `http://a.example/${HOSTILE}`;
    database.prepare("UPDATE objects SET key = ?, sum = ?").run(key, objectSum({ ...row, key }));
    database.close();
    for (const words of [["list"], ["list", "--json"], ["stats", "--json"], ["purge", "*"]]) {
      const text = await said(["cache", ...words, "--cache-dir", path]);
      assertEquals(OBEYED.exec(text), null, `${words}\n${JSON.stringify(text)}`);
    }
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
});

Deno.test("the last door lets colours and progress through, and nothing else that a terminal obeys", () => {
  assertEquals(harmless("\x1b[1;31mred\x1b[0m\ttab\r\x1b[K\n"), "\x1b[1;31mred\x1b[0m\ttab\r\x1b[K\n");
  assertEquals(harmless("\x1b[2J\x9b2J\x85\x07\x00\x7f"), "\\x1b[2J\\x9b2J\\x85\\x07\\x00\\x7f");
});

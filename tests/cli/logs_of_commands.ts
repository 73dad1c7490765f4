/** Commands that read logs, run in this process. */

import type { Io } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";
import type { Ended } from "./weir.ts";

/** Runs weir with a text as its standard input. */
export async function weir(args: readonly string[], input = ""): Promise<Ended> {
  let [out, err] = ["", ""];
  const io: Io = {
    bytes: () => true,
    out: (text) => out += text,
    err: (text) => err += text,
    input: new Response(input).body!,
    isTerminal: () => false,
    noColor: true,
  };
  return { code: await run(args, io), out, err };
}

/** weir, an HTTP forward proxy: `deno run --allow-net main.ts --help`. */

import { processIo } from "./src/cli/io.ts";
import { run } from "./src/cli/run.ts";
import { withstandSignals } from "./src/cli/signals.ts";

withstandSignals();
Deno.exit(await run(Deno.args, processIo()));

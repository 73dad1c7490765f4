import { assertEquals } from "@std/assert";
import { configOf } from "../../src/config/config.ts";
import { readFlags } from "../../src/config/flags.ts";
import { OPTIONS_IN_FILE } from "../../src/config/options.ts";
import { RATES } from "../../src/config/rates.ts";
import { readToml } from "../../src/config/toml.ts";
import { parseListenAddress } from "../../src/net/listen.ts";
import { NO_LIMITS } from "../../src/policy/rates.ts";

const instance = { pseudonym: "weir-1f3a", version: "1.2.3" };

Deno.test("the table has all rates that there are", () => {
  assertEquals(
    RATES.map(({ name }) => name).sort(),
    Object.keys(NO_LIMITS).sort() as typeof RATES[number]["name"][],
  );
});

Deno.test("each rate is an option for clients and one for users, in a section of each", () => {
  for (const { name } of RATES) {
    for (const who of ["client", "user"]) {
      const option = OPTIONS_IN_FILE.find(({ flag }) => flag === `${who}-${name}`);
      assertEquals(option?.key, `${who}-rates.${name}`);
    }
  }
});

Deno.test("what flags and file say of rates reaches the proxy, each in its place", async () => {
  const text = '[client-rates]\nrequests = 10\nup = "1m"\n[user-rates]\ndaily = "1g"\n';
  const file = await readToml(text, "weir.toml", parseListenAddress);
  const { values } = readFlags(["--client-requests", "20", "--user-exchanges=3"], parseListenAddress);
  const { proxy } = configOf({ ...file.values, ...values }, instance);
  assertEquals(proxy.clientRates, { ...NO_LIMITS, requests: 20, up: 2 ** 20 });
  assertEquals(proxy.userRates, { ...NO_LIMITS, exchanges: 3, daily: 2 ** 30 });
});

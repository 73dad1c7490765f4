import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Exchange } from "../../src/proxy/exchange.ts";
import { referenceOf } from "../../src/proxy/reference.ts";
import { formatJson } from "../../src/observe/format_json.ts";
import { hopsFormat } from "../../src/observe/format_hops.ts";
import { prettyFormat } from "../../src/observe/format_pretty.ts";
import { proxied, PSEUDONYM } from "./harness.ts";
import { valuesOf } from "./peer.ts";

Deno.test("references are short, all different, and do not follow the numbers", () => {
  const references = Array.from({ length: 10_000 }, (_, number) => referenceOf(number));
  assertEquals(new Set(references).size, references.length);
  for (const reference of references) assert(/^[0-9a-hj-kmnp-tv-z]{8}$/.test(reference), reference);
  assertEquals(references[7], referenceOf(7));
  const inOrder = references.filter((each, i) => i > 0 && each > references[i - 1]).length;
  assert(inOrder > 4_500 && inOrder < 5_500, `${inOrder} of them are greater than the one before`);
  assertNotEquals(referenceOf(2 ** 33), referenceOf(0));
});

proxied(
  "an answer shows the reference of its exchange and not its number, and each log has it",
  async (setting) => {
    const client = await setting.connect();
    const references: string[] = [];
    for (let i = 0; i < 2; i++) {
      await client.send(
        "GET http://localhost:9/ HTTP/1.1\r\nHost: localhost:9\r\nAccept: application/json\r\n\r\n",
      );
      const answer = await client.message();
      const exchange: Exchange = await setting.exchanges.next();
      assertEquals(exchange.number, i + 1);
      assertEquals(JSON.parse(answer.content).exchange, `${PSEUDONYM}/${exchange.reference}`);
      assert(!valuesOf(answer, "proxy-status")[0].includes(`${PSEUDONYM}/${exchange.number}`));
      references.push(exchange.reference);
      const json = JSON.parse(formatJson(exchange));
      assertEquals([json.number, json.reference], [i + 1, exchange.reference]);
      for (const line of [prettyFormat(false)(exchange), hopsFormat(false)(exchange)]) {
        assert(line.endsWith(`  #${exchange.reference}`), line);
      }
    }
    assertNotEquals(references[0], references[1]);
  },
);

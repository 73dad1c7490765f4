import { assertEquals } from "@std/assert";
import { proxyStatusWords } from "../../src/get/proxy_status_words.ts";

Deno.test("each parameter of Proxy-Status has its words (RFC 9209 §2)", () => {
  assertEquals(
    proxyStatusWords(
      'far; error=connection_refused; details="10.0.0.1:80 refused", near; received-status=502; next-hop=far.test',
    ),
    [
      "far: was refused the connection: nobody listens there (10.0.0.1:80 refused)",
      "near: got 502 from the next one, went to far.test",
    ],
  );
  assertEquals(proxyStatusWords("p; error=http_request_denied"), ["p: does not allow the request"]);
  assertEquals(proxyStatusWords("p; error=unheard_of; next-protocol=h2"), [
    "p: failed: unheard_of, spoke h2",
  ]);
  assertEquals(proxyStatusWords("p"), ["p: had a part in it"]);
  assertEquals(proxyStatusWords("p;;"), ["it cannot be read, and says nothing therefore"]);
});

Deno.test("every error that weir answers with has words", async () => {
  const source = new URL("../../src/", import.meta.url);
  const found = new Set<string>();
  for await (const file of Deno.readDir(new URL("proxy/", source))) {
    const text = await Deno.readTextFile(new URL(`proxy/${file.name}`, source)).catch(() => "");
    for (const [, name] of text.matchAll(/HttpError\(\s*[^,]+,\s*"([a-z_]+)"/g)) found.add(name);
  }
  assertEquals([...found].filter((name) => proxyStatusWords(`p; error=${name}`)[0].includes("failed: ")), []);
  assertEquals(found.size > 3, true);
});

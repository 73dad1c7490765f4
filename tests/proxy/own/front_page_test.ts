import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { NO_LIMITS } from "../../../src/policy/rates.ts";
import { AUTHORITY, KEY, VALID } from "../../net/tls_certificates.ts";
import { proxied, type Setting } from "../harness.ts";
import { type Message, type Peer, turn, valuesOf } from "../peer.ts";
import { policy, SeenFrom, spec } from "../policies.ts";

/** What weir answers when it is asked for something of its own. */
async function ask(
  client: Peer,
  path: string,
  host: string,
  { method = "GET", accept = "*/*" } = {},
): Promise<Message> {
  await client.send(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: ${accept}\r\n\r\n`);
  return await client.message({ method });
}

/** A field's value; `undefined` when it is absent. */
function fieldOf(message: Message, name: string): string | undefined {
  return valuesOf(message, name)[0];
}

const PAGES = ["/", "/?q", "/proxy.pac", "/-/healthy", "/-/ready"];

proxied("weir's own pages are read on one connection, and nothing is sent on", async (setting) => {
  const { connect, authority, exchanges, origin } = setting;
  const client = await connect();
  for (const path of PAGES) {
    for (const method of ["GET", "HEAD"]) {
      const answer = await ask(client, path, authority, { method });
      assertEquals(answer.status, 200, path);
      assertEquals(fieldOf(answer, "cache-control"), "no-store");
      assertEquals(fieldOf(answer, "x-content-type-options"), "nosniff");
      assertEquals(fieldOf(answer, "cross-origin-resource-policy"), "same-origin");
      assert(
        fieldOf(answer, "content-security-policy")!.startsWith("default-src 'none'; style-src 'sha256-"),
      );
      assertEquals(fieldOf(answer, "set-cookie"), undefined);
      assertEquals(fieldOf(answer, "access-control-allow-origin"), undefined);
      assertEquals(answer.content === "", method === "HEAD");
      assert(Number(fieldOf(answer, "content-length")) > 0);
      const { kind, status, verdict, ownAnswer, target } = await exchanges.next();
      assertEquals([kind, status, verdict, ownAnswer, target], ["own", 200, "none", true, path]);
    }
  }
  await origin.assertNoFurtherConnection();
});

proxied(
  "the front page is HTML for browsers and text for programs, and says nothing of a version",
  async (setting) => {
    const { connect, authority } = setting;
    const client = await connect();
    const html = await ask(client, "/", authority, { accept: "text/html,application/xhtml+xml,*/*;q=0.8" });
    assertEquals(fieldOf(html, "content-type"), "text/html; charset=utf-8");
    assertStringIncludes(html.content, `http://${authority}/proxy.pac`);
    assertEquals(html.content.includes("0.0.0-test"), false);
    const text = await ask(client, "/", authority);
    assertEquals(fieldOf(text, "content-type"), "text/plain; charset=utf-8");
    assertStringIncludes(text.content, `export http_proxy=http://${authority}\n`);
  },
);

proxied("the version is told where it is asked for", { settings: { showVersion: true } }, async (setting) => {
  const { content } = await ask(await setting.connect(), "/", setting.authority);
  assertStringIncludes(content, "weir 0.0.0-test: this is a proxy");
});

proxied("the page and the file name weir as it was asked for", async ({ connect, addresses: [{ port }] }) => {
  const client = await connect();
  for (const host of ["localhost", "LOCALHOST.", "127.0.0.1", "127.1.2.3", "[::1]"]) {
    const shown = host === "LOCALHOST." ? "localhost" : host;
    assertStringIncludes((await ask(client, "/", `${host}:${port}`)).content, `http://${shown}:${port}\n`);
    assertStringIncludes(
      (await ask(client, "/proxy.pac", `${host}:${port}`)).content,
      `"PROXY ${shown}:${port}"`,
    );
  }
});

proxied(
  "only what weir is known by is answered, so that no name that resolves to it reads it",
  async (setting) => {
    const { connect, addresses: [{ port }], exchanges } = setting;
    const client = await connect();
    const foreign = [
      "evil.example",
      `evil.example:${port}`,
      `localhost.evil.example:${port}`,
      "localhost",
      "127.0.0.1",
    ]
      .concat([
        `127.0.0.1:${port - 1}`,
        `192.0.2.1:${port}`,
        `0.0.0.0:${port}`,
        `[::]:${port}`,
        `wpad:${port}`,
      ]);
    for (const host of foreign) {
      for (const path of [...PAGES, "/else"]) {
        const answer = await ask(client, path, host);
        assertEquals([host, path, answer.status], [host, path, 400]);
        assertStringIncludes(answer.content, "this is a proxy, not a web server");
        assertEquals((await exchanges.next()).verdict, "none");
      }
    }
  },
);

proxied("a Host that is none is refused before anything", async ({ connect, authority }) => {
  for (
    const host of ["127.1", `user@${authority}`, "a b", `${authority}/`, `${authority}\r\nHost: ${authority}`]
  ) {
    assertEquals((await ask(await connect(), "/", host)).status, 400, host);
  }
});

proxied(
  "a name that weir was given is its own with any port",
  { settings: { frontPage: { names: ["proxy.example", "192.0.2.1"], wpad: false, rules: [] } } },
  async ({ connect }) => {
    const client = await connect();
    for (
      const [host, shown] of [["Proxy.Example:3128", "proxy.example:3128"], ["192.0.2.1", "192.0.2.1:80"]]
    ) {
      assertStringIncludes((await ask(client, "/", host)).content, `this is a proxy, http://${shown}\n`);
    }
    assertEquals((await ask(client, "/", "another.example")).status, 400);
  },
);

proxied("HTTP/1.0 without Host is what looks whether weir is well", async ({ connect, authority }) => {
  for (const [path, content] of [["/-/healthy", "ok\n"], ["/-/ready", "ready\n"]]) {
    const client = await connect();
    await client.send(`GET ${path} HTTP/1.0\r\n\r\n`);
    const answer = await client.message();
    assertEquals([answer.status, answer.content], [200, content]);
    assertEquals(await client.rest(), "");
  }
  const client = await connect();
  await client.send("GET /proxy.pac HTTP/1.0\r\n\r\n");
  assertStringIncludes((await client.message()).content, `"PROXY ${authority}"`);
});

proxied(
  "everything else is 404, and other methods are 405 with what is allowed",
  async ({ connect, authority }) => {
    const client = await connect();
    for (
      const path of [
        "/x",
        "/-/",
        "/-/healthy/",
        "/proxy.pac/",
        "//",
        "/%2e",
        "/-/ready%00",
        "/wpad.dat",
        "/PROXY.PAC",
      ]
    ) {
      assertEquals((await ask(client, path, authority)).status, 404, path);
    }
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PURGE"]) {
      const answer = await ask(client, "/", authority, { method });
      assertEquals([answer.status, fieldOf(answer, "allow")], [405, "GET, HEAD"], method);
    }
    const page = await ask(client, "/<script>", authority, { accept: "text/html" });
    assertEquals(page.status, 404);
    assertEquals(page.content.includes("<script"), false);
    assertStringIncludes(fieldOf(page, "content-security-policy")!, "default-src 'none'");
  },
);

proxied(
  "a body that nobody reads ends the connection, and the answer is read",
  async ({ connect, authority }) => {
    const client = await connect();
    await client.send(`POST / HTTP/1.1\r\nHost: ${authority}\r\nContent-Length: 9\r\n\r\nGET / HT`);
    const answer = await client.message();
    assertEquals([answer.status, fieldOf(answer, "connection")], [405, "close"]);
    assertEquals(await client.rest(), "");
  },
);

proxied(
  "/wpad.dat is there where it was asked for, and says what /proxy.pac says",
  { settings: { frontPage: { names: [], wpad: true, rules: [] } } },
  async ({ connect, authority }) => {
    const client = await connect();
    const [pac, wpad] = [
      await ask(client, "/proxy.pac", authority),
      await ask(client, "/wpad.dat", authority),
    ];
    assertEquals(fieldOf(wpad, "content-type"), "application/x-ns-proxy-autoconfig");
    assertEquals(wpad.content, pac.content);
  },
);

const OUTSIDERS = new SeenFrom(policy({ clients: policyClients("192.0.2.0/24") }), "198.51.100.1");

function policyClients(network: string) {
  return spec({ rules: [{ clients: network }] }).rules[0].clients;
}

proxied("whom the policy is not for gets no page", { settings: { policy: OUTSIDERS } }, async (setting) => {
  const { connect, authority, exchanges } = setting;
  const client = await connect();
  for (const path of [...PAGES, "/else"]) {
    const answer = await ask(client, path, authority);
    assertEquals([path, answer.status], [path, 403]);
    const { verdict, rule } = await exchanges.next();
    assertEquals([verdict, rule], ["deny", "clients"]);
  }
});

proxied(
  "where the policy only reports, the page is given and the denial recorded",
  {
    settings: {
      policy: new SeenFrom(
        policy({ mode: "report", clients: policyClients("192.0.2.0/24") }),
        "198.51.100.1",
      ),
    },
  },
  async ({ connect, authority, exchanges }) => {
    assertEquals((await ask(await connect(), "/", authority)).status, 200);
    const { verdict, rule, enforced } = await exchanges.next();
    assertEquals([verdict, rule, enforced], ["deny", "clients", false]);
  },
);

proxied(
  "nobody is asked for a password, which browsers have none for here, and the page says that the proxy asks",
  { settings: { policy: policy({ authentication: "always" }) } },
  async ({ connect, authority }) => {
    const client = await connect();
    for (const path of PAGES) assertEquals((await ask(client, path, authority)).status, 200, path);
    assertStringIncludes((await ask(client, "/", authority)).content, `http://USER:PASSWORD@${authority}`);
  },
);

for (
  const [clients, asks] of [["127.0.0.0/8", true], ["10.0.0.0/8", false], [null, false]] as const
) {
  const rules = clients === null ? [] : [{ users: "alice", clients }];
  proxied(
    `the page says by the rules for this client whether it is asked: a rule with users for ${clients}`,
    { settings: { policy: policy({ authentication: "by-rule", rules }) } },
    async ({ connect, authority }) => {
      const client = await connect();
      for (const accept of ["*/*", "text/html"]) {
        const { content } = await ask(client, "/", authority, { accept });
        assertEquals(content.includes("PASSWORD"), asks);
        assertEquals(content.includes("For some requests it asks"), asks);
      }
    },
  );
}

proxied(
  "own pages count against the rates of their client",
  { settings: { clientRates: { ...NO_LIMITS, requests: 1, burst: 2 } } },
  async ({ connect, authority, exchanges }) => {
    const client = await connect();
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) statuses.push((await ask(client, "/-/healthy", authority)).status);
    assertEquals(statuses.slice(0, 2), [200, 200]);
    assert(statuses.includes(429), String(statuses));
    await exchanges.until(() => exchanges.all.some(({ rule }) => rule === "rates"));
  },
);

proxied(
  "own pages count towards the bytes of an hour",
  { settings: { clientRates: { ...NO_LIMITS, hourly: 2000 } } },
  async ({ connect, authority }) => {
    const client = await connect();
    assertEquals((await ask(client, "/", authority)).status, 200);
    assertEquals((await ask(client, "/proxy.pac", authority)).status, 200);
    assertEquals((await ask(client, "/", authority)).status, 429);
  },
);

proxied("weir is not ready once it is stopping, and is well to its end", async (setting: Setting) => {
  const { connect, authority, proxy } = setting;
  const ready = await connect();
  const healthy = await connect();
  // begun before the stop, so that both are exchanges in flight
  await ready.send("GET /-/ready HTTP/1.1\r\n");
  await healthy.send("GET /-/healthy HTTP/1.1\r\n");
  while (proxy.active < 2) await turn();
  const drained = proxy.drain();
  await ready.send(`Host: ${authority}\r\n\r\n`);
  const answer = await ready.message();
  assertEquals([answer.status, answer.content, fieldOf(answer, "connection")], [503, "draining\n", "close"]);
  await healthy.send(`Host: ${authority}\r\n\r\n`);
  assertEquals((await healthy.message()).status, 200);
  await drained;
});

proxied(
  "over TLS the page and the file say that clients speak TLS to weir",
  {
    settings: { certificate: { cert: VALID, key: KEY } },
    listenTls: [{ hostname: "127.0.0.1", port: 0 }],
  },
  async ({ connect, addresses }) => {
    const { port } = addresses[1];
    const client = await connect({ to: addresses[1], tls: AUTHORITY });
    assertStringIncludes(
      (await ask(client, "/", `localhost:${port}`)).content,
      `https://localhost:${port}/proxy.pac`,
    );
    assertStringIncludes(
      (await ask(client, "/proxy.pac", `127.0.0.1:${port}`)).content,
      `"HTTPS 127.0.0.1:${port}"`,
    );
    const foreign = await ask(client, "/", `evil.example:${port}`);
    assertEquals(foreign.status, 400);
    assertStringIncludes(foreign.content, `curl -x https://127.0.0.1:${port} URL`);
  },
);

proxied("a request through weir for weir's own page goes round in a circle, as before", async (setting) => {
  const { connect, authority } = setting;
  const client = await connect();
  await client.send(`GET http://${authority}/-/ready HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const answer = await client.message();
  assertEquals(answer.status, 502);
  assertStringIncludes(fieldOf(answer, "proxy-status")!, "proxy_loop_detected");
});

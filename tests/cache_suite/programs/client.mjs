// The client of http-cache-tests: node client.mjs JSON, where JSON says
//   origin       http://127.0.0.1:PORT of the suite's server
//   proxy        port of the cache under test, on 127.0.0.1
//   absolute     whether targets are written in absolute-form, as to a forward proxy, or as to the origin itself
//   concurrency  tests at the same time
//   only         identifiers of the tests to run, with those that they depend on, or null for all
//   dump         whether the suite prints each request and response
//   report       the file to write: the groups of tests, and what came of each test that ran
import { writeFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import net from "node:net";
import { pathToFileURL } from "node:url";

// Installed beside this file when it runs, and unknown to Deno.
const require = createRequire(import.meta.url);
const fetch = require("node-fetch");
const suite = (path) => import(pathToFileURL(require.resolve(`http-cache-tests/${path}`)).href);
const config = await suite("client/config.mjs");
const { makeCacheTest, testResults } = await suite("client/test.mjs");
const { default: groups } = await suite("tests/index.mjs");

const { origin, proxy, absolute, concurrency, only, dump, report } = JSON.parse(process.argv[2]);

/** Connects to the cache, whatever host the URL names. */
class CacheAgent extends http.Agent {
  addRequest(request, options) {
    // The head is not written yet: a path that is a whole URL is a target in absolute-form.
    if (absolute) request.path = origin + request.path;
    super.addRequest(request, options);
  }
  createConnection(_options, connected) {
    return net.connect({ host: "127.0.0.1", port: proxy, noDelay: true }, connected);
  }
}

// One connection a request, as the suite's own command line has it.
const agent = new CacheAgent({ keepAlive: false });
config.setFetch((url, init) => fetch(url, { ...init, agent, timeout: 20_000 }));
config.setBaseUrl(origin);
config.setUseBrowserCache(false);

const plan = groups.map(({ id, name, tests }) => ({
  id,
  name,
  tests: tests.filter((test) => test.browser_only !== true),
}));
const all = plan.flatMap(({ tests }) => tests);
const wanted = new Set(only ?? all.map(({ id }) => id));
// A set that grows while it is walked through is walked through to its end.
for (const id of wanted) {
  all.find((test) => test.id === id)?.depends_on?.forEach((other) => wanted.add(other));
}
const waiting = all.filter(({ id }) => wanted.has(id));
const work = async () => {
  for (let test = waiting.shift(); test !== undefined; test = waiting.shift()) {
    await makeCacheTest({ ...test, dump });
  }
};
await Promise.all(Array.from({ length: concurrency }, work));

writeFileSync(
  report,
  JSON.stringify({
    groups: plan.map(({ id, name, tests }) => ({
      id,
      name,
      tests: tests.map((test) => ({
        id: test.id,
        name: test.name,
        kind: test.kind ?? "required",
        dependsOn: test.depends_on ?? [],
      })),
    })),
    results: testResults,
  }),
);

/** Which responses that state no lifetime are kept: those of origins on the internet, and of none on this machine. */

import { assertEquals } from "@std/assert";
import { HttpCache } from "../../src/proxy/cache/http_cache.ts";
import { cached, FRESH, MIB, miss, response, statusOf } from "./cached.ts";
import { get } from "./round_trip.ts";
import { through } from "./through.ts";

const DAY_AGO = () => `Last-Modified: ${new Date(Date.now() - 864e5).toUTCString()}\r\n`;

cached("of an origin of this machine what states no lifetime is not kept", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const asked = async (path: string, fields: string) => {
    const { got, upstream } = await miss(
      setting,
      client,
      get(origin, path),
      response(`${fields}Connection: close\r\n`),
    );
    upstream.close();
    return statusOf(got);
  };
  for (const fields of [DAY_AGO(), 'ETag: "a"\r\n', `Cache-Control: public\r\n${DAY_AGO()}`]) {
    assertEquals(await asked("/", fields), 'fwd=uri-miss; fwd-status=200; detail="no freshness"');
  }
  const until = `Expires: ${new Date(Date.now() + 60_000).toUTCString()}\r\n`;
  for (const [index, fields] of [FRESH, "Cache-Control: s-maxage=9\r\n", until].entries()) {
    assertEquals(await asked(`/${index}`, fields), "fwd=uri-miss; fwd-status=200; stored");
  }
}, { cacheEstimates: "public" });

cached("behind a parent the address is not known, and the lifetime is estimated", async (setting) => {
  through(setting, { settings: { cacheSize: MIB } });
  const client = await setting.connect();
  const { got, upstream } = await miss(
    setting,
    client,
    get({ authority: "a.example" }),
    response(DAY_AGO()),
  );
  assertEquals(statusOf(got), "fwd=uri-miss; fwd-status=200; stored");
  // unless it was asked for by its address
  const local = await miss(setting, client, get({ authority: "192.168.0.9" }), response(DAY_AGO()), upstream);
  assertEquals(statusOf(local.got), 'fwd=uri-miss; fwd-status=200; detail="no freshness"');
});

cached("where none is estimated nothing is kept that states none", async (setting) => {
  through(setting, { settings: { cacheSize: MIB, cacheEstimates: "none" } });
  const client = await setting.connect();
  const { got } = await miss(setting, client, get({ authority: "a.example" }), response(DAY_AGO()));
  assertEquals(statusOf(got), 'fwd=uri-miss; fwd-status=200; detail="no freshness"');
});

cached("credentials in fields, cookies and URLs are no ground for a guess", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const asked: [string, ...string[]][] = [
    ["/", "Cookie: a=b"],
    ["/", "X-Api-Key: a"],
    ["/", "X-Amz-Security-Token: a"],
    ["/?token=a"],
    ["/?a=b&X-Amz-Signature=c"],
  ];
  for (const [path, ...lines] of asked) {
    const { got, upstream } = await miss(
      setting,
      client,
      get(origin, path, ...lines),
      response(`${DAY_AGO()}Connection: close\r\n`),
    );
    upstream.close();
    assertEquals(statusOf(got), "fwd=uri-miss; fwd-status=200; detail=credentials", path + lines);
  }
});

cached("what is public and was fetched with credentials is validated each time", async (setting) => {
  const { origin } = setting;
  const client = await setting.connect();
  const asked = get(origin, "/", "Cookie: a=b");
  const fields = `Cache-Control: public\r\nETag: "a"\r\n${DAY_AGO()}`;
  const { got, upstream } = await miss(setting, client, asked, response(fields));
  assertEquals(statusOf(got), "fwd=uri-miss; fwd-status=200; stored");
  for (const message of [get(origin), asked]) {
    const again = await miss(
      setting,
      client,
      message,
      `HTTP/1.1 304 Not Modified\r\n${fields}\r\n`,
      upstream,
    );
    assertEquals(statusOf(again.got), "fwd=stale; fwd-status=304; stored; ttl=0");
  }
});

Deno.test("an address tells whether a lifetime may be estimated", () => {
  const cache = new HttpCache(MIB, null);
  const may = (address: string) => cache.mayEstimate(address);
  for (const address of ["", "93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34"]) {
    assertEquals(may(address), true, address);
  }
  for (
    const address of [
      "127.0.0.1",
      "127.1.2.3",
      "::1",
      "10.0.0.1",
      "172.16.0.1",
      "192.168.1.1",
      "fd00::1",
      "::ffff:10.0.0.1",
      "169.254.169.254",
      "fe80::1%eth0",
    ]
  ) {
    assertEquals(may(address), false, address);
  }
  cache.estimates = "all";
  assertEquals(may("127.0.0.1"), true);
  cache.estimates = "none";
  assertEquals([may("93.184.216.34"), may("")], [false, false]);
});

import { assert, assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { Origin } from "./origin.ts";
import { freePort, run, succeed } from "./programs.ts";
import { Weir } from "./weir.ts";

Deno.test("curl", async (test) => {
  await using origin = await Origin.start();
  await using weir = await Weir.start();
  const curl = (...args: string[]) => succeed("curl", ["-q", "-sS", "-x", weir.url, ...args]);
  const hello = `${origin.http}/hello.txt`;

  await test.step("fetches two files over one connection", async () => {
    const output = await curl("-w", "%{num_connects} ", hello, hello);
    assertEquals(output, "Hello from the origin.\n1 Hello from the origin.\n0 ");
  });

  await test.step("sends 100 MB that arrive unchanged, with a length and chunked", async () => {
    const file = await origin.randomFile("hundred", 100_000_000);
    const [digest] = (await succeed("sha256sum", [file])).split(" ");
    const target = `${origin.http}/service/digest`;
    assertEquals(await curl("--data-binary", `@${file}`, target), digest);
    assertEquals(
      await curl("-H", "Transfer-Encoding: chunked", "-H", "Expect:", "--data-binary", `@${file}`, target),
      digest,
    );
  });

  await test.step("fetches 100 MB that arrive unchanged", async () => {
    await curl("-o", `${origin.folder}/fetched`, `${origin.http}/hundred`);
    await succeed("cmp", [`${origin.folder}/fetched`, `${origin.files}/hundred`]);
  });

  await test.step("waits for 100 Continue before it uploads", async () => {
    const file = `${origin.folder}/two-megabytes`;
    await Deno.writeFile(file, new Uint8Array(2_000_000));
    const [digest] = (await succeed("sha256sum", [file])).split(" ");
    const { code, stdout, stderr } = await run("curl", [
      ...["-q", "-sSv", "-x", weir.url, "-H", "Expect: 100-continue", "--expect100-timeout", "30"],
      ...["-T", file, `${origin.http}/service/digest`],
    ]);
    assertEquals([code, stdout], [0, digest]);
    assertMatch(stderr, /^< HTTP\/1\.1 100 /m);
  });

  await test.step("opens a tunnel to a TLS origin and verifies its certificate", async () => {
    const { authority } = origin.certificates;
    assertEquals(await curl("--cacert", authority, `${origin.https}/hello.txt`), "Hello from the origin.\n");
    const untrusted = await run("curl", ["-q", "-sS", "-x", weir.url, `${origin.https}/hello.txt`]);
    assertEquals(untrusted.code, 60, "The certificate of the origin, not one of weir's, has to be judged.");
    const digest = await curl(
      ...["--cacert", authority, "--data-binary", `@${origin.files}/hundred`],
      `${origin.https}/service/digest`,
    );
    assertEquals(digest, (await succeed("sha256sum", [`${origin.files}/hundred`])).split(" ")[0]);
  });

  await test.step("speaks HTTP/1.0, in the request and to open a tunnel", async () => {
    assertStringIncludes(await curl("-0", "-i", hello), "\r\n\r\nHello from the origin.\n");
    // The body has no length, which an HTTP/1.0 client cannot read in chunks.
    const chunks = await curl("-0", "-i", `${origin.http}/service/chunks`);
    assertNotMatch(chunks, /^transfer-encoding:/im);
    assert(chunks.endsWith("\r\n\r\n" + Array.from({ length: 100 }, (_, number) => `${number}\n`).join("")));
    const tunnelled = await succeed("curl", [
      ...["-q", "-sS", "--proxy1.0", `127.0.0.1:${weir.port}`, "--cacert", origin.certificates.authority],
      `${origin.https}/hello.txt`,
    ]);
    assertEquals(tunnelled, "Hello from the origin.\n");
  });

  await test.step("keeps what it tells the proxy from the origin", async () => {
    const fields = async (...args: string[]) => {
      const seen: { fields: [string, string][] } = JSON.parse(await curl(...args));
      return new Map(seen.fields);
    };
    const secret = ["--proxy-header", "X-For-The-Proxy: secret"];
    const inTunnel = await fields(
      ...[...secret, "--cacert", origin.certificates.authority, `${origin.https}/service/fields`],
    );
    assertEquals(inTunnel.has("x-for-the-proxy"), false);
    assertEquals(inTunnel.has("via"), false);
    const forwarded = await fields(
      ...["--proxy-header", "Connection: X-Private", "--proxy-header", "X-Private: secret"],
      ...["-U", "somebody:password", "-H", "X-Public: seen", `${origin.http}/service/fields`],
    );
    assertEquals(forwarded.get("x-public"), "seen");
    for (const name of ["x-private", "proxy-authorization", "proxy-connection"]) {
      assertEquals(forwarded.has(name), false, name);
    }
    assertMatch(forwarded.get("via") ?? "", /^1\.1 \S+/);
  });

  await test.step("fetches a range and resumes a download", async () => {
    const whole = await Deno.readFile(`${origin.files}/hundred`);
    const part = `${origin.folder}/part`;
    await curl("-r", "100-1099", "-o", part, `${origin.http}/hundred`);
    assertEquals(await Deno.readFile(part), whole.subarray(100, 1100));
    await Deno.writeFile(part, whole.subarray(0, 99_000_000));
    await curl("-C", "-", "-o", part, `${origin.http}/hundred`);
    await succeed("cmp", [part, `${origin.files}/hundred`]);
  });

  await test.step("asks for heads alone, for nothing, and whether something changed", async () => {
    assertMatch(await curl("-I", hello), /^HTTP\/1\.1 200 [^]*Content-Length: 23\r\n/);
    assertEquals(await curl("-w", "%{http_code}", `${origin.http}/empty`), "204");
    const tag = `${origin.folder}/tag`;
    await curl("--etag-save", tag, "-o", "/dev/null", hello);
    assertEquals(await curl("--etag-compare", tag, "-w", "%{http_code} %{size_download}", hello), "304 0");
    // All of it over one connection: none of these answers may be taken for having a body.
    const codes = await curl(
      ...["-w", "%{http_code} %{num_connects};", "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null"],
      ...[`${origin.http}/empty`, `${origin.http}/absent`, hello],
    );
    assertEquals(codes, "204 1;404 0;200 0;");
  });

  await test.step("fetches fifty files at once", async () => {
    const targets = Array.from({ length: 50 }, (_, number) => `${hello}?${number}`);
    const output = await curl("-Z", "--parallel-immediate", "--parallel-max", "50", ...targets);
    assertEquals(output, "Hello from the origin.\n".repeat(50));
  });

  await test.step("is told plainly when an origin cannot be reached", async () => {
    const closed = `http://127.0.0.1:${freePort()}/`;
    const answer = await curl("-w", "\n%{http_code}", closed);
    assertMatch(answer, /127\.0\.0\.1[^]*refused[^]*\n502$/i);
    const tunnel = await run("curl", ["-q", "-sS", "-p", "-x", weir.url, closed]);
    assertEquals(tunnel.code, 56);
    assertMatch(tunnel.stderr, /502/);
    const unknown = await curl("-w", "\n%{http_code}", "http://no-such-host.invalid/");
    assertMatch(unknown, /no-such-host\.invalid[^]*\n502$/);
  });

  weir.assertHealthy();
});

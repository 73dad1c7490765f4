import { assert, assertEquals } from "@std/assert";
import { ClientHelloReader, MAX_CLIENT_HELLO } from "../../src/policy/client_hello.ts";
import { bytes } from "../http/reading.ts";
import {
  body,
  ECH,
  extension,
  hello,
  helloMessage,
  type HelloParts,
  message,
  number,
  record,
  records,
  serverNames,
  USUAL,
  vector,
} from "./hellos.ts";
import { HELLO_DISGUISES } from "./hello_disguises.ts";

/** A reader that has read all at once. */
function read(text: string): ClientHelloReader {
  const reader = new ClientHelloReader();
  const all = bytes(text);
  assertEquals(reader.read(all, 0, all.length), reader.state);
  return reader;
}

/** What was read, in short. */
function short({ state, serverName, hasEncryptedClientHello, fault }: ClientHelloReader) {
  return { state, serverName, hasEncryptedClientHello, fault };
}

function assertInvalid(text: string, fault: string): void {
  assertEquals(short(read(text)), {
    state: "invalid",
    serverName: null,
    hasEncryptedClientHello: read(text).hasEncryptedClientHello,
    fault,
  });
}

/** One that asks for a name which is written so. */
function named(written: string): ClientHelloReader {
  return read(hello(written));
}

Deno.test("a ClientHello tells the host that it is for (RFC 6066 §3)", () => {
  assertEquals(short(read(hello("a.example"))), {
    state: "done",
    serverName: "a.example",
    hasEncryptedClientHello: false,
    fault: "",
  });
});

Deno.test("the name is found wherever its extension stands", () => {
  for (const [before, after] of [["", USUAL], [USUAL, ""], [USUAL, extension(21, "\0".repeat(100))]]) {
    const reader = read(
      record(message(body({ extensions: vector(2, before + serverNames("a.example") + after) }))),
    );
    assertEquals([reader.state, reader.serverName], ["done", "a.example"]);
  }
});

Deno.test("a ClientHello need not name a host, nor have any extension (RFC 8446 §4.1.2)", () => {
  for (const text of [hello(null), record(message(body({ extensions: "" }))), hello(null, "")]) {
    assertEquals([read(text).state, read(text).serverName], ["done", null]);
  }
});

Deno.test("a record may say any version of TLS, and one that does not exist, as servers have it (RFC 8446 §5.1)", () => {
  for (let minor = 0; minor <= 0xff; minor++) {
    assertEquals(read(record(helloMessage("a.example"), 0x0300 + minor)).serverName, "a.example");
  }
});

Deno.test("a ClientHello in a record of another major version is no other protocol", () => {
  for (const version of [0, 0x0100, 0x0200, 0x0204, 0x0400, 0x0fff, 0x1000, 0x7f00, 0xff03]) {
    assertInvalid(record(helloMessage("a.example"), version), "the version of its record is none of TLS");
  }
  // a packet of MySQL, of which the first three bytes are the length: told by its second byte, as one that may be other
  const packet = read("\x16\x01\0\x01\x85\xa6");
  assertEquals([packet.state, packet.mayBeOther], ["invalid", true]);
  assertEquals(read(hello("a..example")).mayBeOther, false);
});

Deno.test("what begins with the bit of SSL 2.0 and is no ClientHello of it is no TLS", () => {
  const mongo = "\x9a\x01\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0";
  const thrift = "\x80\x01\0\x01\0\0\0\x04ping";
  for (const sent of [mongo, thrift, "\xff\xfd\x03", "\xc3\xa9t\xc3\xa9"]) {
    assertEquals(read(sent).state, "not_tls");
    const begun = read(sent.slice(0, 2));
    assertEquals([begun.state, begun.mayBeOther], ["more", true]);
  }
});

Deno.test("what stands before a ClientHello does not make another protocol of it, by the first byte that says so", () => {
  for (const disguise of HELLO_DISGUISES) {
    const { state, mayBeOther } = read(disguise.before + hello("a.example"));
    assertEquals([state, mayBeOther], ["invalid", disguise.told === "first bytes"], disguise.name);
    for (let cut = 0; cut <= disguise.before.length; cut++) {
      const reader = new ClientHelloReader();
      const all = bytes(disguise.before + hello("a.example"));
      const early = reader.read(all, 0, cut);
      assert(early === "more" || early === "invalid", `${disguise.name}, cut at ${cut}`);
      if (cut > 2 && disguise.told === "first bytes") assertEquals(early, "invalid", disguise.name);
      assertEquals(reader.read(all, 0, all.length), "invalid", `${disguise.name}, cut at ${cut}`);
    }
  }
});

Deno.test("an encrypted ClientHello is seen, and the outer name is the name (RFC 9849)", () => {
  for (const text of [hello("a.example", ECH + USUAL), hello("a.example", USUAL + ECH)]) {
    assertEquals([read(text).serverName, read(text).hasEncryptedClientHello], ["a.example", true]);
  }
});

// pieces

Deno.test("a ClientHello may be split anywhere, and come byte by byte", () => {
  const texts = [
    hello("a.example"),
    records(helloMessage("a.example"), 200),
    hello("a..example"),
    "GET / HTTP/1.1",
  ];
  for (const text of texts) {
    const all = bytes(text);
    const expected = short(read(text));
    for (let cut = 0; cut <= all.length; cut++) {
      const reader = new ClientHelloReader();
      reader.read(all, 0, cut);
      assertEquals(reader.begun, cut > 0);
      reader.read(all, 0, all.length);
      assertEquals(short(reader), expected, `cut at ${cut}`);
    }
    const reader = new ClientHelloReader();
    for (let end = 0; end <= all.length; end++) reader.read(all, 0, end);
    assertEquals(short(reader), expected, "byte by byte");
  }
});

Deno.test("what has come may have been moved between two reads", () => {
  const all = bytes(records(helloMessage("a.example"), 300));
  const reader = new ClientHelloReader();
  for (let end = 0; end <= all.length; end += 7) {
    const moved = new Uint8Array(all.length + end + 10).fill(0x16);
    moved.set(all.subarray(0, end), end);
    reader.read(moved, end, end + end);
  }
  assertEquals(reader.read(all, 0, all.length), "done");
  assertEquals(reader.serverName, "a.example");
});

Deno.test("a ClientHello may lie in records of any size but none (RFC 8446 §5.1)", () => {
  const whole = helloMessage("a.example", USUAL + ECH);
  for (const size of [1, 2, 3, 4, 5, 37, 500, whole.length - 1, whole.length]) {
    assertEquals(read(records(whole, size)).serverName, "a.example", `records of ${size} bytes`);
  }
  assertInvalid(
    record(whole.slice(0, 10)) + record("") + record(whole.slice(10)),
    "one of its records is empty",
  );
  assertInvalid(record(""), "one of its records is empty");
});

Deno.test("what follows the ClientHello in a record of its own is not looked at", () => {
  for (const rest of ["\x14\x03\x03\0\x01\x01", hello("b.example"), "GET / HTTP/1.1\r\n", "\0"]) {
    const reader = read(hello("a.example") + rest);
    assertEquals([reader.state, reader.serverName], ["done", "a.example"]);
  }
});

Deno.test("what is decided stays decided, whatever else comes", () => {
  for (const text of [hello("a.example"), hello(""), "GET /"]) {
    const reader = read(text);
    const before = short(reader);
    const other = bytes(hello("b.example"));
    reader.read(other, 0, other.length);
    assertEquals(short(reader), before);
  }
});

Deno.test("the work is linear in the bytes, and nothing behind the end is looked at", () => {
  const whole = helloMessage("a.example", USUAL + extension(21, "\0".repeat(40_000)));
  for (const text of [records(whole, 16_384), records(whole, 13)]) {
    let looks = 0;
    let end = 0;
    const all = bytes(text.slice(0, MAX_CLIENT_HELLO));
    const buffer = new Proxy(all, {
      get(target, key) {
        if (key === "subarray") {
          return (from: number, to: number) => {
            assert(to <= end);
            looks += to - from;
            return target.subarray(from, to);
          };
        }
        if (typeof key === "string" && /^[0-9]+$/.test(key)) {
          assert(Number(key) < end, "behind the end");
          looks++;
        }
        return Reflect.get(target, key, target);
      },
    });
    for (const step of [1, 100, 1460, all.length]) {
      looks = 0;
      const reader = new ClientHelloReader();
      for (end = 0; reader.state === "more" && end < all.length;) {
        end = Math.min(end + step, all.length);
        reader.read(buffer, 0, end);
      }
      assert(reader.state !== "more");
      // each call looks at the five bytes of the header of the record under way
      const most = 2 * all.length + 6 * Math.ceil(all.length / step);
      assert(looks <= most, `${looks} looks at ${all.length} bytes in steps of ${step}`);
    }
  }
});

// what is not TLS

Deno.test("what is not TLS is told by its first byte that is not", () => {
  for (
    const text of [
      "GET / HTTP/1.1\r\n",
      "SSH-2.0-OpenSSH",
      "\x05\x01\0",
      "\0",
      "\x13\x03\x03",
      "\x19\x03\x03",
      "\x7f",
    ]
  ) {
    assertEquals(read(text[0]).state, "not_tls", JSON.stringify(text));
  }
});

Deno.test("nothing is neither, and not begun", () => {
  assertEquals([read("").state, read("").begun], ["more", false]);
});

// lies

Deno.test("a record that holds another message than a ClientHello is invalid", () => {
  for (const type of [0, 2, 11, 22, 255]) {
    assertInvalid(record(message(body(), type)), "it is another message");
    assertEquals(read(record(message(body(), type)).slice(0, 6)).state, "invalid", "told by the type alone");
  }
});

Deno.test("a record may not go on behind the ClientHello (RFC 8446 §5.1)", () => {
  const whole = helloMessage("a.example");
  assertInvalid(record(whole + "\0"), "its record goes on behind it");
  assertInvalid(record(whole + helloMessage("b.example")), "its record goes on behind it");
  assertInvalid(record(whole.slice(0, 50)) + record(whole.slice(50) + "x"), "its record goes on behind it");
});

Deno.test("no record of another kind stands within a ClientHello (RFC 8446 §5.1)", () => {
  const whole = helloMessage("a.example");
  for (const other of ["\x15\x03\x03\0\x02\x01\0", "\x14\x03\x03\0\x01\x01", "GET /"]) {
    assertInvalid(record(whole.slice(0, 50)) + other, "something else comes before its end");
  }
});

Deno.test("records and ClientHellos are bounded", () => {
  assertInvalid(record("\x01", 0x0301, 16_385), "one of its records has more than 16384 bytes");
  const fault = `it has more than ${MAX_CLIENT_HELLO} bytes`;
  const padded = (size: number) => helloMessage("a.example", extension(21, "\0".repeat(size)));
  const overhead = padded(0).length + 4 * 5;
  assertEquals(read(records(padded(MAX_CLIENT_HELLO - overhead), 16_384)).serverName, "a.example");
  assertInvalid(records(padded(MAX_CLIENT_HELLO - overhead + 1), 16_384), fault);
  // said by the message's header, before anything of it has come
  assertInvalid(record(message("", 1, 0xffffff)), fault);
  assertInvalid(record(message("", 1, MAX_CLIENT_HELLO - 8)), fault);
  // tiny records bring more headers than bytes
  assertInvalid(records(padded(40_000), 1), fault);
});

const FAULTY_PARTS: [fault: string, HelloParts][] = [
  ["its version is none of TLS", { version: 0x0203 }],
  ["its session identifier is too long", { session: "s".repeat(33) }],
  ["its list of cipher suites has no such length", { suites: "" }],
  ["its list of cipher suites has no such length", { suites: "abc" }],
  ["it has no compression method", { compression: "" }],
  ["something follows its extensions", { extensions: vector(2, USUAL) + "x" }],
  ["its list of extensions is longer than what holds it", { extensions: vector(2, USUAL, USUAL.length + 1) }],
  ["something follows its extensions", { extensions: vector(2, USUAL, USUAL.length - 1) }],
  ["it breaks off within a number", { extensions: "\0" }],
  ["it breaks off within a number", { extensions: vector(2, USUAL + "\0") }],
  ["it breaks off within a number", { extensions: vector(2, USUAL + "\0\x15\0") }],
  ["its extension is longer than what holds it", { extensions: vector(2, extension(21, "", 1)) }],
  ["its extension 21 is there twice", {
    extensions: vector(2, extension(21, "") + USUAL + extension(21, "")),
  }],
  ["its extension 0 is there twice", {
    extensions: vector(2, serverNames("a.example") + serverNames("a.example")),
  }],
];

Deno.test("lengths that do not fit, and what is there twice, make a ClientHello invalid (RFC 8446 §4.1.2, §4.2)", () => {
  for (const [fault, parts] of FAULTY_PARTS) assertInvalid(record(message(body(parts))), fault);
});

Deno.test("a ClientHello that ends anywhere before its end is invalid", () => {
  const whole = body({ extensions: vector(2, serverNames("a.example")) });
  // without any extension it would be whole
  const bare = body({ extensions: "" }).length;
  for (let length = 0; length < whole.length; length++) {
    const { state, serverName } = read(record(message(whole.slice(0, length))));
    assertEquals([state, serverName], [length === bare ? "done" : "invalid", null], `${length} bytes`);
  }
});

// names

Deno.test("a name is taken in its canonical form: capitals and a final dot make no difference", () => {
  for (const name of ["a.example", "A.EXAMPLE", "a.example.", "A.Example."]) {
    assertEquals(named(name).serverName, "a.example");
  }
  assertEquals(named("XN--Bcher-KVA.example").serverName, "xn--bcher-kva.example");
  assertEquals(named("under_score.example").serverName, "under_score.example");
});

Deno.test("the text of an IPv4 address is a name like any other", () => {
  assertEquals(named("192.0.2.1").serverName, "192.0.2.1");
});

Deno.test("a name that no host has is invalid", () => {
  for (
    const name of [
      "a.example\0",
      "a.example\0.b.example",
      "a..example",
      ".a.example",
      ".",
      "a example",
      "a.example:443",
      "user@a.example",
      "*.example",
      "%61.example",
      "[::1]",
      "::1",
      "b\xc3\xbccher.example",
      "b\xfccher.example",
      "\xef\xbc\xa1.example",
      "a.example\n",
      `${"a".repeat(64)}.example`,
      "a.".repeat(126) + "ab",
    ]
  ) {
    assertEquals([named(name).state, named(name).serverName], ["invalid", null], JSON.stringify(name));
  }
  assertInvalid(hello("b\xfccher"), 'its server name "b<U+00FC>cher" is not the name of a host');
  assertInvalid(hello("a".repeat(255)), "its server name is longer than any host's");
  assertInvalid(hello(""), "its server name is empty");
});

Deno.test("the list of server names holds one host and nothing else", () => {
  const named = (content: string) => record(message(body({ extensions: vector(2, extension(0, content)) })));
  const name = "\0" + vector(2, "a.example");
  assertEquals(read(named(vector(2, name))).serverName, "a.example");
  assertInvalid(hello("x", serverNames("y")), "its extension 0 is there twice");
  assertInvalid(named(vector(2, name + name)), "it names more than one server");
  assertInvalid(named(vector(2, name + "\x01" + vector(2, "x"))), "it names more than one server");
  assertInvalid(named(vector(2, "\x01" + vector(2, "a.example"))), "its server name is not that of a host");
  assertInvalid(named(vector(2, "\x01" + vector(2, "x") + name)), "its server name is not that of a host");
  assertInvalid(named(vector(2, "")), "its list of server names is empty");
  assertInvalid(named(""), "it breaks off within a number");
  assertInvalid(named(vector(2, name) + "x"), "something follows its list of server names");
  assertInvalid(
    named(vector(2, name, name.length + 1)),
    "its list of server names is longer than what holds it",
  );
  assertInvalid(
    named(vector(2, "\0" + vector(2, "a.example", 10))),
    "its server name is longer than what holds it",
  );
  assertInvalid(named(vector(2, "\0" + number(1, 0))), "it breaks off within a number");
});

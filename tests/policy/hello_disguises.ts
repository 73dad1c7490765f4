/**
 * ClientHellos dressed up as something else, which some TLS servers read all the same: they pass empty records, alerts
 * or other records over, do not look at the version of a record, or read the hello of SSL 2.0. As data, for the tests of
 * this room and for those over sockets.
 */

export interface HelloDisguise {
  readonly name: string;
  /** What stands before a ClientHello. */
  readonly before: string;
  /** Whether the first byte or two tell, with which other protocols may begin too, or only those behind them. */
  readonly told: "first bytes" | "later";
}

const byFirst = (name: string, before: string): HelloDisguise => ({ name, before, told: "first bytes" });
const later = (name: string, before: string): HelloDisguise => ({ name, before, told: "later" });

const KINDS: readonly [name: string, type: string][] = [
  ["a change of cipher", "\x14"],
  ["an alert", "\x15"],
  ["application data", "\x17"],
  ["a heartbeat", "\x18"],
];

export const HELLO_DISGUISES: readonly HelloDisguise[] = [
  ...KINDS.flatMap(([name, type]) => [
    byFirst(`${name}, empty`, `${type}\x03\x01\0\0`),
    byFirst(`${name} of one byte`, `${type}\x03\x03\0\x01\x01`),
    byFirst(`${name} of two bytes`, `${type}\x03\x01\0\x02\x01\0`),
    byFirst(`${name} of many bytes`, `${type}\x03\x03\x01\0${"\0".repeat(256)}`),
    byFirst(`${name} of another major version`, `${type}\x7f\x01\0\x02\x01\0`),
    byFirst(`${name}, and again`, `${type}\x03\x01\0\0`.repeat(3)),
  ]),
  ...["\0", "\x01", "\x02", "\x04", "\x10", "\x7f", "\xfe", "\xff"].map((major) =>
    byFirst(`an empty handshake of major version ${major.charCodeAt(0)}`, `\x16${major}\x01\0\0`)
  ),
  later("an empty handshake", "\x16\x03\x01\0\0"),
  later("a request to begin", "\x16\x03\x01\0\x04\0\0\0\0"),
  later("a part of a ClientHello and an alert", "\x16\x03\x01\0\x01\x01\x15\x03\x01\0\0"),
  later("a part of a ClientHello and an empty part", "\x16\x03\x01\0\x01\x01\x16\x03\x01\0\0"),
  byFirst("a ClientHello of SSL 2.0", "\x80\x2e\x01\x03\x01\0\x15\0\0\0\x10"),
  byFirst("a long one of SSL 2.0", "\xff\xff\x01\x03\x03"),
];

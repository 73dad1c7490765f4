/**
 * Targets that try to be taken for others: what each of them has to become, before a rule is asked and a name looked
 * up. As data, for the tests of this room and for those over sockets.
 */

import type { Scope } from "../../src/policy/address_scope.ts";

export interface Disguise {
  /** `host:port` as a client writes it: after CONNECT, and behind `http://`. Text; on the wire it is UTF-8. */
  readonly target: string;
  readonly becomes: Refused | Address | Name;
}

/** It is answered with 400: no two programs read it alike. */
type Refused = "refused";

export interface Address {
  /** The canonical address. */
  readonly address: string;
  /** The scope that it is judged by. */
  readonly scope: Scope;
}

export interface Name {
  /** The canonical name, which rules see, and of which every address is judged. */
  readonly name: string;
}

const refused = (...targets: string[]): Disguise[] =>
  targets.map((target) => ({ target, becomes: "refused" }));

const address = (scope: Scope, ...pairs: [target: string, address: string][]): Disguise[] =>
  pairs.map(([target, address]) => ({ target, becomes: { address, scope } }));

const name = (name: string, ...targets: string[]): Disguise[] =>
  targets.map((target) => ({ target, becomes: { name } }));

export const DISGUISES: readonly Disguise[] = [
  // IPv4 addresses as inet_aton reads them, and as others do not
  ...refused(
    "0x7f.1:80",
    "0x7f.0.0.1:80",
    "0x7f000001:80",
    "0X7F000001:80",
    "2130706433:80",
    "017700000001:80",
    "127.1:80",
    "127.0.1:80",
    "0177.0.0.1:80",
    "0177.0.0.01:80",
    "127.0.0.01:80",
    "127.0.0.0x1:80",
    "0xa9.0xfe.0xa9.0xfe:80",
    "0xa9fea9fe:80",
    "0251.0376.0251.0376:80",
    "0251.254.0xa9.254:80",
    "169.254.43518:80",
    "169.16689662:80",
    "2852039166:80",
    "4294967296:80",
    "18446744073709551617:80",
    "127.0.0.256:80",
    "127.0.0.1.:80",
    "169.254.169.254.:80",
    "1.1.1.1.1:80",
    "0:80",
    "0.:80",
    "0x:80",
    "0x0:80",
    "a.0x7f000001:80",
    "example.1:80",
    "127.0.0.1..:80",
    "127..0.0.1:80",
    ".127.0.0.1:80",
  ),
  // digits and dots of other scripts
  ...refused(
    "１２７.０.０.１:80",
    "127。0。0。1:80",
    "127．0．0．1:80",
    "127｡0｡0｡1:80",
    "①②⑦.⓪.⓪.①:80",
    "１６９．２５４．１６９．２５４:80",
    "𝟏𝟐𝟕.𝟎.𝟎.𝟏:80",
    "0ｘ7f.1:80",
    "²¹³⁰⁷⁰⁶⁴³³:80",
    "127.0.0.1\u200b:80",
    "127.0.0.1\u00ad:80",
    "１２７.1:80",
    "127.0.0.1。:80",
  ),
  // bytes that end a name for some readers
  ...refused(
    "example.com\0:80",
    "example.com\0.evil.test:80",
    "127.0.0.1\0.example.com:80",
    "example.com%00:80",
    "example.com%00.evil.test:80",
    "%31%32%37.0.0.1:80",
    "ex%61mple.com:80",
    "127%2e0%2e0%2e1:80",
    "example.com%2f.evil.test:80",
    "example.com%40evil.test:80",
    "example.com\\.evil.test:80",
    "example.com\\@evil.test:80",
    "example.com,evil.test:80",
    "example.com;evil.test:80",
    "example.com&evil.test:80",
    "*.example.com:80",
    "*:80",
    "(example.com):80",
    "{127.0.0.1}:80",
    "<example.com>:80",
    "'example.com':80",
    '"example.com":80',
    "example.com\x7f:80",
    "example.com\x0b:80",
    "exam!ple.com:80",
  ),
  // user information, and a port that is none
  ...refused(
    "user@example.com:80",
    "user:pass@example.com:80",
    "example.com@evil.test:80",
    "example.com:80@evil.test:80",
    "example.com:80@127.0.0.1:80",
    "@127.0.0.1:80",
    ":@127.0.0.1:80",
    "example.com%40127.0.0.1:80",
    "example.com＠evil.test:80",
    "example.com:+80",
    "example.com:-80",
    "example.com:080",
    "example.com:0",
    "example.com:65536",
    "example.com:4294967376", // 80 in 32 bits
    "example.com:8e1",
    "example.com:0x50",
    "example.com:８０",
    "example.com:80:80",
    "example.com:80:443",
    "example.com::80",
    "example.com:80,443",
    ":80",
    ".:80",
    "..:80",
    "example..com:80",
    ".example.com:80",
    "example.com..:80",
    "example.com：80:80",
  ),
  // IPv6 in spellings of which not all programs know what is meant
  ...refused(
    "::1:80",
    "::ffff:127.0.0.1:80",
    "[::1%25lo]:80",
    "[::1%lo]:80",
    "[fe80::1%25eth0]:80",
    "[fe80::1%eth0]:80",
    "[fe80::1%1]:80",
    "[::ffff:127.1]:80",
    "[::ffff:0x7f.0.0.1]:80",
    "[::ffff:0177.0.0.1]:80",
    "[::ffff:127.0.0.01]:80",
    "[::ffff:2130706433]:80",
    "[127.0.0.1]:80",
    "[localhost]:80",
    "[v1.127.0.0.1]:80",
    "[vF.::1]:80",
    "[[::1]]:80",
    "[::1]]:80",
    "[::1:80",
    "::1]:80",
    "[]:80",
    "[:]:80",
    "[:::]:80",
    "[::1].:80",
    "[::1].example.com:80",
    "[::1]@evil.test:80",
    "[::1]evil.test:80",
    "[::1]:+80",
    "[1::2::3]:80",
    "[0:0:0:0:0:0:0:0:1]:80",
    "[00000::1]:80",
    "[::１]:80",
    "[ ::1]:80",
    "[::1 ]:80",
  ),
  // addresses that are what they are, however they are written
  ...address("loopback", ["127.0.0.1:80", "127.0.0.1"], ["127.255.255.254:80", "127.255.255.254"]),
  ...address(
    "unspecified",
    ["[::2]:80", "::2"], // IPv4-compatible 0.0.0.2
    ["0.0.0.0:80", "0.0.0.0"],
    ["0.0.0.1:80", "0.0.0.1"],
    ["[::]:80", "::"],
    ["[0:0:0:0:0:0:0:0]:80", "::"],
    ["[::0.0.0.0]:80", "::"],
    ["[::ffff:0.0.0.0]:80", "::ffff:0.0.0.0"],
    ["[::ffff:0:0]:80", "::ffff:0.0.0.0"],
    ["[::ffff:0.255.0.1]:80", "::ffff:0.255.0.1"],
    ["[64:ff9b::0.0.0.0]:80", "64:ff9b::"],
    ["[2002::1]:80", "2002::1"],
  ),
  ...address(
    "loopback",
    ["[::1]:80", "::1"],
    ["[0:0:0:0:0:0:0:1]:80", "::1"],
    ["[0000:0000:0000:0000:0000:0000:0000:0001]:80", "::1"],
    ["[::0.0.0.1]:80", "::1"],
    ["[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1"],
    ["[::FFFF:7F00:1]:80", "::ffff:127.0.0.1"],
    ["[0:0:0:0:0:ffff:7f00:0001]:80", "::ffff:127.0.0.1"],
    ["[64:ff9b::7f00:1]:80", "64:ff9b::7f00:1"],
    ["[64:ff9b::127.0.0.1]:80", "64:ff9b::7f00:1"],
    ["[64:ff9b:1::7f00:1]:80", "64:ff9b:1::7f00:1"],
    ["[2002:7f00:1::]:80", "2002:7f00:1::"],
    ["[2002:7f00:0001::8.8.8.8]:80", "2002:7f00:1::808:808"],
    ["[2001:0:808:808::80ff:fffe]:80", "2001:0:808:808::80ff:fffe"], // Teredo, client inverted
    ["[2001:0:7f00:1::f7f7:f7f7]:80", "2001:0:7f00:1::f7f7:f7f7"], // Teredo, server
    ["[2606:4700::5efe:127.0.0.1]:80", "2606:4700::5efe:7f00:1"], // ISATAP
    ["[2606:4700::200:5efe:127.0.0.1]:80", "2606:4700::200:5efe:7f00:1"],
    ["[2002:808:808::5efe:7f00:1]:80", "2002:808:808::5efe:7f00:1"], // ISATAP in 6to4
  ),
  ...address(
    "metadata",
    ["169.254.169.254:80", "169.254.169.254"],
    ["[::ffff:169.254.169.254]:80", "::ffff:169.254.169.254"],
    ["[::ffff:a9fe:a9fe]:80", "::ffff:169.254.169.254"],
    ["[::169.254.169.254]:80", "::a9fe:a9fe"], // IPv4-compatible
    ["[::a9fe:a9fe]:80", "::a9fe:a9fe"],
    ["[::ffff:0:169.254.169.254]:80", "::ffff:0:a9fe:a9fe"], // IPv4-translated
    ["[64:ff9b::a9fe:a9fe]:80", "64:ff9b::a9fe:a9fe"],
    ["[64:FF9B:0:0:0:0:A9FE:A9FE]:80", "64:ff9b::a9fe:a9fe"],
    ["[64:ff9b:1::a9fe:a9fe]:80", "64:ff9b:1::a9fe:a9fe"],
    ["[64:ff9b:1:a9fe:a9:fe00::]:80", "64:ff9b:1:a9fe:a9:fe00::"],
    ["[64:ff9b:1:ffa9:fe:a9fe::]:80", "64:ff9b:1:ffa9:fe:a9fe::"],
    ["[2002:a9fe:a9fe::]:80", "2002:a9fe:a9fe::"],
    ["[2002:a9fe:a9fe::1]:80", "2002:a9fe:a9fe::1"],
    ["[2001:0:a9fe:a9fe::f7f7:f7f7]:80", "2001:0:a9fe:a9fe::f7f7:f7f7"],
    ["[2001:0:808:808::5601:5601]:80", "2001:0:808:808::5601:5601"],
    ["[fe80::5efe:a9fe:a9fe]:80", "fe80::5efe:a9fe:a9fe"],
    ["[fe80::a9fe:a9fe]:80", "fe80::a9fe:a9fe"],
    ["[fd00:ec2::254]:80", "fd00:ec2::254"],
    ["[FD00:0EC2:0:0:0:0:0:0254]:80", "fd00:ec2::254"],
    ["[fd20:ce::254]:80", "fd20:ce::254"],
    ["100.100.100.200:80", "100.100.100.200"],
    ["[::ffff:100.100.100.200]:80", "::ffff:100.100.100.200"],
    ["168.63.129.16:80", "168.63.129.16"],
    ["[64:ff9b::168.63.129.16]:80", "64:ff9b::a83f:8110"],
    ["192.0.0.192:80", "192.0.0.192"],
  ),
  ...address(
    "private",
    ["10.0.0.1:80", "10.0.0.1"],
    ["[::ffff:10.0.0.1]:80", "::ffff:10.0.0.1"],
    ["[64:ff9b::10.0.0.1]:80", "64:ff9b::a00:1"],
    ["[2002:a00:1::]:80", "2002:a00:1::"],
    ["[2002:c0a8:101::5efe:808:808]:80", "2002:c0a8:101::5efe:808:808"],
    ["100.64.0.1:80", "100.64.0.1"],
    ["[fd00::1]:80", "fd00::1"],
    ["[fec0::1]:80", "fec0::1"],
  ),
  ...address(
    "reserved",
    ["224.0.0.1:80", "224.0.0.1"],
    ["255.255.255.255:80", "255.255.255.255"],
    ["[::ffff:255.255.255.255]:80", "::ffff:255.255.255.255"],
    ["[ff02::1]:80", "ff02::1"],
    ["[::127.0.0.1]:80", "::7f00:1"], // IPv4-compatible: nowhere
  ),
  ...address("public", ["8.8.8.8:80", "8.8.8.8"], ["[::ffff:8.8.8.8]:80", "::ffff:8.8.8.8"]),
  // one name in many clothes
  ...name(
    "example.com",
    "example.com:80",
    "EXAMPLE.COM:80",
    "eXaMpLe.CoM:80",
    "example.com.:80",
    "EXAMPLE.com.:80",
    "ｅｘａｍｐｌｅ.com:80",
    "example。com:80",
    "example．com:80",
    "example｡com:80",
    "example.com。:80",
    "ⓔⓧⓐⓜⓟⓛⓔ.com:80",
    "𝐞𝐱𝐚𝐦𝐩𝐥𝐞.com:80",
    "exam\u00adple.com:80",
    "exam\u200bple.com:80",
    "example.ｃｏｍ:80",
  ),
  ...name(
    "localhost",
    "localhost:80",
    "localhost.:80",
    "LOCALHOST:80",
    "LocalHost.:80",
    "ｌｏｃａｌｈｏｓｔ:80",
  ),
  ...name("a.localhost", "a.localhost:80", "a.localhost.:80", "A.LOCALHOST:80"),
  ...name("localhost.localdomain", "localhost.localdomain:80"),
  ...name("metadata.google.internal", "metadata.google.internal:80", "METADATA.google.internal.:80"),
  ...name("127.0.0.1.nip.io", "127.0.0.1.nip.io:80"),
  ...name("0x7f.1.example.com", "0x7f.1.example.com:80"),
  // names that only look like another are names of their own, and no rule takes them for it
  ...name("xn--xample-2of.com", "еxample.com:80"), // Cyrillic е
  ...name("xn--80ak6aa92e.com", "аррӏе.com:80", "xn--80ak6aa92e.com:80", "XN--80AK6AA92E.com:80"),
  ...name(
    "xn--mnchen-3ya.de",
    "münchen.de:80",
    "MÜNCHEN.de:80",
    "mu\u0308nchen.de:80",
    "xn--mnchen-3ya.de:80",
  ),
];

import { assertEquals } from "@std/assert";
import { parseIp } from "../../src/http/ip_address.ts";
import { parseNetworks } from "../../src/policy/network.ts";
import type { PolicySpec } from "../../src/policy/spec.ts";
import { ALLOWED, decide, policy, PRIVATE_CLIENT, PUBLIC_CLIENT } from "./deciding.ts";
import { facts, rule } from "./policy_samples.ts";

Deno.test("no client reaches a network more private than its own, whatever the rules say", () => {
  const some = policy([rule({ hosts: ["*", "127.0.0.0/8", "10.0.0.0/8"], ports: ["*"] })], ALLOWED);
  const no = "deny by private networks";
  for (
    const [client, ...expected] of [
      ["127.0.0.1", "allow", "allow", "allow"],
      ["::1", "allow", "allow", "allow"],
      [PRIVATE_CLIENT, "allow", "allow", no],
      ["fd00::9", "allow", "allow", no],
      ["169.254.7.7", "allow", "allow", no], // link-local counts as private
      [PUBLIC_CLIENT, "allow", no, no],
      ["169.254.169.254", "allow", "allow", no],
      ["168.63.129.16", "allow", no, no], // from where nobody should come
    ]
  ) {
    const found = ["93.184.216.34", "192.168.1.1", "127.0.0.1"].map((address) =>
      decide(some, "a.test", { client }, address)
    );
    assertEquals(found, expected, client);
  }
});

Deno.test("private networks can be denied, allowed or listed for all clients", () => {
  const decided = (privateNetworks: PolicySpec["privateNetworks"], address: string, client: string) =>
    decide(policy([], { ...ALLOWED, privateNetworks }), "a.test", { client }, address);
  const no = "deny by private networks";
  for (const client of ["127.0.0.1", PUBLIC_CLIENT]) {
    assertEquals(decided("deny", "10.0.0.1", client), no);
    assertEquals(decided("deny", "127.0.0.1", client), no);
    assertEquals(decided("deny", "8.8.8.8", client), "allow");
    assertEquals(decided("allow", "127.0.0.1", client), "allow");
    assertEquals(decided("allow", "169.254.169.254", client), "deny by metadata addresses");
    const listed = parseNetworks("10.1.0.0/16");
    assertEquals(decided(listed, "10.1.2.3", client), "allow");
    assertEquals(decided(listed, "10.2.0.1", client), no);
    assertEquals(decided(listed, "127.0.0.1", client), no);
    assertEquals(decided(listed, "8.8.8.8", client), "allow");
    assertEquals(decided(listed, "64:ff9b::10.1.2.3", client), "allow");
    assertEquals(decided(listed, "2002:a01:203::1", client), "allow", "all that it may mean is listed");
    assertEquals(decided(listed, "2002:a01:203::5efe:7f00:1", client), no, "127.0.0.1 is not");
    assertEquals(decided(parseNetworks("all"), "169.254.169.254", client), "deny by metadata addresses");
  }
});

Deno.test("metadata and reserved addresses are reached by a rule that names the one address and the port", () => {
  for (
    const [address, station] of [
      ["169.254.169.254", "metadata addresses"],
      ["169.254.7.7", "metadata addresses"],
      ["fd00:ec2::254", "metadata addresses"],
      ["fe80::1", "metadata addresses"],
      ["100.100.100.200", "metadata addresses"],
      ["168.63.129.16", "metadata addresses"],
      ["192.0.2.1", "reserved addresses"],
      ["ff02::1", "reserved addresses"],
    ]
  ) {
    const decided = (words: Parameters<typeof rule>[0]) =>
      decide(policy([rule(words)], { ...ALLOWED, privateNetworks: "allow" }), "a.test", {}, address);
    assertEquals(decided({ hosts: [address], ports: ["80"] }), "allow", address);
    for (
      const words of [
        { hosts: [address] },
        { hosts: [address], ports: ["81"] },
        { hosts: ["*"], ports: ["80"] },
        { hosts: ["a.test"], ports: ["80"] },
        { hosts: address.includes(":") ? ["::/0"] : ["0.0.0.0/0"], ports: ["80"] },
      ]
    ) assertEquals(decided(words), `deny by ${station}`, `${address} ${JSON.stringify(words)}`);
  }
});

Deno.test("who is refused a metadata address is told which line would allow it", () => {
  const reason = (address: string) => policy([], ALLOWED).decide(facts("a.test:80"), parseIp(address)).reason;
  assertEquals(
    reason("169.254.169.254"),
    '169.254.169.254 is a metadata address: only a rule with hosts = ["169.254.169.254"] and ports = [80] allows it',
  );
  assertEquals(
    reason("2002:a9fe:a9fe::"),
    "2002:a9fe:a9fe::, which leads to 169.254.169.254, is a metadata address: " +
      'only a rule with hosts = ["2002:a9fe:a9fe::"] and ports = [80] allows it',
  );
});

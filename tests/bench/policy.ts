/** A policy to measure weir with: twenty rules of all kinds, one of them with a list of a million names. */

const NAMES = 1_000_000;

/** The rules that are tried for every request, those that are for others, and the last, which lets the origin be. */
const RULES = [
  `name = "listed"\naction = "deny"\nhosts = ["@names.txt"]`,
  `name = "no traces"\naction = "deny"\nmethods = ["TRACE", "CONNECT"]\nports = [25, 465, 587]`,
  `name = "no administration"\naction = "deny"\npaths = ["/admin/*", "/*/.git/*"]`,
  `name = "a machine"\naction = "deny"\nclients = ["192.0.2.0/24", "2001:db8::/32"]`,
  `name = "no writing"\naction = "deny"\nhosts = ["*.example.net", "10.0.0.0/8"]\nmethods = ["POST", "PUT"]`,
  ...Array.from({ length: 14 }, (_, index) =>
    `name = "service ${index}"\naction = "allow"\n` +
    `hosts = ["service-${index}.example.com", "*.${index}.example.org"]\nports = [443, "8000-8999"]`),
  `name = "the origin"\naction = "allow"\nhosts = ["127.0.0.1"]\nmethods = ["GET", "PUT", "POST", "CONNECT"]\n` +
  // tunnels without TLS are measured too, past the rules that look at paths
  `tls = "any"`,
];

/** Writes the policy and its list into a folder, and gives the path of the one. */
export async function writePolicy(folder: string): Promise<string> {
  const names = Array.from(
    { length: NAMES },
    (_, index) => `${index.toString(36)}.tracker-${index % 977}.example\n`,
  );
  await Deno.writeTextFile(`${folder}/names.txt`, names.join(""));
  const path = `${folder}/weir.toml`;
  await Deno.writeTextFile(path, RULES.map((rule) => `[[rule]]\n${rule}\n`).join("\n"));
  return path;
}

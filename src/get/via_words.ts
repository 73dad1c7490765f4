/** What `Via` (RFC 9110 §7.6.3) means, in words. */

const MEMBER = /^(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)\/)?([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]+([^ \t()]+)/;
/** More are not told one by one. */
const MAX_MEMBERS = 16;

/** The proxies on the way, the nearest to the sender first. Unescaped text of the network is in it. */
export function viaWords(value: string): string[] {
  const members = membersOf(value);
  const known = members.slice(0, MAX_MEMBERS).map((member) => {
    const match = MEMBER.exec(member);
    if (match === null) return "somebody whose entry cannot be read";
    const [, protocol = "HTTP", version, by] = match;
    return `${by}, which got it by ${protocol}/${version}`;
  });
  const more = members.length - known.length;
  if (members.length === 0) return [];
  if (members.length === 1) return [`it passed ${known[0]}`];
  return [
    `it passed ${members.length} proxies:`,
    ...known.map((each, index) => `${index + 1}. ${each}`),
    ...more > 0 ? [`and ${more} more`] : [],
  ];
}

/** Split at commas that do not stand in a comment. */
function membersOf(value: string): string[] {
  const members: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i <= value.length; i++) {
    const character = value[i];
    if (character === "(") depth++;
    else if (character === ")") depth = Math.max(0, depth - 1);
    else if (depth > 0 && character === "\\") i++;
    if (i < value.length && (character !== "," || depth > 0)) continue;
    const member = value.slice(from, i).trim();
    if (member !== "") members.push(member);
    from = i + 1;
  }
  return members;
}

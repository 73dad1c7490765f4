/** Changes one user's line in a file of users, and nothing else of it. */

const MARK = "\u{feff}";

/**
 * The text of a file in which a user has another hash: in the place of the old one, or at the end. Every other line
 * stays as it is, comments too.
 *
 * @param hash `null` takes the user out
 * @returns the text, and whether the user was in it
 */
export function withUser(
  text: string,
  user: string,
  hash: string | null,
): { text: string; found: boolean } {
  const mark = text.startsWith(MARK) ? MARK : "";
  const lines = text.slice(mark.length).split(/(?<=\n)/);
  const kept: string[] = [];
  let found = false;
  for (const line of lines) {
    if (!line.startsWith(`${user}:`)) {
      kept.push(line);
      continue;
    }
    if (!found && hash !== null) kept.push(`${user}:${hash}${/\r?\n$/.exec(line)?.[0] ?? "\n"}`);
    found = true;
  }
  if (!found && hash !== null) {
    const end = lines[0]?.endsWith("\r\n") ? "\r\n" : "\n";
    const last = kept.at(-1) ?? "";
    if (last !== "" && !last.endsWith("\n")) kept.push(end);
    kept.push(`${user}:${hash}${end}`);
  }
  return { text: mark + kept.join(""), found };
}

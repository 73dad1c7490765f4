const LONGEST = 60;

/** What somebody wrote, as a message may show it: short, and without what a terminal would obey. */
export function printable(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return short.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)!.toString(16)}}`;
  });
}

/** The same in quotes. */
export function quote(text: string): string {
  return `"${printable(text)}"`;
}

import { withoutPassword } from "../http/user_information.ts";

const LONGEST = 60;

/**
 * Text of a user's, as a message may show it: short, without the password of a URL, and without what a terminal
 * would obey.
 */
export function printable(text: string): string {
  const shown = withoutPassword(text);
  const short = shown.length > LONGEST ? `${shown.slice(0, LONGEST)}…` : shown;
  return short.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)!.toString(16)}}`;
  });
}

/** The same in quotes. */
export function quote(text: string): string {
  return `"${printable(text)}"`;
}

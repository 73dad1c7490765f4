/**
 * A text as TOML writes it. JSON's escapes are TOML's too; what a terminal would obey and what would not be seen is
 * escaped besides.
 */
export function tomlString(text: string): string {
  return JSON.stringify(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}

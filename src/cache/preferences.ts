/** Members of lists of preferences with their weights (RFC 9110 §12.4.2). */

/** What a member of a list of preferences names, and its weight in thousandths; `null` for one that is malformed. */
export function choiceOf(member: string): [string, number | null] {
  const semicolon = member.indexOf(";");
  if (semicolon < 0) return [member, 1000];
  return [trimmed(member.slice(0, semicolon)), weightOf(trimmed(member.slice(semicolon + 1)))];
}

/** Reads `q=0.5` (RFC 9110 §12.4.2) as 500; `null` for what is none. */
function weightOf(text: string): number | null {
  const number = text.slice(2);
  if (!text.startsWith("q=") || number.length < 1 || number.length > 5) return null;
  if (number[0] !== "0" && number[0] !== "1" || number.length > 1 && number[1] !== ".") return null;
  let weight = number[0] === "1" ? 1000 : 0;
  for (let i = 2, worth = 100; i < number.length; i++, worth /= 10) {
    const digit = number.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return null;
    weight += digit * worth;
  }
  return weight > 1000 ? null : weight;
}

/** The text without spaces and tabs around it. Others that are white space elsewhere are none in a field. */
export function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && (text[from] === " " || text[from] === "\t")) from++;
  while (to > from && (text[to - 1] === " " || text[to - 1] === "\t")) to--;
  return text.slice(from, to);
}

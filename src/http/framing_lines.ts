/**
 * The framing fields of an odd response, brought to the one form of those that mean one thing. Those that could mean
 * two stay as they are, and {@link responseFraming} refuses them.
 */

type Line = [name: string, value: string];

const CODING = "transfer-encoding";
const LENGTH = "content-length";

/**
 * The lines with one `Transfer-Encoding: chunked`, one `Content-Length` or neither, and what was odd. Equal lengths are
 * one (RFC 9112 §6.3 step 5); `identity` and empty members of the list of codings say nothing; chunks decide over a
 * valid length (step 3).
 */
export function canonicalFraming(lines: readonly Line[]): { lines: readonly Line[]; odd: readonly string[] } {
  const codings = membersOf(lines, CODING);
  const lengths = membersOf(lines, LENGTH);
  if (codings === null && lengths === null) return { lines, odd: [] };
  const [length] = lengths ?? [];
  if (lengths !== null && !(/^[0-9]+$/.test(length) && lengths.every((each) => each === length))) {
    return { lines, odd: [] };
  }
  const odd: string[] = [];
  let chunked = 0;
  for (const coding of codings ?? []) {
    const lower = coding.toLowerCase();
    if (lower === "chunked") chunked++;
    else if (lower === "identity") odd.push("Transfer-Encoding: identity");
    else if (lower === "") odd.push("empty member in Transfer-Encoding");
    else return { lines, odd: [] };
  }
  if (chunked > 1) odd.push("chunked more than once");
  if (chunked > 0 && lengths !== null) odd.push("Content-Length with chunked");
  if (lengths !== null && lengths.length > 1) odd.push("Content-Length more than once");
  if (odd.length === 0) return { lines, odd };
  const left = new Map([[CODING, chunked > 0 ? "chunked" : ""], [LENGTH, chunked > 0 ? "" : length ?? ""]]);
  return {
    odd,
    lines: lines.flatMap(([name, value]) => {
      const lower = name.toLowerCase();
      const once = left.get(lower);
      if (once === undefined) return [[name, value]];
      left.set(lower, "");
      return once === "" ? [] : [[name, once]];
    }),
  };
}

/** The members of all fields of a name, without white space around them; `null` where there is no such field. */
function membersOf(lines: readonly Line[], name: string): string[] | null {
  const values = lines.filter((line) => line[0].toLowerCase() === name).map((line) => line[1]);
  return values.length === 0 ? null : values.flatMap((value) => value.split(",")).map(trimmed);
}

/** Without spaces and tabs around it. By hand: a pattern for its end would go over white space inside again and again. */
function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && (text[start] === " " || text[start] === "\t")) start++;
  while (end > start && (text[end - 1] === " " || text[end - 1] === "\t")) end--;
  return text.slice(start, end);
}

/** Fields of a stored response, which are lines, read by their names. */

import type { FieldLine, Fields } from "./stored_response.ts";

/**
 * The values of all lines of a name, joined by `, ` (RFC 9110 §5.3); `""` when there is none.
 *
 * @param name in lower case
 */
export function fieldOf(lines: readonly FieldLine[], name: string): string {
  let joined: string | null = null;
  for (const [written, value] of lines) {
    if (written.length !== name.length || written !== name && written.toLowerCase() !== name) continue;
    joined = joined === null ? value : `${joined}, ${value}`;
  }
  return joined ?? "";
}

/** Lines as {@link Fields}. */
export function fieldsOf(lines: readonly FieldLine[]): Fields {
  return { field: (name) => fieldOf(lines, name) };
}

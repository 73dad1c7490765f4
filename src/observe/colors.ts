/** Colours of a terminal (ECMA-48 SGR), few and quiet: what went well recedes, what did not stands out. */

export const DIM = "2";
export const BOLD = "1";
export const RED = "31";
export const GREEN = "32";
export const YELLOW = "33";
export const MAGENTA = "35";
export const CYAN = "36";

/** A text in a colour, or as it is when there are none. */
export function paint(colors: boolean, color: string, text: string): string {
  return colors ? `\x1b[${color}m${text}\x1b[0m` : text;
}

/** The colour of a status by its class. */
export function statusColor(status: number): string {
  if (status >= 500 || status === 0) return RED;
  if (status >= 400) return YELLOW;
  if (status >= 300) return CYAN;
  return status >= 200 ? GREEN : MAGENTA;
}

/** What of a response's head is stored, in memory of its own. */

import type { FieldLine } from "../../cache/stored_response.ts";
import { formatDate } from "../../http/date.ts";
import { Field } from "../../http/field_names.ts";
import { copyOf } from "../../http/text.ts";
import type { Response } from "../response.ts";

/** The fields of a response that belong to more than one hop, with a `Date` in any case: `now` by the system's clock. */
export function linesOf(response: Response, now: number): FieldLine[] {
  const { head, options } = response;
  const lines: FieldLine[] = [];
  for (let index = 0; index < head.count; index++) {
    if (!options.removes(head, index)) lines.push([copyOf(head.name(index)), copyOf(head.value(index))]);
  }
  if (head.find(Field.Date) < 0) lines.push(["Date", formatDate(now)]);
  return lines;
}

/** The origin's reason phrase. */
export function reasonOf({ head, reasonStart }: Response): string {
  return copyOf(head.text(reasonStart, head.startLineEnd));
}

/**
 * The one table of the seven rates. The options of clients and of users, their sections in the file and a rule's
 * `rates` come from it.
 */

import { NO_LIMITS, type RateLimits } from "../policy/rates.ts";
import type { IntegerOption, SizeOption } from "./option.ts";

const TIB = 2 ** 40;

type Rate =
  & Pick<IntegerOption | SizeOption, "type" | "word" | "most" | "help">
  & { readonly name: keyof RateLimits };

export const RATES = [
  { name: "requests", type: "integer", word: "N", most: 1_000_000, help: "Requests a second, over time" },
  { name: "burst", type: "integer", word: "N", most: 1_000_000, help: "Requests that may come at once" },
  { name: "exchanges", type: "integer", word: "N", most: 1_000_000, help: "Exchanges at the same time" },
  { name: "up", type: "size", word: "SIZE", most: TIB, help: "Bytes a second towards origins" },
  { name: "down", type: "size", word: "SIZE", most: TIB, help: "Bytes a second from origins" },
  { name: "hourly", type: "size", word: "SIZE", most: 1024 * TIB, help: "Bytes an hour, both ways" },
  { name: "daily", type: "size", word: "SIZE", most: 1024 * TIB, help: "Bytes a day, both ways" },
] as const satisfies readonly Rate[];

/** Those who are counted one by one, with a section of the file for each kind. */
export type Counted = "client" | "user";

interface RateRow<Who extends Counted, Name extends string> {
  readonly flag: `${Who}-${Name}`;
  readonly key: `${Who}-rates.${Name}`;
  readonly group: string;
  readonly word: string;
  readonly default: 0;
  readonly least: 0;
  readonly most: number;
  readonly zero: string;
  readonly help: string;
  readonly commands: readonly string[];
}

/** The row of an option for one rate. */
type RateOption<Who extends Counted, R = (typeof RATES)[number]> = R extends
  { name: infer Name extends string; type: infer Type } ? RateRow<Who, Name> & { readonly type: Type }
  : never;

/** The rows of the table of options for each client or each user. */
export function rateOptions<Who extends Counted>(who: Who, group: string): RateOption<Who>[] {
  return RATES.map(({ name, help, ...rate }) => ({
    ...rate,
    flag: `${who}-${name}`,
    key: `${who}-rates.${name}`,
    group,
    default: 0,
    least: 0,
    zero: zeroOf(name),
    help: `Each ${who}'s ${help[0].toLowerCase()}${help.slice(1)}`,
    commands: ["serve", "replay", "why"],
  })) as unknown as RateOption<Who>[];
}

/** What 0 means. */
export function zeroOf(name: keyof RateLimits): string {
  return name === "burst" ? "as many as in a second" : "no limit";
}

/** The limits for each client or each user. */
export function rateLimitsOf(values: Readonly<Record<string, unknown>>, who: Counted): RateLimits {
  const limits: Record<string, unknown> = { ...NO_LIMITS };
  for (const { name } of RATES) limits[name] = values[`${who}-${name}`] ?? 0;
  return limits as unknown as RateLimits;
}

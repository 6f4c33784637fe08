import type { Chance } from "@millwright/core/ports";
import type { Problem } from "@millwright/provider/problem";
import { failure, problem } from "@millwright/provider/problem";
import { below, shuffled } from "./chances.ts";

/** What a random text is made of. */
export interface TextWishes {
  readonly length: number;
  readonly upper: boolean;
  readonly lower: boolean;
  readonly numeric: boolean;
  readonly special: boolean;
  readonly min_upper: number;
  readonly min_lower: number;
  readonly min_numeric: number;
  readonly min_special: number;
  readonly override_special: string | null;
}

const kinds = {
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  lower: "abcdefghijklmnopqrstuvwxyz",
  numeric: "0123456789",
  special: "!@#$%&*()-_=+[]{}<>:?",
} as const;

/** A text of `length` characters with at least so many of each kind, all places and characters equally likely. */
export function randomText(wishes: TextWishes, chance: Chance): string {
  const special = wishes.override_special ? wishes.override_special : kinds.special;
  const sets = { ...kinds, special };
  const allowed = (Object.keys(kinds) as (keyof typeof kinds)[])
    .filter((kind) => wishes[kind])
    .map((kind) => sets[kind]);
  if (allowed.length === 0) {
    throw failure(
      "Random read error",
      "No kind of character may be used. Set at least one of upper, lower, numeric and special to true.",
    );
  }
  const least = [
    ...draw(sets.upper, wishes.min_upper, chance),
    ...draw(sets.lower, wishes.min_lower, chance),
    ...draw(sets.numeric, wishes.min_numeric, chance),
    ...draw(sets.special, wishes.min_special, chance),
  ];
  const rest = draw(allowed.join(""), wishes.length - least.length, chance);
  return shuffled([...least, ...rest], chance).join("");
}

/** The wishes that are known while planning; null where the default holds. */
type Configured = { readonly [K in keyof TextWishes]: TextWishes[K] | null | undefined };

/** What cannot be: fewer characters than are asked for, or none that may be used. `switches` are the names of one switch for digits. */
export function* checkWishes(config: Configured, switches: readonly (boolean | null | undefined)[]): Iterable<Problem> {
  const { length } = config;
  const least = [config.min_upper, config.min_lower, config.min_numeric, config.min_special];
  if (typeof length === "number" && length < 1)
    yield problem("Invalid attribute value", "The length must be at least 1.", ["length"]);
  if (typeof length === "number" && least.every((n) => n !== undefined)) {
    const sum = least.reduce<number>((total, n) => total + (n ?? 0), 0);
    if (length < sum) {
      const detail = `The length must be at least ${sum}: the sum of min_upper, min_lower, min_numeric and min_special.`;
      yield problem("Invalid attribute value", detail, ["length"]);
    }
  }
  const numeric =
    switches.includes(false) && switches.every((flag) => flag === false || flag === null) ? false : undefined;
  if ([config.upper, config.lower, config.special, numeric].every((flag) => flag === false)) {
    yield problem("Invalid attribute combination", "At least one of upper, lower, numeric and special must be true.");
  }
}

function draw(characters: string, count: number, chance: Chance): string[] {
  const all = Array.from(characters);
  return Array.from({ length: Math.max(0, count) }, () => all[below(all.length, chance)]!);
}

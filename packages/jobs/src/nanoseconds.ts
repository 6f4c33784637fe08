import { formatDuration } from "@millwright/text/duration";

/** A length of time in nanoseconds, as the API writes it. Whole seconds are exact up to 292 years. */
export type Nanoseconds = number;

export const second: Nanoseconds = 1_000_000_000;
export const minute: Nanoseconds = 60 * second;
export const hour: Nanoseconds = 60 * minute;

/** A duration as people write it: `1h30m0s`. */
export function durationText(nanoseconds: Nanoseconds): string {
  return formatDuration(BigInt(Math.trunc(nanoseconds)));
}

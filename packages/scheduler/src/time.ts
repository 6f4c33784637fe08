/** A moment: milliseconds since 1970. */
export type Moment = number;

/** A job's nanoseconds as milliseconds. */
export function milliseconds(nanoseconds: number): number {
  return nanoseconds / 1_000_000;
}

import type { Moment } from "@millwright/scheduler/time";

/** The last one that RFC 3339 has, with its four digits for a year. */
const lastMoment = Date.UTC(10_000, 0) - 1;

/** A moment as RFC 3339 has it, without zeros at its end; null for never. Nodes say times too: any number is a moment. */
export function timeJson(at: Moment | null): string | null {
  if (at === null || at === 0) return null;
  return new Date(Math.max(0, Math.min(at, lastMoment))).toISOString().replace(/\.?0*Z$/, "Z");
}

/** Milliseconds as the nanoseconds that the API has: exact in JSON, as the last digits are zeros. */
export function nanoseconds(milliseconds: number): number {
  return milliseconds * 1_000_000;
}

/** The API writes an empty list and an empty map as null. */
export function orNull<T extends object>(value: T): T | null {
  return Object.keys(value).length === 0 ? null : value;
}

/** Leaves out what is empty, as the API does in some records. */
export function withoutEmpty(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return !value;
}

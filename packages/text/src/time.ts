import type { Duration } from "./duration.ts";
import { quoteBytes } from "./quote.ts";

/** An instant with the offset it is shown in. */
export interface Timestamp {
  /** Since 1970-01-01T00:00:00Z. */
  readonly nanoseconds: bigint;
  /** Seconds east of UTC. */
  readonly offset: number;
}

export type ParsedTimestamp =
  | { readonly ok: true; readonly timestamp: Timestamp }
  | ({ readonly ok: false } & TimestampFault);

/** Why a text is no timestamp, with the parts that Go's `time.ParseError` has. */
export interface TimestampFault {
  /** Go's wording: `parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"`. */
  readonly error: string;
  /** The part that was expected, by its place in Go's layout: `2006`, `-`, `01`, `02`, `T`, `15`, `:`, `04`, `05`, `Z07:00`; or empty. */
  readonly layoutElement: string;
  /** The text found there. */
  readonly valueElement: string;
  /** Whether the part was read but is not a possible value (`month out of range`), or stands behind the end. */
  readonly isOutOfRange: boolean;
}

/** A timestamp in years to nanoseconds, as a clock at its offset shows it. `weekday` is 0 for Sunday, `yearDay` 1 for January 1st. */
export interface CivilTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  readonly weekday: number;
  readonly yearDay: number;
}

const rfc3339 = "2006-01-02T15:04:05Z07:00";

/**
 * Reads an RFC 3339 timestamp exactly as Go's `time.Parse(time.RFC3339, text)`: `T` and `Z` in capitals, any number of
 * digits behind the seconds (nine are kept), an hour of one digit too.
 */
export function parseRfc3339(text: string): ParsedTimestamp {
  const reader = new TimestampReader(text);
  try {
    return { ok: true, timestamp: reader.read() };
  } catch (error) {
    if (error instanceof Misread) return { ok: false, ...error.fault };
    throw error;
  }
}

/** `2006-01-02T15:04:05Z`, or an offset (`+02:00`) in place of the Z; without fractions of a second. */
export function formatRfc3339(timestamp: Timestamp): string {
  return formatWithFraction(timestamp, "");
}

/** As {@link formatRfc3339}, with as many digits behind the seconds as the timestamp has. */
export function formatRfc3339Nano(timestamp: Timestamp): string {
  const { nanosecond } = civilTime(timestamp);
  const digits = String(nanosecond).padStart(9, "0").replace(/0+$/, "");
  return formatWithFraction(timestamp, digits === "" ? "" : `.${digits}`);
}

/** The same offset, `duration` later. */
export function addDuration(timestamp: Timestamp, duration: Duration): Timestamp {
  return { nanoseconds: timestamp.nanoseconds + duration, offset: timestamp.offset };
}

export function civilTime({ nanoseconds, offset }: Timestamp): CivilTime {
  const local = nanoseconds + BigInt(offset) * perSecond;
  const nanosecond = Number(((local % perSecond) + perSecond) % perSecond);
  const date = new Date(Number((local - BigInt(nanosecond)) / 1_000_000n));
  const year = date.getUTCFullYear();
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    nanosecond,
    weekday: date.getUTCDay(),
    yearDay:
      Math.round((utcDay(year, date.getUTCMonth() + 1, date.getUTCDate()) - utcDay(year, 1, 1)) / 86_400_000) + 1,
  };
}

const perSecond = 1_000_000_000n;

/** Milliseconds at the beginning of a day; `Date.UTC` would take years below 100 for those of the last century. */
function utcDay(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

function daysIn(year: number, month: number): number {
  return new Date(utcDay(year, month + 1, 1) - 1).getUTCDate();
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

function formatWithFraction(timestamp: Timestamp, fraction: string): string {
  const { year, month, day, hour, minute, second } = civilTime(timestamp);
  const yearText = (year < 0 ? "-" : "") + String(Math.abs(year)).padStart(4, "0");
  const clock = `${two(hour)}:${two(minute)}:${two(second)}${fraction}`;
  return `${yearText}-${two(month)}-${two(day)}T${clock}${formatOffset(timestamp.offset)}`;
}

function formatOffset(offset: number): string {
  if (offset === 0) return "Z";
  const minutes = Math.trunc(Math.abs(offset) / 60);
  return `${offset < 0 ? "-" : "+"}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}

/** Ends the reading; never leaves {@link parseRfc3339}. */
class Misread extends Error {
  override readonly name = "Misread";
  readonly fault: TimestampFault;

  constructor(fault: TimestampFault) {
    super(fault.error);
    this.fault = fault;
  }
}

class TimestampReader {
  readonly #text: string;
  #rest: string;

  constructor(text: string) {
    this.#text = text;
    this.#rest = text;
  }

  read(): Timestamp {
    const year = this.#number("2006", /^[0-9]{4}/);
    this.#literal("-");
    const month = this.#number("01", /^[0-9]{2}/, { least: 1, most: 12, name: "month" });
    this.#literal("-");
    const day = this.#number("02", /^[0-9]{2}/);
    this.#literal("T");
    const hour = this.#number("15", /^[0-9]{1,2}/, { least: 0, most: 23, name: "hour" });
    this.#literal(":");
    const minute = this.#number("04", /^[0-9]{2}/, { least: 0, most: 59, name: "minute" });
    this.#literal(":");
    const second = this.#number("05", /^[0-9]{2}/, { least: 0, most: 59, name: "second" });
    const fraction = this.#take(/^[.,][0-9]+/)?.slice(1) ?? "";
    const offset = this.#offset();
    if (this.#rest !== "") this.#outOfRange("", `extra text: ${quoteBytes(this.#rest)}`);
    if (day < 1 || day > daysIn(year, month)) this.#outOfRange("", "day out of range");
    const seconds = utcDay(year, month, day) / 1000 + hour * 3600 + minute * 60 + second - offset;
    return { nanoseconds: BigInt(seconds) * perSecond + BigInt(fraction.slice(0, 9).padEnd(9, "0")), offset };
  }

  #number(element: string, form: RegExp, range?: { least: number; most: number; name: string }): number {
    const digits = this.#take(form);
    if (digits === undefined) return this.#misread(element, this.#rest);
    const number = Number(digits);
    if (range && (number < range.least || number > range.most)) this.#outOfRange(element, `${range.name} out of range`);
    return number;
  }

  #literal(character: string): void {
    if (!this.#rest.startsWith(character)) this.#misread(character, this.#rest);
    this.#rest = this.#rest.slice(1);
  }

  #offset(): number {
    if (this.#take(/^Z/)) return 0;
    const found = this.#take(/^[^]{3}:[^]{2}/);
    if (found === undefined) return this.#misread("Z07:00", this.#rest);
    const misread = found + this.#rest;
    const [, sign, hours] = /^([^])([0-9]{2}):/.exec(found) ?? [];
    // Go looks at the ranges before the sign, and lets 24 hours and 60 minutes pass.
    if (hours === undefined) return this.#misread("Z07:00", misread);
    if (Number(hours) > 24) this.#outOfRange("Z07:00", "time zone offset hour out of range");
    const minutes = /:([0-9]{2})$/.exec(found)?.[1];
    if (minutes === undefined) return this.#misread("Z07:00", misread);
    if (Number(minutes) > 60) this.#outOfRange("Z07:00", "time zone offset minute out of range");
    if (sign !== "+" && sign !== "-") return this.#misread("Z07:00", misread);
    const seconds = Number(hours) * 3600 + Number(minutes) * 60;
    return sign === "-" && seconds > 0 ? -seconds : seconds;
  }

  #take(form: RegExp): string | undefined {
    const found = form.exec(this.#rest)?.[0];
    if (found !== undefined) this.#rest = this.#rest.slice(found.length);
    return found;
  }

  #misread(layoutElement: string, valueElement: string): never {
    const expected = `cannot parse ${quoteBytes(valueElement)} as ${quoteBytes(layoutElement)}`;
    const error = `parsing time ${quoteBytes(this.#text)} as ${quoteBytes(rfc3339)}: ${expected}`;
    throw new Misread({ error, layoutElement, valueElement, isOutOfRange: false });
  }

  #outOfRange(layoutElement: string, message: string): never {
    const error = `parsing time ${quoteBytes(this.#text)}: ${message}`;
    throw new Misread({ error, layoutElement, valueElement: this.#rest, isOutOfRange: true });
  }
}

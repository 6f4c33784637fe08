import { quoteBytes } from "./quote.ts";

/** A length of time in nanoseconds, as Go's `time.Duration`: 64 bits with sign, about 292 years each way. */
export type Duration = bigint;

export const nanosecond: Duration = 1n;
export const microsecond: Duration = 1000n;
export const millisecond: Duration = 1_000_000n;
export const second: Duration = 1_000_000_000n;
export const minute: Duration = 60n * second;
export const hour: Duration = 60n * minute;

export type ParsedDuration =
  | { readonly ok: true; readonly duration: Duration }
  | { readonly ok: false /** Go's wording: `time: unknown unit "d" in duration "1d"`. */; readonly error: string };

const units: ReadonlyMap<string, Duration> = new Map([
  ["ns", nanosecond],
  ["us", microsecond],
  ["µs", microsecond],
  ["μs", microsecond],
  ["ms", millisecond],
  ["s", second],
  ["m", minute],
  ["h", hour],
]);

const smallest: Duration = -(1n << 63n);
const largest: Duration = (1n << 63n) - 1n;

/** Reads `1h30m`, `-1.5h`, `300ms`, `0` (Go's `time.ParseDuration`). */
export function parseDuration(text: string): ParsedDuration {
  const invalid: ParsedDuration = { ok: false, error: `time: invalid duration ${quoteBytes(text)}` };
  const negative = text.startsWith("-");
  let rest = negative || text.startsWith("+") ? text.slice(1) : text;
  if (rest === "0") return { ok: true, duration: 0n };
  if (rest === "") return invalid;
  let total = 0n;
  while (rest !== "") {
    const [all, whole = "", fraction] = /^([0-9]*)(?:\.([0-9]*))?/.exec(rest)!;
    if ((whole === "" && !fraction) || BigInt(whole) > -smallest) return invalid;
    rest = rest.slice(all.length);
    const unit = /^[^.0-9]*/.exec(rest)![0];
    if (unit === "") return { ok: false, error: `time: missing unit in duration ${quoteBytes(text)}` };
    const size = units.get(unit);
    if (size === undefined) {
      return { ok: false, error: `time: unknown unit ${quoteBytes(unit)} in duration ${quoteBytes(text)}` };
    }
    rest = rest.slice(unit.length);
    total += BigInt(whole) * size + fractionOf(fraction ?? "", size);
    if (total > -smallest) return invalid;
  }
  const duration = negative ? -total : total;
  return duration > largest ? invalid : { ok: true, duration };
}

/** `1h0m0s`, `1.5s`, `300ms`, `0s`: the largest unit first, without leading zero units (Go's `Duration.String`). */
export function formatDuration(duration: Duration): string {
  const sign = duration < 0n ? "-" : "";
  const size = duration < 0n ? -duration : duration;
  if (size === 0n) return "0s";
  if (size < microsecond) return `${sign}${size}ns`;
  if (size < millisecond) return `${sign}${withFraction(size, microsecond)}µs`;
  if (size < second) return `${sign}${withFraction(size, millisecond)}ms`;
  const seconds = `${withFraction(size % minute, second)}s`;
  if (size < minute) return sign + seconds;
  const minutes = `${(size % hour) / minute}m${seconds}`;
  return sign + (size < hour ? minutes : `${size / hour}h${minutes}`);
}

/** The duration in milliseconds, cut towards zero; what timers take. */
export function toMilliseconds(duration: Duration): number {
  return Number(duration / millisecond);
}

/** What digits behind the point are worth. Go keeps as many of them as 63 bits hold, and computes the rest in doubles. */
function fractionOf(digits: string, unit: Duration): Duration {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    const next = value * 10n + BigInt(digit);
    if (value > largest / 10n || next > -smallest) break;
    value = next;
    scale *= 10;
  }
  return value === 0n ? 0n : BigInt(Math.trunc(Number(value) * (Number(unit) / scale)));
}

function withFraction(size: Duration, unit: Duration): string {
  const fraction = String(size % unit)
    .padStart(String(unit).length - 1, "0")
    .replace(/0+$/, "");
  return `${size / unit}${fraction === "" ? "" : `.${fraction}`}`;
}

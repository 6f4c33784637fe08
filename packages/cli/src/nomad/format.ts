import { align } from "../views/align.ts";
import { columns } from "../views/columns.ts";
import type { CommandIo } from "../io.ts";
import { styleOf } from "../views/style.ts";

/** One line of a table of names and values. */
export type Row = readonly [name: string, value: string];

/** `Name = value` lines, the names as wide as the widest; an empty value is `<none>`. */
export function keyValues(rows: readonly Row[]): string {
  const names = align(rows.map(([name]) => name));
  return rows.map(([, value], i) => `${names[i]} = ${value === "" ? "<none>" : value}\n`).join("");
}

/** Rows as columns, the titles on top; an empty cell is `<none>`. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return columns([titles, ...rows.map((row) => row.map((cell) => (cell === "" ? "<none>" : cell)))]);
}

/** A part of an output: an empty line, a title, and what stands under it. */
export function section(io: CommandIo, title: string, body: string): string {
  return `\n${styleOf(io.view).bold(title)}\n${body}`;
}

/** How ids and moments are shown: whole, or short and as an age. */
export interface Detail {
  readonly verbose: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** An id's first eight characters, or the whole of it. */
export function id(whole: string, { verbose }: Pick<Detail, "verbose">): string {
  return verbose ? whole : whole.slice(0, 8);
}

/** Nanoseconds since 1970 as an age, or as a moment where everything is wanted; empty for none. */
export function when(nanoseconds: bigint, { verbose, now }: Detail): string {
  if (nanoseconds === 0n) return "";
  const milliseconds = Number(nanoseconds / 1_000_000n);
  return verbose ? moment(milliseconds) : age(milliseconds, now);
}

/** Milliseconds since 1970 in the machine's time zone, as `2016-11-17T12:00:00+11:00`. */
export function moment(milliseconds: number): string {
  return momentAt(milliseconds, -new Date(milliseconds).getTimezoneOffset());
}

/** The same in a zone that is so many minutes before UTC. */
export function momentAt(milliseconds: number, east: number): string {
  const local = new Date(milliseconds + east * 60_000).toISOString().slice(0, 19);
  if (east === 0) return `${local}Z`;
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  const distance = Math.abs(east);
  return `${local}${east < 0 ? "-" : "+"}${two(distance / 60)}:${two(distance % 60)}`;
}

/** A text of RFC 3339 as {@link moment} writes it; `none` for the time that stands for no time. */
export function momentOf(text: string, none = "N/A"): string {
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) || text.startsWith("0001-") ? none : moment(milliseconds);
}

/** As {@link momentOf}, or as an age where not everything is wanted. */
export function whenText(text: string, { verbose, now }: Detail): string {
  const whole = momentOf(text);
  return verbose || whole === "N/A" ? whole : age(Date.parse(text), now);
}

const units = [
  ["y", 31_536_000],
  ["mo", 2_592_000],
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
] as const;

/** How long ago something was, in its two largest units: `1h2m ago`. What is to come is `from now`. */
export function age(milliseconds: number, now: number): string {
  const text = span(Math.abs(now - milliseconds));
  return `${text} ${milliseconds > now + 1000 ? "from now" : "ago"}`;
}

/** Milliseconds in their two largest units: `1h2m`. */
export function span(milliseconds: number): string {
  let seconds = Math.floor(milliseconds / 1000);
  const parts: string[] = [];
  for (const [unit, size] of units) {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    // A minute after days is not worth its place.
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join("") || "0s";
}

/** Bytes for people: `512 B`, `2.0 GiB`, `256 MiB`. */
export function bytes(count: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let size = count;
  let at = 0;
  for (; size >= 1024 && at < names.length - 1; at++) size /= 1024;
  // Rounding must not give 1024 of a unit.
  if (Math.round(size) >= 1024 && at < names.length - 1) [size, at] = [size / 1024, at + 1];
  const isWhole = at === 0 || size >= 9.95;
  return `${isWhole ? Math.round(size) : size.toFixed(1)} ${names[at]}`;
}

export const mebibyte = 1024 * 1024;

/** One or more of something: `1 allocation`, `2 allocations`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Records of the server, those that were made last on top. */
export function newestFirst<T extends { readonly CreateIndex: number; readonly ID: string }>(
  records: readonly T[],
): readonly T[] {
  return [...records].sort((a, b) => b.CreateIndex - a.CreateIndex || (a.ID < b.ID ? -1 : 1));
}

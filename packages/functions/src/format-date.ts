import { quote } from "@millwright/text/quote";
import type { CivilTime, Timestamp } from "@millwright/text/time";
import { civilTime } from "@millwright/text/time";
import { refuse } from "./define.ts";

const monthNames = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const dayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/**
 * A timestamp written by a format: runs of one letter are verbs, text in single quotes and everything else stands for
 * itself, `''` is a quote. Refuses a verb there is none of, and a quote that is not closed, as argument 0.
 */
export function formatDate(format: string, timestamp: Timestamp): string {
  const time = civilTime(timestamp);
  let result = "";
  for (const [piece] of format.matchAll(/''|'(?:''|[^'])*'?|([A-Za-z])\1*|[^A-Za-z']+/g)) {
    if (piece.startsWith("'")) result += literal(piece);
    else if (/^[A-Za-z]/.test(piece)) result += verb(piece, time, timestamp.offset);
    else result += piece;
  }
  return result;
}

function literal(piece: string): string {
  if (piece === "''") return "'";
  if (piece.length === 1 || !piece.endsWith("'")) refuse("unterminated literal '", 0);
  return piece.slice(1, -1).replaceAll("''", "'");
}

function verb(letters: string, time: CivilTime, offset: number): string {
  const count = letters.length;
  const twelve = time.hour % 12 || 12;
  switch (letters[0]) {
    case "Y":
      if (count === 2) return digits(time.year % 100, 2);
      return count === 4 ? digits(time.year, 4) : refuseVerb(letters, 'year must either be "YY" or "YYYY"');
    case "M":
      if (count <= 2) return digits(time.month, count);
      if (count === 3) return monthNames[time.month - 1]!.slice(0, 3);
      if (count === 4) return monthNames[time.month - 1]!;
      return refuseVerb(letters, 'month must be "M", "MM", "MMM", or "MMMM"');
    case "D":
      return count <= 2 ? digits(time.day, count) : refuseVerb(letters, 'day of month must either be "D" or "DD"');
    case "E":
      if (count === 3) return dayNames[time.weekday]!.slice(0, 3);
      return count === 4 ? dayNames[time.weekday]! : refuseVerb(letters, 'day of week must either be "EEE" or "EEEE"');
    case "h":
      return count <= 2 ? digits(time.hour, count) : refuseVerb(letters, '24-hour must either be "h" or "hh"');
    case "H":
      return count <= 2 ? digits(twelve, count) : refuseVerb(letters, '12-hour must either be "H" or "HH"');
    case "A":
    case "a": {
      const half = time.hour < 12 ? "am" : "pm";
      if (count !== 2) return refuseVerb(letters, `must be "${letters[0]!.repeat(2)}"`);
      return letters === "AA" ? half.toUpperCase() : half;
    }
    case "m":
      return count <= 2 ? digits(time.minute, count) : refuseVerb(letters, 'minute must either be "m" or "mm"');
    case "s":
      return count <= 2 ? digits(time.second, count) : refuseVerb(letters, 'second must either be "s" or "ss"');
    case "Z":
      return zone(letters, offset);
    default:
      return refuseVerb(letters);
  }
}

function zone(letters: string, offset: number): string {
  const minutes = Math.trunc(Math.abs(offset) / 60);
  const sign = offset < 0 ? "-" : "+";
  const hours = digits(Math.trunc(minutes / 60), 2);
  const short = `${sign}${hours}${digits(minutes % 60, 2)}`;
  const long = `${sign}${hours}:${digits(minutes % 60, 2)}`;
  switch (letters.length) {
    case 1:
      return offset === 0 ? "Z" : long;
    case 3:
      return short === "+0000" ? "UTC" : short;
    case 4:
      return short;
    case 5:
      return long;
    default:
      return refuseVerb(letters, "timezone must be Z, ZZZZ, or ZZZZZ");
  }
}

function digits(number: number, width: number): string {
  return String(number).padStart(width, "0");
}

function refuseVerb(letters: string, why?: string): never {
  refuse(`invalid date format verb ${quote(letters)}${why === undefined ? "" : `: ${why}`}`, 0);
}

import type { CivilTime, Timestamp } from "@millwright/text/time";
import { civilTime } from "@millwright/text/time";

/** A time in UTC by one of Go's layouts, such as `2006-01-02T15:04:05Z07:00` (https://pkg.go.dev/time#Layout). */
export function formatLayout(nanoseconds: bigint, layout: string): string {
  const timestamp: Timestamp = { nanoseconds, offset: 0 };
  const time = civilTime(timestamp);
  return layout.replace(elements, (element) => format(element, time));
}

/** The elements, each before those that begin like it. A fraction stands behind seconds, and no digit behind it. */
const elements =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|__2|_2006|_2|002|0[1-6]|15|Z07:00:00|Z070000|Z0700|Z07:00|Z07|-07:00:00|-070000|-0700|-07:00|-07|PM|pm|[.,](?:0+|9+)(?![0-9])|[12345]/g;

const months = "January February March April May June July August September October November December".split(" ");
const weekdays = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

function format(element: string, time: CivilTime): string {
  const hour12 = time.hour % 12 || 12;
  switch (element) {
    case "January":
      return months[time.month - 1]!;
    case "Jan":
      return months[time.month - 1]!.slice(0, 3);
    case "1":
      return String(time.month);
    case "01":
      return two(time.month);
    case "Monday":
      return weekdays[time.weekday]!;
    case "Mon":
      return weekdays[time.weekday]!.slice(0, 3);
    case "2":
      return String(time.day);
    case "_2":
      return String(time.day).padStart(2);
    case "02":
      return two(time.day);
    case "__2":
      return String(time.yearDay).padStart(3);
    case "002":
      return String(time.yearDay).padStart(3, "0");
    case "15":
      return two(time.hour);
    case "3":
      return String(hour12);
    case "03":
      return two(hour12);
    case "4":
      return String(time.minute);
    case "04":
      return two(time.minute);
    case "5":
      return String(time.second);
    case "05":
      return two(time.second);
    case "2006":
      return String(time.year).padStart(4, "0");
    case "_2006":
      return `_${String(time.year).padStart(4, "0")}`;
    case "06":
      return two(time.year % 100);
    case "PM":
      return time.hour >= 12 ? "PM" : "AM";
    case "pm":
      return time.hour >= 12 ? "pm" : "am";
    case "MST":
      return "UTC";
    default:
      return /^[Z-]/.test(element) ? offset(element) : fraction(element, time);
  }
}

function offset(element: string): string {
  if (element.startsWith("Z")) return "Z";
  return `+${element.slice(1).replace("7", "0")}`;
}

/** Zeros keep all digits, nines leave out those at the end that are zero. */
function fraction(element: string, { nanosecond }: CivilTime): string {
  const digits = String(nanosecond)
    .padStart(9, "0")
    .slice(0, element.length - 1);
  if (element[1] === "0") return element[0] + digits.padEnd(element.length - 1, "0");
  const shown = digits.replace(/0+$/, "");
  return shown === "" ? "" : element[0] + shown;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

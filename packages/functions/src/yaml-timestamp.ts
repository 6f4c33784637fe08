import type { Timestamp } from "@millwright/text/time";
import { parseRfc3339 } from "@millwright/text/time";

const form =
  /^(?<year>[0-9]{4})-(?<month>[0-9]{1,2})-(?<day>[0-9]{1,2})(?:(?<separator>[Tt ])(?<hour>[0-9]{1,2}):(?<minute>[0-9]{1,2}):(?<second>[0-9]{1,2})(?<fraction>[.,][0-9]+)?(?<zone>Z|[-+][0-9]{2}:[0-9]{2})?)?$/;

/**
 * A timestamp as a plain scalar of YAML 1.1 writes it: a date, or a date and a time of day, with an offset behind `T` and
 * without one behind a blank. Undefined for anything else, and for days that there are not.
 */
export function yamlTimestamp(text: string): Timestamp | undefined {
  const groups = form.exec(text)?.groups;
  if (!groups) return undefined;
  const { year, month, day, separator, hour = "0", minute = "0", second = "0", zone } = groups;
  const isZoned = separator === "T" || separator === "t";
  if (separator !== undefined && isZoned !== (zone !== undefined)) return undefined;
  const two = (digits: string | undefined) => (digits ?? "").padStart(2, "0");
  const date = `${year}-${two(month)}-${two(day)}`;
  const parsed = parseRfc3339(`${date}T${two(hour)}:${two(minute)}:${two(second)}${zone ?? "Z"}`);
  return parsed.ok ? parsed.timestamp : undefined;
}

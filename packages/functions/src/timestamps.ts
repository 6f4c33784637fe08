import { quote } from "@millwright/text/quote";
import type { Timestamp, TimestampFault } from "@millwright/text/time";
import { parseRfc3339 } from "@millwright/text/time";
import { refuse } from "./define.ts";

/** What the parts of Go's layout are called in messages. */
const partNames: ReadonlyMap<string, string> = new Map([
  ["2006", "year"],
  ["01", "month"],
  ["02", "day of month"],
  ["15", "hour"],
  ["04", "minute"],
  ["05", "second"],
  ["Z07:00", "UTC offset"],
]);

const dayOutOfRange = "day out of range";
const notValid = "not a valid RFC3339 timestamp: ";

/** An argument that is a timestamp as RFC 3339 has it, to the letter; refuses others with what is wrong where. */
export function timestampArgument(text: string, argument?: number): Timestamp {
  const parsed = parseRfc3339(text);
  const fault = parsed.ok ? laxity(text) : parsed;
  if (parsed.ok && !fault) return parsed.timestamp;
  return refuse(notValid + strictReason(fault!), argument);
}

/** As {@link timestampArgument}, with what Go's reader lets pass: an hour of one digit, a comma before the fraction. */
export function lenientTimestampArgument(text: string, argument: number): Timestamp {
  const parsed = parseRfc3339(text);
  if (parsed.ok) return parsed.timestamp;
  return refuse(notValid + (isDayOutOfRange(parsed) ? dayOutOfRange : reason(parsed)), argument);
}

type Fault = Pick<TimestampFault, "layoutElement" | "valueElement">;

/** What is not RFC 3339 in a text that Go reads all the same. */
function laxity(text: string): Fault | undefined {
  if (text[12] === ":") return { layoutElement: "15", valueElement: text[11]! };
  if (text[19] === ",") return { layoutElement: ".", valueElement: "," };
  const [offset, hours, minutes] = /[+-]([0-9]{2}):([0-9]{2})$/.exec(text) ?? [];
  if (offset === undefined || (Number(hours) < 24 && Number(minutes) < 60)) return undefined;
  return { layoutElement: "Z07:00", valueElement: offset };
}

function isDayOutOfRange({ layoutElement, valueElement }: Fault): boolean {
  return layoutElement === "" && valueElement === "";
}

function strictReason(fault: Fault): string {
  if (isDayOutOfRange(fault)) return dayOutOfRange;
  const { layoutElement, valueElement } = fault;
  if (layoutElement === "15" && valueElement.includes(":")) return "hour must be between 0 and 23 inclusive";
  const isLong = valueElement !== "" && new TextEncoder().encode(valueElement).length !== 2;
  if (isLong && (layoutElement === "15" || layoutElement === "04")) {
    return `${partNames.get(layoutElement)} must have exactly two digits`;
  }
  return reason(fault);
}

function reason({ layoutElement, valueElement }: Fault): string {
  if (layoutElement === "T") return "missing required time introducer 'T'";
  if (layoutElement === ":" || layoutElement === "-") {
    const wanted = `where ${quote(layoutElement)} is expected`;
    return valueElement === "" ? `end of string ${wanted}` : `found ${quote(valueElement)} ${wanted}`;
  }
  const part = partNames.get(layoutElement) ?? "timestamp segment";
  return valueElement === "" ? `end of string before ${part}` : `cannot use ${quote(valueElement)} as ${part}`;
}

import { formatConsoleValue } from "@millwright/functions/console-format";
import type { Value } from "@millwright/value/value";
import { asBool, asNumber, isKnown, isNull, sensitive } from "@millwright/value/value";

/** A value in a line, as it would be written in a configuration. */
export function literal(value: Value): string {
  if (value.marks.has(sensitive)) return "(sensitive value)";
  if (!isKnown(value)) return "(known after apply)";
  if (isNull(value)) return "null";
  switch (value.type.kind) {
    case "string":
      return quoted(value.data as string);
    case "number":
      return asNumber(value).toText();
    case "bool":
      return String(asBool(value));
    default:
      return formatConsoleValue(value).replace(/\n\s*/g, " ");
  }
}

/** A text in quotes, with what would not show, or would mean something in a template, escaped. */
export function quoted(text: string): string {
  const escaped = text
    .replace(/[\\"]/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t")
    .replace(/[$%](?=\{)/g, "$&$&");
  return `"${escapeControls(escaped)}"`;
}

/** A text in which what a terminal would take for a command is spelled out. Tabs stay. */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (c) =>
    c === "\t" ? c : c === "\r" ? "\\r" : `\\u${c.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
}

/** A map's key, always in quotes. */
export function mapKey(key: string): string {
  return quoted(key);
}

/** An object's name: in quotes where it is no identifier. */
export function objectKey(key: string): string {
  return /^[\p{L}_][\p{L}\p{N}\p{M}_-]*$/u.test(key) ? key : quoted(key);
}

import { quote } from "@millwright/text/quote";
import { typeText } from "@millwright/value/friendly";
import { Unknown } from "@millwright/value/unknown";
import type { Value } from "@millwright/value/value";
import { asArray, asMap, asNumber } from "@millwright/value/value";

/**
 * A value as golden files of tests write it, with all there is to it: `list(string)["a"]`, `{"k" = 1}`, `null(any)`,
 * `unknown(string, not null, begins with "web-")`, `marked("x", sensitive)`.
 */
export function valueText(value: Value): string {
  const { type, data, marks } = value;
  if (marks.size > 0) {
    const bare = valueText({ type, data, marks: new Set() });
    return `marked(${[bare, ...[...marks].sort()].join(", ")})`;
  }
  if (data instanceof Unknown) return unknownText(value, data);
  if (data === null) return `null(${typeText(type)})`;
  switch (type.kind) {
    case "string":
      return quote(String(data));
    case "number":
      return asNumber(value).toText();
    case "bool":
      return String(data);
    case "list":
    case "set":
      return `${typeText(type)}[${asArray(value).map(valueText).join(", ")}]`;
    case "tuple":
      return `[${asArray(value).map(valueText).join(", ")}]`;
    case "map":
      return typeText(type) + entriesText(value);
    case "object":
      return entriesText(value);
    default:
      return type.kind;
  }
}

function entriesText(value: Value): string {
  return `{${[...asMap(value)].map(([key, element]) => `${quote(key)} = ${valueText(element)}`).join(", ")}}`;
}

function unknownText({ type }: Value, { refinements = {} }: Unknown): string {
  const { notNull, prefix, minimum, maximum, minimumLength, maximumLength } = refinements;
  const parts = [typeText(type)];
  if (notNull) parts.push("not null");
  if (prefix) parts.push(`begins with ${quote(prefix)}`);
  if (minimum) parts.push(`${minimum.inclusive ? ">=" : ">"} ${minimum.value.toText()}`);
  if (maximum) parts.push(`${maximum.inclusive ? "<=" : "<"} ${maximum.value.toText()}`);
  if (minimumLength) parts.push(`length >= ${minimumLength}`);
  if (maximumLength !== undefined) parts.push(`length <= ${maximumLength}`);
  return `unknown(${parts.join(", ")})`;
}

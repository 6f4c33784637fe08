import { invariant } from "@millwright/core/errors";
import { convert } from "@millwright/value/convert";
import { refinePrefix } from "@millwright/value/refine";
import { stringType } from "@millwright/value/types";
import type { Mark, Marks, Value } from "@millwright/value/value";
import { asArray, asString, isKnown, noMarks, stringValue, unknownValue, withMarks } from "@millwright/value/value";
import type { Expression, Template, TemplateJoin } from "./ast.ts";
import type { Context } from "./context.ts";
import { failedSince, refuse } from "./context.ts";

const summary = "Invalid template interpolation value";

/**
 * `"a ${b} c"`: the parts as strings, joined. With an unknown part it is an unknown string, never null, of which the
 * beginning may be known. Marks of the parts go to the whole.
 */
export function evaluateTemplate(expression: Template, context: Context): Value {
  const { parts } = expression;
  const only = parts[0];
  if (!only) return emptyString;
  if (parts.length === 1 && only.kind === "literal" && typeof only.value.data === "string") return only.value;
  const before = context.diagnostics.length;
  let marks: Marks = noMarks;
  let text = "";
  let known = true;
  for (const part of parts) {
    const value = context.evaluate(part, context);
    if (value.marks.size > 0) marks = marks.union(value.marks);
    if (value.data !== null && !isKnown(value)) {
      known = false;
      continue;
    }
    const piece = textOf(value, part, expression, context);
    // What follows a fault or an unknown part is only looked at for its own faults.
    if (piece !== undefined && known && context.diagnostics.length === before) text += piece;
  }
  if (known) return withMarks(stringValue(text), marks);
  return withMarks(failedSince(context, before) ? unknownText("") : unknownText(text), marks);
}

/** The text of a known part; undefined where it has none. */
function textOf(value: Value, part: Expression, whole: Template, context: Context): string | undefined {
  if (typeof value.data === "string") return value.data;
  const place = { subject: part, context: whole, expression: part };
  if (value.data === null) {
    const detail = "The expression result is null. Cannot include a null value in a string template.";
    refuse(context, summary, detail, place);
    return undefined;
  }
  const converted = convert(value, stringType);
  if (converted.ok) return asString(converted.value);
  refuse(context, summary, `Cannot include the given value in a string template: ${converted.message}.`, place);
  return undefined;
}

const emptyString = stringValue("");

/** Of a longer beginning only so many bytes are said: they are enough, and have to be sent along. */
const prefixBytes = new Uint8Array(128);
const utf8 = new TextEncoder();

function unknownText(prefix: string): Value {
  const value = unknownValue(stringType, { notNull: true });
  return prefix === "" ? value : refinePrefix(value, prefix.slice(0, utf8.encodeInto(prefix, prefixBytes).read));
}

/** The strings of a tuple, joined: what the rounds of a `%{ for }` directive give. */
export function evaluateTemplateJoin(expression: TemplateJoin, context: Context): Value {
  const tuple = context.evaluate(expression.tuple, context);
  const marks = new Set<Mark>(tuple.marks);
  // A failed or unknown `for` has no tuple to join.
  if (tuple.type.kind === "dynamic" || !isKnown(tuple)) return withMarks(unknownValue(stringType), marks);
  invariant(tuple.type.kind === "tuple", "a for directive gives a tuple");
  const place = { subject: expression, expression };
  let text = "";
  for (const element of asArray(tuple)) {
    if (element.data === null) {
      refuse(context, summary, "An iteration result is null. Cannot include a null value in a string template.", place);
      continue;
    }
    for (const mark of element.marks) marks.add(mark);
    if (!isKnown(element)) return withMarks(unknownValue(stringType), marks);
    const converted = convert(element, stringType);
    if (!converted.ok) {
      const detail = `Cannot include one of the interpolation results into the string template: ${converted.message}.`;
      refuse(context, summary, detail, place);
      continue;
    }
    text += asString(converted.value);
  }
  return withMarks(stringValue(text), marks);
}

import { invariant } from "@millwright/core/errors";
import { convert } from "@millwright/value/convert";
import { refinePrefix } from "@millwright/value/refine";
import { stringType } from "@millwright/value/types";
import type { Mark, Value } from "@millwright/value/value";
import { asArray, asString, isKnown, stringValue, unknownValue, withMarks } from "@millwright/value/value";
import type { Template, TemplateJoin } from "./ast.ts";
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
  const marks = new Set<Mark>();
  let text = "";
  let known = true;
  for (const part of parts) {
    const value = context.evaluate(part, context);
    const place = { subject: part, context: expression, expression: part };
    if (value.data === null) {
      refuse(
        context,
        summary,
        "The expression result is null. Cannot include a null value in a string template.",
        place,
      );
      continue;
    }
    for (const mark of value.marks) marks.add(mark);
    if (!isKnown(value)) {
      known = false;
      continue;
    }
    const converted = value.type.kind === "string" ? { ok: true as const, value } : convert(value, stringType);
    if (!converted.ok) {
      refuse(context, summary, `Cannot include the given value in a string template: ${converted.message}.`, place);
    } else if (known) {
      text += asString(converted.value);
    }
  }
  if (known) return withMarks(stringValue(text), marks);
  const prefix = failedSince(context, before) ? "" : text;
  return withMarks(unknownText(prefix), marks);
}

const emptyString = stringValue("");

/** A beginning longer than this many bytes is cut: it says enough, and has to be sent along. */
const prefixBytes = 128;

function unknownText(prefix: string): Value {
  const value = unknownValue(stringType, { notNull: true });
  if (prefix === "") return value;
  const bytes = Buffer.from(prefix, "utf8");
  return refinePrefix(value, bytes.length > prefixBytes ? bytes.subarray(0, prefixBytes).toString("utf8") : prefix);
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

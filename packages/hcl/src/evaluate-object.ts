import { convert } from "@millwright/value/convert";
import { stringType } from "@millwright/value/types";
import type { Mark, Value } from "@millwright/value/value";
import { asString, dynamicValue, isKnown, objectValue, withMarks } from "@millwright/value/value";
import type { Expression, ObjectConstructor, ObjectKey } from "./ast.ts";
import type { Context } from "./context.ts";
import { failedSince, refuse } from "./context.ts";

/**
 * `{ key = value }`. Without knowing each key there is no telling even the type. Marks of a key go to the whole object, as
 * names of attributes cannot be marked.
 */
export function evaluateObject(expression: ObjectConstructor, context: Context): Value {
  const attributes = new Map<string, Value>();
  const marks = new Set<Mark>();
  let known = true;
  for (const { key, value: valueExpression } of expression.items) {
    if (key.name !== undefined) {
      attributes.set(key.name, context.evaluate(valueExpression, context));
      continue;
    }
    const keyValue = evaluateKey(key, context);
    const value = context.evaluate(valueExpression, context);
    const name = keyValue && nameOf(keyValue, key, valueExpression, context);
    if (keyValue) for (const mark of keyValue.marks) marks.add(mark);
    if (name === undefined) known = false;
    else attributes.set(name, value);
  }
  return known ? withMarks(objectValue(attributes), marks) : dynamicValue;
}

/** The value of a computed key; undefined where it has errors. */
function evaluateKey(key: ObjectKey, context: Context): Value | undefined {
  const { expression } = key;
  if (expression.kind === "scopeTraversal" && expression.steps.length > 0) {
    refuse(
      context,
      "Ambiguous attribute key",
      "This key may be meant as a reference or as a name with periods in it. Put it in parentheses to make it a reference, or in quotes to make it a name.",
      { subject: key },
    );
    return undefined;
  }
  const before = context.diagnostics.length;
  const value = context.evaluate(expression, context);
  return failedSince(context, before) ? undefined : value;
}

/** The name that a computed key gives; undefined where it is unknown or no name at all. */
function nameOf(value: Value, key: ObjectKey, of: Expression, context: Context): string | undefined {
  const { expression } = key;
  if (value.data === null) {
    refuse(context, "Null value as key", "Can't use a null value as a key.", { subject: of, expression });
    return undefined;
  }
  const converted = convert(value, stringType);
  if (!converted.ok) {
    const detail = `Can't use this value as a key: ${converted.message}.`;
    refuse(context, "Incorrect key type", detail, { subject: key, expression });
    return undefined;
  }
  return isKnown(converted.value) ? asString(converted.value) : undefined;
}

import { quote } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import { friendlyName } from "@millwright/value/friendly";
import { refine, refinementsOf } from "@millwright/value/refine";
import type { Type } from "@millwright/value/types";
import { boolType, dynamicType, isCollection, typeEquals } from "@millwright/value/types";
import { unifiedType } from "@millwright/value/unify";
import type { Refinements } from "@millwright/value/unknown";
import type { Value } from "@millwright/value/value";
import { asBool, dynamicValue, isKnown, nullValue, unknownValue, unmark, withMarks } from "@millwright/value/value";
import type { Conditional } from "./ast.ts";
import type { Context } from "./context.ts";
import { aside, refuse } from "./context.ts";
import { between } from "./span.ts";

/**
 * `condition ? a : b`. Both results are evaluated, for their types must agree, but the errors of the one that is not chosen
 * are dropped. The result has the marks of all three. With an unknown condition it is unknown, within what holds of both.
 */
export function evaluateConditional(expression: Conditional, context: Context): Value {
  const trueContext = aside(context);
  const falseContext = aside(context);
  const whenTrue = context.evaluate(expression.whenTrue, trueContext);
  const whenFalse = context.evaluate(expression.whenFalse, falseContext);
  const type = commonType(whenTrue, whenFalse);
  if (!type) {
    refuse(
      context,
      "Inconsistent conditional result types",
      `The true and false result expressions must have consistent types. ${describeMismatch(whenTrue.type, whenFalse.type)}.`,
      { subject: between(expression.whenTrue, expression.whenFalse), context: expression, expression },
    );
    return dynamicValue;
  }
  const condition = context.evaluate(expression.condition, context);
  const chosen = decide(condition, expression, context);
  if (chosen === "refused") return unknownValue(type);
  const marks = [...condition.marks, ...whenTrue.marks, ...whenFalse.marks];
  if (chosen === "unknown") return withMarks(eitherOf(unmark(whenTrue)[0], unmark(whenFalse)[0], type), marks);
  const value = chosen ? whenTrue : whenFalse;
  context.diagnostics.push(...(chosen ? trueContext : falseContext).diagnostics);
  return withMarks(resultAs(value, type, chosen, expression, context), marks);
}

/** The type that both results can have: a bare null takes that of the other; of an unknown type nothing is asked. */
function commonType(whenTrue: Value, whenFalse: Value): Type | undefined {
  if (isBareNull(whenTrue)) return whenFalse.type;
  if (isBareNull(whenFalse)) return whenTrue.type;
  if (whenTrue.type.kind === "dynamic" || whenFalse.type.kind === "dynamic") return dynamicType;
  return typeEquals(whenTrue.type, whenFalse.type)
    ? whenTrue.type
    : unifiedType([whenTrue.type, whenFalse.type], "unsafe");
}

function isBareNull(value: Value): boolean {
  return value.data === null && value.type.kind === "dynamic" && value.marks.size === 0;
}

function decide(condition: Value, expression: Conditional, context: Context): boolean | "unknown" | "refused" {
  const place = { subject: expression.condition, context: expression, expression: expression.condition };
  if (condition.data === null) {
    refuse(context, "Null condition", "The condition value is null. Conditions must either be true or false.", place);
    return "refused";
  }
  if (!isKnown(condition)) return "unknown";
  const converted = convert(condition, boolType);
  if (converted.ok) return asBool(converted.value);
  refuse(context, "Incorrect condition type", "The condition expression must be of type bool.", place);
  return "refused";
}

function resultAs(value: Value, type: Type, chosen: boolean, expression: Conditional, context: Context): Value {
  const converted = convert(value, type);
  if (converted.ok) return converted.value;
  const branch = chosen ? expression.whenTrue : expression.whenFalse;
  const detail = `The ${chosen} result value has the wrong type: ${converted.message}.`;
  refuse(context, "Inconsistent conditional result types", detail, {
    subject: branch,
    context: expression,
    expression: branch,
  });
  return unknownValue(type);
}

/** What can be said of a result that may yet be either of two values. */
function eitherOf(a: Value, b: Value, type: Type): Value {
  if (a.data === null && b.data === null) return nullValue(type);
  const x = refinementsOf(a);
  const y = refinementsOf(b);
  const common: Refinements = x.notNull && y.notNull ? { notNull: true } : {};
  if (a.type.kind === "number" && b.type.kind === "number") {
    return refine(unknownValue(type), { ...common, ...lowerBound(x, y), ...upperBound(x, y) });
  }
  if (isCollection(a.type) && typeEquals(a.type, b.type)) {
    const minimumLength = Math.min(x.minimumLength ?? 0, y.minimumLength ?? 0);
    const most = Math.max(x.maximumLength ?? Infinity, y.maximumLength ?? Infinity);
    return refine(unknownValue(type), {
      ...common,
      minimumLength,
      ...(most < Infinity ? { maximumLength: most } : {}),
    });
  }
  return unknownValue(type, common);
}

function lowerBound({ minimum: a }: Refinements, { minimum: b }: Refinements): Refinements {
  if (!a || !b) return {};
  const order = a.value.compare(b.value);
  if (order === 0) return { minimum: { value: a.value, inclusive: a.inclusive || b.inclusive } };
  return { minimum: order < 0 ? a : b };
}

function upperBound({ maximum: a }: Refinements, { maximum: b }: Refinements): Refinements {
  if (!a || !b) return {};
  const order = a.value.compare(b.value);
  if (order === 0) return { maximum: { value: a.value, inclusive: a.inclusive || b.inclusive } };
  return { maximum: order > 0 ? a : b };
}

/** How two types differ that nothing unifies, as deep as it can be told in a sentence. */
function describeMismatch(a: Type, b: Type): string {
  const inside = mismatchInside(a, b);
  if (inside !== undefined) return inside;
  const [first, second] = [friendlyName(a), friendlyName(b)];
  if (first !== second) return `The 'true' value is ${first}, but the 'false' value is ${second}`;
  return "At least one deeply-nested attribute or element is not compatible across both the 'true' and the 'false' value";
}

function mismatchInside(a: Type, b: Type): string | undefined {
  if (a.kind === "object" && b.kind === "object") return attributeMismatch(a.attributes, b.attributes);
  if (a.kind === "tuple" && b.kind === "tuple") {
    const [x, y] = [a.elements, b.elements];
    if (x.length !== y.length)
      return `The 'true' tuple has length ${x.length}, but the 'false' tuple has length ${y.length}`;
    const at = x.findIndex((type, index) => !typeEquals(type, y[index]!));
    return at < 0 ? undefined : `Type mismatch for tuple element ${at}: ${describeMismatch(x[at]!, y[at]!)}`;
  }
  if (isCollection(a) && a.kind === b.kind && isCollection(b)) {
    const structural = a.element.kind === "object" || a.element.kind === "tuple";
    if (structural && a.element.kind === b.element.kind) {
      return `Mismatched ${a.kind} element types: ${describeMismatch(a.element, b.element)}`;
    }
  }
  return undefined;
}

function attributeMismatch(a: ReadonlyMap<string, Type>, b: ReadonlyMap<string, Type>): string | undefined {
  for (const [name, type] of a) {
    const other = b.get(name);
    if (!other)
      return `The 'true' value includes object attribute ${quote(name)}, which is absent in the 'false' value`;
    if (!typeEquals(type, other))
      return `Type mismatch for object attribute ${quote(name)}: ${describeMismatch(type, other)}`;
  }
  for (const name of b.keys()) {
    if (!a.has(name))
      return `The 'false' value includes object attribute ${quote(name)}, which is absent in the 'true' value`;
  }
  return undefined;
}

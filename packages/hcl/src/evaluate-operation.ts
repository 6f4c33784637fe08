import { convert } from "@millwright/value/convert";
import {
  add,
  and,
  divide,
  equals,
  greaterThan,
  greaterThanOrEqual,
  lessThan,
  lessThanOrEqual,
  modulo,
  multiply,
  negate,
  not,
  notEqual,
  or,
  subtract,
} from "@millwright/value/operations";
import { refine } from "@millwright/value/refine";
import type { Type } from "@millwright/value/types";
import { boolType, dynamicType, numberType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { isKnown, isMarkedDeep, unknownValue, unmarkDeep, withMarks } from "@millwright/value/value";
import type { Binary, BinaryOperator, Expression, Node, Unary } from "./ast.ts";
import type { Context } from "./context.ts";
import { failedSince, refuse } from "./context.ts";

/** What an operator does, for operands that were converted, are not null and carry no marks. */
interface Operator {
  readonly operand: Type;
  readonly result: Type;
  /** Undefined where there is no result. */
  readonly apply: (left: Value, right: Value) => Value | undefined;
  /** Why `apply` may have no result. */
  readonly undefinedBecause?: string;
  /** Whether `apply` makes something of unknown operands; for the others the result is unknown then. */
  readonly takesUnknown: boolean;
  readonly takesNull: boolean;
}

function arithmetic(apply: Operator["apply"], undefinedBecause: string): Operator {
  return { operand: numberType, result: numberType, apply, undefinedBecause, takesUnknown: false, takesNull: false };
}

function comparison(apply: Operator["apply"]): Operator {
  return { operand: numberType, result: boolType, apply, takesUnknown: true, takesNull: false };
}

function equality(apply: Operator["apply"]): Operator {
  return { operand: dynamicType, result: boolType, apply, takesUnknown: true, takesNull: true };
}

/** No short circuit: as in hashicorp/hcl before 2.24 both sides are evaluated, and an unknown side makes the result unknown. */
function logic(apply: Operator["apply"]): Operator {
  return { operand: boolType, result: boolType, apply, takesUnknown: false, takesNull: false };
}

const binaryOperators: Readonly<Record<BinaryOperator, Operator>> = {
  "+": arithmetic(add, "can't compute sum of opposing infinities"),
  "-": arithmetic(subtract, "can't subtract infinity from itself"),
  "*": arithmetic(multiply, "can't multiply zero by infinity"),
  "/": arithmetic(divide, "can't divide zero by zero or infinity by infinity"),
  "%": arithmetic(modulo, "can't use modulo with zero and infinity"),
  "<": comparison(lessThan),
  "<=": comparison(lessThanOrEqual),
  ">": comparison(greaterThan),
  ">=": comparison(greaterThanOrEqual),
  "==": equality(equals),
  "!=": equality(notEqual),
  "&&": logic(and),
  "||": logic(or),
};

const unaryOperators: Readonly<Record<Unary["operator"], Operator>> = {
  "-": arithmetic(negate, "can't negate this number"),
  "!": logic(not),
};

export function evaluateBinary(expression: Binary, context: Context): Value {
  const operator = binaryOperators[expression.operator];
  const before = context.diagnostics.length;
  const givenLeft = context.evaluate(expression.left, context);
  const givenRight = context.evaluate(expression.right, context);
  const left = operand(givenLeft, expression.left, "left", operator, expression, context);
  const right = operand(givenRight, expression.right, "right", operator, expression, context);
  if (!left || !right || failedSince(context, before)) return unknownValue(operator.result);
  return operate(operator, left, right, expression, context);
}

export function evaluateUnary(expression: Unary, context: Context): Value {
  const operator = unaryOperators[expression.operator];
  const before = context.diagnostics.length;
  const given = context.evaluate(expression.operand, context);
  const value = operand(given, expression.operand, "unary", operator, expression, context);
  if (!value || failedSince(context, before)) return unknownValue(operator.result);
  return operate(operator, value, value, expression, context);
}

/** The operand, converted; undefined where it does not fit. */
function operand(
  value: Value,
  side: Expression,
  which: string,
  operator: Operator,
  whole: Expression,
  context: Context,
): Value | undefined {
  if (operator.operand.kind === "dynamic" || value.type.kind === operator.operand.kind) return value;
  const converted = convert(value, operator.operand);
  if (converted.ok) return converted.value;
  const place = { subject: side, context: whole, expression: side };
  refuse(context, "Invalid operand", `Unsuitable value for ${which} operand: ${converted.message}.`, place);
  return undefined;
}

function operate(operator: Operator, left: Value, right: Value, whole: Expression & Node, context: Context): Value {
  if (isMarkedDeep(left) || isMarkedDeep(right)) {
    const [bareLeft, leftMarks] = unmarkDeep(left);
    const [bareRight, rightMarks] = unmarkDeep(right);
    const bare = operate(operator, bareLeft, bareRight, whole, context);
    return withMarks(withMarks(bare, leftMarks), rightMarks);
  }
  if (!operator.takesNull && (left.data === null || right.data === null)) {
    return operationFailed("argument must not be null", operator, whole, context);
  }
  const known = isKnown(left) && isKnown(right);
  if (!known && !operator.takesUnknown) return unknownValue(operator.result, { notNull: true });
  const result = operator.apply(left, right);
  if (!result) return operationFailed(operator.undefinedBecause ?? "no result", operator, whole, context);
  return isKnown(result) ? result : refine(result, { notNull: true });
}

function operationFailed(why: string, operator: Operator, whole: Expression, context: Context): Value {
  refuse(context, "Operation failed", `Error during operation: ${why}.`, { subject: whole, expression: whole });
  return unknownValue(operator.result);
}

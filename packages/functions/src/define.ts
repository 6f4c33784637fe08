import { invariant } from "@millwright/core/errors";
import type { FunctionSpec, Parameter } from "@millwright/hcl/function-spec";
import { FunctionError } from "@millwright/hcl/function-spec";
import type { BigFloat } from "@millwright/value/number";
import type { Type } from "@millwright/value/types";
import { boolType, stringType } from "@millwright/value/types";
import type { Refinements } from "@millwright/value/unknown";
import type { Mark, Value } from "@millwright/value/value";
import { asNumber, asString, boolValue, ephemeral, listValue, sensitive, stringValue } from "@millwright/value/value";

/** What nearly every function promises of its result, also where that is unknown. */
export const notNull: Refinements = { notNull: true };

/** A refusal of the arguments; `argument` is the index of the one at fault. */
export function refuse(message: string, argument?: number): never {
  throw new FunctionError(message, argument);
}

/** A parameter that takes strings. */
export function text(name: string): Parameter {
  return { name, type: stringType };
}

interface Named {
  readonly name: string;
  readonly description: string;
}

/** A function from strings to a string. */
export function stringFunction(
  { name, description }: Named,
  parameters: readonly string[],
  compute: (...texts: string[]) => string,
): FunctionSpec {
  return {
    name,
    description,
    parameters: parameters.map(text),
    returnType: stringType,
    refineResult: notNull,
    call: (args) => stringValue(compute(...args.map(asString))),
  };
}

/** A function from strings to true or false. */
export function stringPredicate(
  { name, description }: Named,
  parameters: readonly string[],
  compute: (...texts: string[]) => boolean,
): FunctionSpec {
  return {
    name,
    description,
    parameters: parameters.map(text),
    returnType: boolType,
    refineResult: notNull,
    call: (args) => boolValue(compute(...args.map(asString))),
  };
}

/** The refusal of Go's conversion of a number to a 64-bit integer. */
export const notWhole64 = "value must be a whole number, between -9223372036854775808 and 9223372036854775807";

/**
 * A known number argument as an integer of 64 bits; `before` is put in front of the refusal. Beyond 2^53 the result is
 * only as exact as a double, which no caller minds: it is an index, a length or a count.
 */
export function integerArgument(value: Value, argument?: number, before = ""): number {
  const whole = asNumber(value).toInt64();
  if (whole === undefined) refuse(before + notWhole64, argument);
  return Number(whole);
}

/** A known number argument as an integer of any size. */
export function bigIntegerArgument(value: Value, argument?: number): bigint {
  const number: BigFloat = asNumber(value);
  const whole = number.toBigInt();
  if (whole === undefined) refuse("value must be a whole number", argument);
  return whole;
}

/** How a message shows an argument: `shown`, unless the marks forbid it. */
export function unlessSecret(shown: string, marks: ReadonlySet<Mark>): string {
  if (marks.has(sensitive)) return marks.has(ephemeral) ? "(ephemeral sensitive value)" : "(sensitive value)";
  return marks.has(ephemeral) ? "(ephemeral value)" : shown;
}

/** What is asked for in characters is refused beyond this, before it takes the memory. */
export const longestText = 2 ** 28;

/** Whether the type is a list, a set or a tuple: what has elements in a row. */
export function isSequence(type: Type): type is Extract<Type, { readonly kind: "list" | "set" | "tuple" }> {
  return type.kind === "list" || type.kind === "set" || type.kind === "tuple";
}

/** A list of `type`, which must be a list type; its elements fit already. */
export function listOfType(elements: readonly Value[], type: Type): Value {
  invariant(type.kind === "list", "a list has a list type");
  return listValue(elements, type.element);
}

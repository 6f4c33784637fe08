import { invariant } from "@millwright/core/errors";
import { answer, defineFunction } from "../function.ts";
import { elementsOf, integerOf, isList, operandOf } from "../operand.ts";
import type { CallResult, FunctionValue, ParameterType, TemplateValue } from "../value.ts";

/** A function of strings alone, which always has an answer. */
export function ofTexts(count: number, call: (...texts: readonly string[]) => TemplateValue): FunctionValue {
  return tryTexts(count, (...texts) => answer(call(...texts)));
}

/** A function of strings alone. */
export function tryTexts(count: number, call: (...texts: readonly string[]) => CallResult): FunctionValue {
  const parameters = new Array<ParameterType>(count).fill("string");
  return defineFunction({ parameters, call: (args) => call(...args.map(text)) });
}

/** A checked argument as the string it is. */
export function text(value: TemplateValue | undefined): string {
  invariant(typeof value === "string", "the parameter's type has been checked");
  return value;
}

/** A checked argument as the integer it is. */
export function integer(value: TemplateValue | undefined): bigint {
  const found = value === undefined || value === null ? undefined : integerOf(operandOf(value));
  invariant(found !== undefined, "the parameter's type has been checked");
  return found;
}

/** A checked argument as the list it is. */
export function elements(value: TemplateValue | undefined): readonly TemplateValue[] {
  invariant(isList(value), "the parameter's type has been checked");
  return elementsOf(value);
}

import type { CallResult, Dependency, ParameterType, TemplateValue } from "./value.ts";
import { FunctionValue } from "./value.ts";

/** The functions that a template may call, by name. One of a built-in function's name takes its place. */
export type FunctionTable = ReadonlyMap<string, FunctionValue>;

export interface FunctionDefinition {
  readonly parameters: readonly ParameterType[];
  /** The type of any further arguments. */
  readonly variadic?: ParameterType;
  readonly call: FunctionValue["call"];
  /** Go's name of the function's type, for messages about a function that is used as a value. */
  readonly type?: string;
}

/** A function for a {@link FunctionTable}, a `Struct`'s methods, or data. Its arguments are checked before it is called. */
export function defineFunction(definition: FunctionDefinition): FunctionValue {
  const { parameters, variadic, call } = definition;
  return new FunctionValue({ parameters, variadic, call }, definition.type ?? typeOf(definition));
}

export function answer(value: TemplateValue): CallResult {
  return { kind: "value", value };
}

/** An answer that was read from `dependency`, and changes when that changes. */
export function answerFrom(dependency: Dependency, value: TemplateValue): CallResult {
  return { kind: "value", value, dependency };
}

/** The dependency is not there yet; meanwhile the execution goes on with `placeholder`. */
export function notYet(dependency: Dependency, placeholder: TemplateValue): CallResult {
  return { kind: "missing", dependency, placeholder };
}

export function failure(message: string): CallResult {
  return { kind: "failure", message };
}

function typeOf({ parameters, variadic }: FunctionDefinition): string {
  const names = parameters.map(parameterTypeName);
  if (variadic !== undefined) names.push(`...${parameterTypeName(variadic)}`);
  return `func(${names.join(", ")}) interface {}`;
}

/** Go's name of a parameter's type. */
export function parameterTypeName(type: ParameterType): string {
  if (type === "any") return "interface {}";
  return type === "value" ? "reflect.Value" : type;
}

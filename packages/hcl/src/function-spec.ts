import { invariant } from "@millwright/core/errors";
import { refine } from "@millwright/value/refine";
import type { Type } from "@millwright/value/types";
import { capsuleType, dynamicType } from "@millwright/value/types";
import type { Refinements } from "@millwright/value/unknown";
import type { Mark, Value } from "@millwright/value/value";
import { capsuleValue, isKnown, isMarkedDeep, unknownValue, unmarkDeep, withMarks } from "@millwright/value/value";
import type { Expression } from "./ast.ts";
import type { Scope } from "./scope.ts";
import { withoutSecrets } from "./secret-text.ts";

/**
 * A function that expressions may call, with go-cty's calling rules: `call` sees only arguments that fit its parameters
 * (right type, no null, no unknown, no marks, unless the parameter allows them), and `callFunction` sees to the rest.
 *
 * Both `returnType` and `call` refuse arguments by throwing a {@link FunctionError}, the one thing they may throw.
 */
export interface FunctionSpec {
  readonly name: string;
  /** One or two sentences for documentation. */
  readonly description: string;
  readonly parameters: readonly Parameter[];
  /** Takes all arguments behind those of `parameters`; none is fine too. */
  readonly variadic?: Parameter;
  /**
   * The type of the result; where it depends on the arguments, a function of them. That function sees arguments without
   * marks but perhaps unknown ones, also where the parameter does not allow unknown.
   */
  readonly returnType: Type | ((args: readonly Value[]) => Type);
  /**
   * The result, of `returnType` (which is given as computed). With `dynamicType` as the return type the result may be of
   * any type.
   */
  call(args: readonly Value[], returnType: Type): Value;
  /** Holds for every result, unknown ones too: `{ notNull: true }` for nearly all functions. */
  readonly refineResult?: Refinements;
}

export interface Parameter {
  /** As diagnostics name it. */
  readonly name: string;
  /** Arguments are converted to it before the call. `dynamicType` takes any; {@link closureType} takes the expression itself. */
  readonly type: Type;
  readonly description?: string;
  /** Without it a null argument is refused: "argument must not be null". */
  readonly allowNull?: true;
  /** Without it an argument that is unknown as a whole makes the result unknown, and `call` is not called. */
  readonly allowUnknown?: true;
  /** Without it marks are taken off the argument at every depth and put on the result. */
  readonly allowMarked?: true;
  /** Without it an argument whose type is not known makes the result unknown, and `returnType` is not called. */
  readonly allowDynamicType?: true;
}

/**
 * Thrown by a function that cannot accept its arguments. `message` is a clause without a capital letter and full stop, as it
 * is put into a sentence; `argument` is the index of the argument that is at fault, where it is one of them.
 */
export class FunctionError extends Error {
  override readonly name = "FunctionError";
  readonly argument: number | undefined;

  constructor(message: string, argument?: number) {
    super(message);
    this.argument = argument;
  }
}

export type CallResult =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly message: string; readonly argument?: number };

/**
 * Calls the function. `args` were converted to the parameters' types and are as many as it takes (a Bug otherwise). The
 * rules, as go-cty has them: a null where none is allowed fails; an unknown argument gives an unknown result of the return
 * type; marks go from the arguments to the result; `refineResult` is applied to any result. A message that would tell of a
 * sensitive argument is replaced.
 */
export function callFunction(spec: FunctionSpec, args: readonly Value[]): CallResult {
  try {
    return { ok: true, value: call(spec, args) };
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    const { argument } = error;
    const message = withoutSecrets(error.message, args);
    return argument === undefined ? { ok: false, message } : { ok: false, message, argument };
  }
}

/** The parameter that takes argument `index`, if the function takes that many. */
export function parameterAt(spec: FunctionSpec, index: number): Parameter | undefined {
  return spec.parameters[index] ?? spec.variadic;
}

function call(spec: FunctionSpec, args: readonly Value[]): Value {
  const bare: Value[] = [];
  const marks = new Set<Mark>();
  let unknown = false;
  let untyped = false;
  for (const [index, arg] of args.entries()) {
    const parameter = parameterAt(spec, index);
    invariant(parameter, `${spec.name} takes at most ${spec.parameters.length} arguments`);
    const value = parameter.allowMarked ? arg : withoutMarks(arg, marks);
    // An argument of unknown type settles the result; nulls behind it are not looked at, as in the reference.
    if (value.data === null && !parameter.allowNull && !untyped)
      throw new FunctionError("argument must not be null", index);
    if (value.type.kind === "dynamic" && !parameter.allowDynamicType) untyped = true;
    if (!isKnown(value) && !parameter.allowUnknown) unknown = true;
    bare.push(value);
  }
  invariant(args.length >= spec.parameters.length, `${spec.name} takes at least ${spec.parameters.length} arguments`);
  // Without the type of an argument neither the type of the result nor what holds for it can be told.
  if (untyped) return withMarks(unknownValue(dynamicType), marks);
  const returnType = typeof spec.returnType === "function" ? spec.returnType(bare) : spec.returnType;
  // Parameters that take marked arguments leave it to the function which marks the result has, and that is not asked here.
  if (unknown) for (const arg of args) withoutMarks(arg, marks);
  const result = unknown ? unknownValue(returnType) : spec.call(bare, returnType);
  return withMarks(spec.refineResult ? refine(result, spec.refineResult) : result, marks);
}

function withoutMarks(value: Value, marks: Set<Mark>): Value {
  if (!isMarkedDeep(value)) return value;
  const [bare, found] = unmarkDeep(value);
  for (const mark of found) marks.add(mark);
  return bare;
}

/**
 * The type of a parameter that is given its argument unevaluated, as an expression with the scope of the call: for functions
 * that decide whether and how to evaluate (`try`, `can`). Read it with {@link closureOf} and evaluate it with `evaluate`.
 */
export const closureType: Type = capsuleType("expression");

/** An expression and the scope it stands in. */
export interface Closure {
  readonly expression: Expression;
  readonly scope: Scope;
}

export function closureValue(closure: Closure): Value {
  return capsuleValue(closureType, closure);
}

/** What an argument of {@link closureType} holds. */
export function closureOf(value: Value): Closure {
  const { data } = value;
  invariant(
    value.type === closureType && data !== null && typeof data === "object" && "capsule" in data,
    "closureOf takes a closure",
  );
  return data.capsule as Closure;
}

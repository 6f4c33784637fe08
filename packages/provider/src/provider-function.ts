import type { ConfigValue, FieldType } from "./fields.ts";
import { fromPlain, toPlain } from "./codec.ts";
import { Failure } from "./problem.ts";
import type { FunctionAnswer } from "./protocol.ts";
import type { FunctionParameterSchema, FunctionSchema } from "./schema.ts";
import type { Value } from "@millwright/value/value";

/** A parameter of a function: made by {@link parameter}. */
export interface Parameter<T extends FieldType = FieldType> {
  readonly name: string;
  readonly type: T;
  readonly description?: string;
}

export function parameter<T extends FieldType>(name: string, type: T, description?: string): Parameter<T> {
  return description === undefined ? { name, type } : { name, type, description };
}

/**
 * A function that a provider lends to the language, called as `provider::NAME::FUNCTION(…)`. It computes and does nothing
 * else. Null is passed only to parameters of a nullable type; an argument that is not known yet is never passed.
 */
export interface FunctionDefinition<P extends readonly Parameter[], R extends FieldType> {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters: P;
  /** Takes all further arguments. */
  readonly variadic?: Parameter;
  readonly returns: R;
  /** The result; throws an {@link ArgumentError} for an argument it cannot take. */
  run(...args: [...Arguments<P>, ...rest: unknown[]]): ConfigValue<R>;
}

type Arguments<P extends readonly Parameter[]> = { [I in keyof P]: ConfigValue<P[I]["type"]> };

/** What is wrong with one argument, in a sentence; `argument` counts from 0. */
export class ArgumentError extends Error {
  override readonly name = "ArgumentError";
  readonly argument: number;

  constructor(argument: number, message: string) {
    super(message);
    this.argument = argument;
  }
}

/** A function ready to be served. */
export interface ServedFunction {
  readonly schema: FunctionSchema;
  readonly call: (args: readonly Value[]) => FunctionAnswer;
}

export function defineFunction<const P extends readonly Parameter[], R extends FieldType>(
  definition: FunctionDefinition<P, R>,
): ServedFunction {
  const { parameters, variadic, returns } = definition;
  const schema: FunctionSchema = {
    parameters: parameters.map(parameterSchema),
    ...(variadic ? { variadic: parameterSchema(variadic) } : {}),
    returnType: returns.type,
    ...(definition.summary === undefined ? {} : { summary: definition.summary }),
    ...(definition.description === undefined ? {} : { description: definition.description }),
  };
  return {
    schema,
    call: (args) => {
      const plain = args.map((value, i) => toPlain(value, (parameters[i] ?? variadic)?.type.type ?? value.type));
      try {
        const result = fromPlain(definition.run(...(plain as [...Arguments<P>, ...rest: unknown[]])), returns.type, [
          "function result",
        ]);
        return { ok: true, result, type: result.type };
      } catch (error) {
        if (error instanceof ArgumentError) return { ok: false, message: error.message, argument: error.argument };
        if (error instanceof Failure) return { ok: false, message: error.message };
        throw error;
      }
    },
  };
}

function parameterSchema({ name, type, description }: Parameter): FunctionParameterSchema {
  const schema = { name, type: type.type, allowNull: type.nullable === true, allowUnknown: false };
  return description === undefined ? schema : { ...schema, description };
}

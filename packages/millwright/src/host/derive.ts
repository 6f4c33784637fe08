import { invariant } from "@millwright/core/errors";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { FunctionError } from "@millwright/hcl/function-spec";
import { capsuleType, dynamicType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  asArray,
  asBool,
  asMap,
  asNumber,
  asString,
  capsuleValue,
  dynamicValue,
  isNull,
  isWhollyKnown,
  objectValue,
  tupleValue,
  unmarkDeep,
  withMarks,
} from "@millwright/value/value";
import type { Derived } from "../runtime/compute.ts";
import { literalValue } from "./blocks.ts";

/** Runs function number `id` of a stack with a value, given as JSON. Throws a {@link FunctionError} where it cannot. */
export type RunDerived = (id: number, known: string) => Derived;

export const deriveName = "derive";

// Only a stack's own blocks hold values of this type, so that no `.tf` file can call the function.
const derivationType = capsuleType("function of a stack");

/** What stands for function number `id` in the stack's expressions. */
export function derivation(id: number): Value {
  return capsuleValue(derivationType, id);
}

/** The function that `derive` becomes: unknown as long as anything it is given is, and as secret as that. */
export function deriveFunction(run: RunDerived): FunctionSpec {
  return {
    name: deriveName,
    description: "Computes a value by a function of a stack.",
    parameters: [
      { name: "compute", type: derivationType },
      {
        name: "from",
        type: dynamicType,
        allowNull: true,
        allowUnknown: true,
        allowMarked: true,
        allowDynamicType: true,
      },
    ],
    returnType: dynamicType,
    call([compute, from]) {
      invariant(compute && from, "derive has two parameters");
      const [known, marks] = unmarkDeep(from);
      if (!isWhollyKnown(known)) return withMarks(dynamicValue, marks);
      const result = run(idOf(compute), JSON.stringify(plain(known)));
      if (result.ok) return withMarks(valueOf(result.value), marks);
      // What a function says of a secret may hold it.
      throw new FunctionError(
        marks.size > 0
          ? "its function threw an error, which is not shown because what it was given is secret"
          : result.message.replace(/\.$/, ""),
      );
    },
  };
}

function idOf({ data }: Value): number {
  invariant(typeof data === "object" && data !== null && "capsule" in data, "a derivation is a capsule");
  return data.capsule as number;
}

function plain(value: Value): unknown {
  if (isNull(value)) return null;
  switch (value.type.kind) {
    case "string":
      return asString(value);
    case "bool":
      return asBool(value);
    case "number": {
      const text = asNumber(value).toText();
      const number = Number(text);
      if (/^-?\d+$/.test(text) && !Number.isSafeInteger(number))
        throw new FunctionError(`the number ${text} is larger than JavaScript's numbers are exact`);
      return number;
    }
    case "list":
    case "set":
    case "tuple":
      return asArray(value).map(plain);
    case "map":
    case "object":
      return Object.fromEntries([...asMap(value)].map(([key, inner]) => [key, plain(inner)]));
    default:
      throw new FunctionError(`a value of type ${value.type.kind} has no form in JavaScript`);
  }
}

function valueOf(result: unknown): Value {
  if (Array.isArray(result)) return tupleValue(result.map(valueOf));
  if (typeof result === "object" && result !== null)
    return objectValue(Object.entries(result).map(([key, inner]) => [key, valueOf(inner)] as const));
  return literalValue(result as string | number | boolean | null);
}

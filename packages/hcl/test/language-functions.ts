import { hasErrors } from "@millwright/core/diagnostics";
import { convert } from "@millwright/value/convert";
import type { Type } from "@millwright/value/types";
import { boolType, dynamicType, listType, mapType, numberType, setType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  asNumber,
  asString,
  dynamicValue,
  falseValue,
  isWhollyKnown,
  mark,
  numberValue,
  sensitive,
  stringValue,
  trueValue,
  unknownValue,
} from "@millwright/value/value";
import { evaluate } from "../src/evaluate.ts";
import type { FunctionSpec, Parameter } from "../src/function-spec.ts";
import { closureOf, closureType, FunctionError } from "../src/function-spec.ts";

/** A few functions to test the language with; the real library stands on top of it, in another package. */
export const languageFunctions: ReadonlyMap<string, FunctionSpec> = byName([
  {
    name: "upper",
    description: "The text in capital letters.",
    parameters: [text("str")],
    returnType: stringType,
    refineResult: { notNull: true },
    call: ([value]) => stringValue(asString(value!).toUpperCase()),
  },
  {
    name: "min",
    description: "The least number.",
    parameters: [],
    variadic: { name: "numbers", type: numberType, allowDynamicType: true },
    returnType: numberType,
    refineResult: { notNull: true },
    call: (args) => {
      if (args.length === 0) throw new FunctionError("must pass at least one number");
      return args.reduce((least, value) => (asNumber(value).compare(asNumber(least)) < 0 ? value : least));
    },
  },
  {
    name: "join",
    description: "The strings with a separator between them.",
    parameters: [text("separator")],
    variadic: text("strings"),
    returnType: stringType,
    refineResult: { notNull: true },
    call: ([separator, ...strings]) => stringValue(strings.map(asString).join(asString(separator!))),
  },
  {
    name: "refuse",
    description: "Fails, as a whole or for its second argument.",
    parameters: [text("first"), text("second")],
    returnType: stringType,
    call: ([first]) => {
      throw new FunctionError("it cannot be", asString(first!) === "whole" ? undefined : 1);
    },
  },
  {
    name: "sensitive",
    description: "The value, marked as sensitive.",
    parameters: [anything("value")],
    returnType: ([value]) => value!.type,
    call: ([value]) => mark(value!, sensitive),
  },
  {
    name: "text::twice",
    description: "The text two times.",
    parameters: [text("text")],
    returnType: stringType,
    call: ([value]) => stringValue(asString(value!).repeat(2)),
  },
  {
    name: "length",
    description: "How many characters a text has.",
    parameters: [text("text")],
    returnType: numberType,
    call: ([value]) => numberValue(asString(value!).length),
  },
  conversion("tostring", stringType),
  conversion("tonumber", numberType),
  conversion("tobool", boolType),
  conversion("tolist", listType(dynamicType)),
  conversion("toset", setType(dynamicType)),
  conversion("tomap", mapType(dynamicType)),
  {
    name: "try",
    description: "The first expression without errors.",
    parameters: [],
    variadic: { name: "expressions", type: closureType },
    returnType: dynamicType,
    call: firstWithoutErrors,
  },
  {
    name: "can",
    description: "Whether an expression has no errors.",
    parameters: [{ name: "expression", type: closureType }],
    returnType: boolType,
    call: ([closure]) => {
      const { expression, scope } = closureOf(closure!);
      const { value, diagnostics } = evaluate(expression, scope);
      if (hasErrors(diagnostics)) return falseValue;
      return isWhollyKnown(value) ? trueValue : unknownValue(boolType);
    },
  },
]);

function firstWithoutErrors(closures: readonly Value[]): Value {
  for (const closure of closures) {
    const { expression, scope } = closureOf(closure);
    const { value, diagnostics } = evaluate(expression, scope);
    if (hasErrors(diagnostics)) continue;
    return isWhollyKnown(value) ? value : dynamicValue;
  }
  throw new FunctionError("no call succeeded");
}

function byName(specs: readonly FunctionSpec[]): ReadonlyMap<string, FunctionSpec> {
  return new Map(specs.map((spec) => [spec.name, spec]));
}

function text(name: string): Parameter {
  return { name, type: stringType };
}

function anything(name: string): Parameter {
  return { name, type: dynamicType, allowNull: true, allowUnknown: true, allowMarked: true, allowDynamicType: true };
}

function conversion(name: string, type: Type): FunctionSpec {
  return {
    name,
    description: `Converts to ${type.kind}.`,
    parameters: [anything("v")],
    returnType: ([value]) => converted(value!, type).type,
    call: ([value]) => converted(value!, type),
  };
}

function converted(value: Value, type: Type): Value {
  const result = convert(value, type);
  if (!result.ok) throw new FunctionError(result.message, 0);
  return result.value;
}

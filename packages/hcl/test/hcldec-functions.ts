import { convert } from "@millwright/value/convert";
import { bigFloat } from "@millwright/value/number";
import { hasIndex, lengthOf } from "@millwright/value/operations";
import type { Type } from "@millwright/value/types";
import { boolType, dynamicType, numberType, stringType, tupleType } from "@millwright/value/types";
import { unifiedType } from "@millwright/value/unify";
import type { Value } from "@millwright/value/value";
import { asArray, asNumber, asString, numberValue, stringValue, tupleValue } from "@millwright/value/value";
import type { FunctionSpec, Parameter } from "../src/function-spec.ts";
import { FunctionError } from "../src/function-spec.ts";

/** The functions that expressions in a spec file may call (cmd/hcldec/spec-format.md, "Spec Definition Functions"). */
export const specFunctions: ReadonlyMap<string, FunctionSpec> = byName([
  simple("abs", "The number without its sign.", [number("num")], numberType, ([n]) =>
    numberValue(asNumber(n!).absolute()),
  ),
  {
    ...simple("coalesce", "The first value that is not null.", [], dynamicType, firstNotNull),
    variadic: { name: "vals", type: dynamicType, allowNull: true, allowDynamicType: true },
    returnType: (args: readonly Value[]) => {
      const type = unifiedType(
        args.map((arg) => arg.type),
        "unsafe",
      );
      if (!type) throw new FunctionError("all arguments must have the same type");
      return type;
    },
  },
  {
    ...simple("concat", "The elements of all lists, in order.", [], dynamicType, (args) =>
      tupleValue(args.flatMap(asArray)),
    ),
    variadic: { name: "seqs", type: dynamicType },
    returnType: (args: readonly Value[]) => tupleType(args.flatMap((arg) => asArray(arg).map(({ type }) => type))),
  },
  simple(
    "hasindex",
    "Whether there is an element of that key.",
    [any("collection"), any("key")],
    boolType,
    ([of, key]) => hasIndex(of!, key!),
  ),
  simple("int", "The number without its fraction.", [number("num")], numberType, ([n]) =>
    numberValue(bigFloat(asNumber(n!).truncated())),
  ),
  simple("length", "How many elements there are.", [any("collection")], numberType, ([of]) => lengthOf(of!)),
  simple("lower", "In small letters.", [text("str")], stringType, ([s]) => stringValue(asString(s!).toLowerCase())),
  simple("upper", "In capital letters.", [text("str")], stringType, ([s]) => stringValue(asString(s!).toUpperCase())),
  simple("reverse", "Its characters from the last to the first.", [text("str")], stringType, ([s]) =>
    stringValue(charactersOf(s!).toReversed().join("")),
  ),
  simple("strlen", "How many characters there are.", [text("str")], numberType, ([s]) =>
    numberValue(charactersOf(s!).length),
  ),
  simple("substr", "A part of a text.", [text("str"), number("offset"), number("length")], stringType, part),
  extreme("max", "The greatest number.", 1),
  extreme("min", "The least number.", -1),
]);

function byName(specs: readonly FunctionSpec[]): ReadonlyMap<string, FunctionSpec> {
  return new Map(specs.map((spec) => [spec.name, spec]));
}

function simple(
  name: string,
  description: string,
  parameters: readonly Parameter[],
  returnType: Type,
  call: (args: readonly Value[]) => Value,
): FunctionSpec {
  return { name, description, parameters, returnType, call };
}

function text(name: string): Parameter {
  return { name, type: stringType };
}

function number(name: string): Parameter {
  return { name, type: numberType };
}

function any(name: string): Parameter {
  return { name, type: dynamicType };
}

function firstNotNull(args: readonly Value[]): Value {
  const found = args.find((arg) => arg.data !== null);
  if (!found) throw new FunctionError("no non-null arguments");
  const type = unifiedType(
    args.map((arg) => arg.type),
    "unsafe",
  );
  const converted = convert(found, type ?? found.type);
  if (!converted.ok) throw new FunctionError(converted.message);
  return converted.value;
}

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

function charactersOf(value: Value): readonly string[] {
  return [...segmenter.segment(asString(value))].map(({ segment }) => segment);
}

function part([value, offset, length]: readonly Value[]): Value {
  const characters = charactersOf(value!);
  const given = asNumber(offset!).toNumber();
  const start = given < 0 ? Math.max(0, characters.length + given) : given;
  const count = asNumber(length!).toNumber();
  return stringValue(characters.slice(start, count < 0 ? undefined : start + count).join(""));
}

function extreme(name: string, description: string, direction: number): FunctionSpec {
  const call = (args: readonly Value[]): Value => {
    if (args.length === 0) throw new FunctionError("must pass at least one number");
    return args.reduce((best, arg) => (asNumber(arg).compare(asNumber(best)) * direction > 0 ? arg : best));
  };
  return { ...simple(name, description, [], numberType, call), variadic: number("numbers") };
}

import type { FunctionSpec, Parameter } from "@millwright/hcl/function-spec";
import { countGraphemes } from "@millwright/text/graphemes";
import { bigFloat } from "@millwright/value/number";
import { equality } from "@millwright/value/equality";
import { friendlyName } from "@millwright/value/friendly";
import { lengthOf } from "@millwright/value/operations";
import { refinementsOf } from "@millwright/value/refine";
import { boolType, dynamicType, listType, numberType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  asArray,
  asString,
  boolValue,
  isKnown,
  numberValue,
  unknownValue,
  unmark,
  withMarks,
} from "@millwright/value/value";
import type { Dialect } from "./dialect.ts";
import { integerArgument, isSequence, notNull, refuse } from "./define.ts";

const list: Parameter = { name: "list", type: dynamicType };
const flags: Parameter = { name: "list", type: listType(boolType) };

const alltrue: FunctionSpec = {
  name: "alltrue",
  description: "Whether all elements of a list are true; so they are where there are none.",
  parameters: [flags],
  returnType: boolType,
  refineResult: notNull,
  call: ([whole]) => {
    for (const element of asArray(whole!)) {
      if (!isKnown(element)) return unknownValue(boolType);
      if (element.data !== true) return boolValue(false);
    }
    return boolValue(true);
  },
};

const anytrue: FunctionSpec = {
  name: "anytrue",
  description: "Whether an element of a list is true.",
  parameters: [flags],
  returnType: boolType,
  refineResult: notNull,
  call: ([whole]) => {
    const elements = asArray(whole!);
    if (elements.some((element) => element.data === true)) return boolValue(true);
    return elements.every(isKnown) ? boolValue(false) : unknownValue(boolType);
  },
};

function contains(dialect: Dialect): FunctionSpec {
  const value: Parameter = { name: "value", type: dynamicType };
  return {
    name: "contains",
    description: "Whether a list, set or tuple has an element equal to the given value.",
    parameters: [list, dialect === "opentofu" ? { ...value, allowNull: true } : value],
    returnType: boolType,
    refineResult: notNull,
    call: ([whole, sought]) => {
      if (!isSequence(whole!.type)) refuse("argument must be list, tuple, or set");
      const answers = asArray(whole!).map((element) => equality(sought!, element));
      if (answers.includes(true)) return boolValue(true);
      return answers.includes(undefined) ? unknownValue(boolType) : boolValue(false);
    },
  };
}

/** The place an index stands for: behind the last element it begins again, and below zero it counts back from the end. */
function placeOf(index: Value, length: number): number {
  const given = integerArgument(index, undefined, "invalid index: ");
  if (length === 0) refuse("cannot use element function with an empty list");
  return ((given % length) + length) % length;
}

const element: FunctionSpec = {
  name: "element",
  description: "The element at an index of a list or tuple, where the index begins again behind the last element.",
  parameters: [
    { ...list, allowMarked: true },
    { name: "index", type: numberType },
  ],
  returnType: ([whole, index]) => {
    const { type } = whole!;
    if (type.kind === "list") return type.element;
    if (type.kind !== "tuple") refuse(`cannot read elements from ${friendlyName(type)}`);
    return isKnown(index!) ? type.elements[placeOf(index!, type.elements.length)]! : dynamicType;
  },
  call: ([whole, index]) => {
    const [bare, marks] = unmark(whole!);
    const elements = asArray(bare);
    return withMarks(elements[placeOf(index!, elements.length)]!, marks);
  },
};

const index: FunctionSpec = {
  name: "index",
  description: "The index of the first element of a list or tuple that equals the given value.",
  parameters: [list, { name: "value", type: dynamicType }],
  returnType: numberType,
  refineResult: notNull,
  call: ([whole, sought]) => {
    const { type } = whole!;
    if (type.kind !== "list" && type.kind !== "tuple") refuse("argument must be a list or tuple");
    const elements = asArray(whole!);
    if (elements.length === 0) refuse("cannot search an empty list");
    for (const [place, candidate] of elements.entries()) {
      const same = equality(candidate, sought!);
      if (same === undefined) return unknownValue(numberType);
      if (same) return numberValue(place);
    }
    refuse("item not found");
  },
};

const length: FunctionSpec = {
  name: "length",
  description:
    "The number of elements of a collection, of attributes of an object, or of characters (grapheme clusters) of a string.",
  parameters: [{ name: "value", type: dynamicType, allowUnknown: true, allowDynamicType: true, allowMarked: true }],
  returnType: ([value]) => {
    const { kind } = value!.type;
    if (kind === "number" || kind === "bool" || kind === "capsule") {
      refuse("argument must be a string, a collection type, or a structural type");
    }
    return numberType;
  },
  refineResult: notNull,
  call: ([value]) => {
    const { type, marks } = value!;
    if (type.kind === "dynamic") return withMarks(unknownValue(numberType), marks);
    return type.kind === "string" ? withMarks(stringLength(value!), marks) : lengthOf(value!);
  },
};

function stringLength(value: Value): Value {
  if (isKnown(value)) return numberValue(countGraphemes(asString(value)));
  const least = countGraphemes(refinementsOf(value).prefix ?? "");
  return unknownValue(numberType, { minimum: { value: bigFloat(least), inclusive: true } });
}

/** Functions that look into a collection: whether, where and what. */
export function elementFunctions(dialect: Dialect): readonly FunctionSpec[] {
  return [alltrue, anytrue, contains(dialect), element, index, length];
}

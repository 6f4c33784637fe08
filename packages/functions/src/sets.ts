import type { FunctionSpec, Parameter } from "@millwright/hcl/function-spec";
import { convert } from "@millwright/value/convert";
import { setHas } from "@millwright/value/equality";
import { refine, refinementsOf } from "@millwright/value/refine";
import type { Type } from "@millwright/value/types";
import { dynamicType, listType, setType, tupleType } from "@millwright/value/types";
import { unifiedType } from "@millwright/value/unify";
import type { Mark, Value } from "@millwright/value/value";
import {
  asArray,
  isKnown,
  isWhollyKnown,
  listValue,
  setValue,
  tupleValue,
  unknownValue,
  unmark,
  withMarks,
} from "@millwright/value/value";
import { notNull, refuse } from "./define.ts";

const setOfAny: Omit<Parameter, "name"> = { type: setType(dynamicType), allowDynamicType: true };

type Elements = readonly Value[];

const setintersection: FunctionSpec = {
  name: "setintersection",
  description: "The elements that all of the given sets have.",
  parameters: [{ ...setOfAny, name: "first_set" }],
  variadic: { ...setOfAny, name: "other_sets" },
  returnType: commonSetType,
  refineResult: notNull,
  call: (sets, returnType) => onKnownSets(sets, returnType, (a, b) => a.filter((element) => setHas(b, element))),
};

const setsubtract: FunctionSpec = {
  name: "setsubtract",
  description: "The elements of the first set that the second has not.",
  parameters: [
    { ...setOfAny, name: "a" },
    { ...setOfAny, name: "b" },
  ],
  returnType: commonSetType,
  refineResult: notNull,
  call: (sets, returnType) => onKnownSets(sets, returnType, (a, b) => a.filter((element) => !setHas(b, element))),
};

const setunion: FunctionSpec = {
  name: "setunion",
  description: "The elements that any of the given sets has.",
  parameters: [{ ...setOfAny, name: "first_set" }],
  variadic: { ...setOfAny, name: "other_sets" },
  returnType: commonSetType,
  refineResult: notNull,
  call: (sets, returnType) => setValue(converted(sets, returnType).flatMap(asArray), elementOf(returnType)),
};

/** The set type that all the sets convert to; those without elements and element type have no say. */
function commonSetType(sets: readonly Value[]): Type {
  const elements = sets
    .filter((set) => !(isKnown(set) && asArray(set).length === 0 && elementOf(set.type).kind === "dynamic"))
    .map((set) => elementOf(set.type));
  if (elements.length === 0) return setType(dynamicType);
  const type = unifiedType(elements, "unsafe");
  return type ? setType(type) : refuse("given sets must all have compatible element types");
}

function elementOf(type: Type): Type {
  return (type as Extract<Type, { readonly element: Type }>).element;
}

function converted(sets: readonly Value[], type: Type): Value[] {
  return sets.map((set, argument) => {
    const result = convert(set, type);
    return result.ok ? result.value : refuse(result.message, argument);
  });
}

/** `combine` over all sets from left to right; where one is not wholly known, neither is the result. */
function onKnownSets(sets: readonly Value[], type: Type, combine: (a: Elements, b: Elements) => Elements): Value {
  const all = converted(sets, type);
  if (!all.every(isWhollyKnown)) return unknownValue(type);
  return setValue(all.map(asArray).reduce(combine), elementOf(type));
}

const setproduct: FunctionSpec = {
  name: "setproduct",
  description:
    "All combinations of one element of each given set, list or tuple; a list, in order, where none is a set.",
  parameters: [],
  variadic: { name: "sets", type: dynamicType, allowUnknown: true, allowMarked: true },
  returnType: (args) => {
    if (args.length < 2) refuse("at least two arguments are required");
    const row = tupleType(args.map((arg, argument) => factorType(arg.type, argument)));
    return args.some((arg) => arg.type.kind === "set") ? setType(row) : listType(row);
  },
  refineResult: notNull,
  call: (args, returnType) => {
    const marks = new Set<Mark>(args.flatMap((arg) => [...arg.marks]));
    const row = elementOf(returnType);
    const factors = args.map((arg) => unmark(arg)[0]);
    if (!factors.every(hasKnownLength))
      return withMarks(refine(unknownValue(returnType), productLength(factors)), marks);
    const count = factors.reduce((product, factor) => product * asArray(factor).length, 1);
    if (count > mostCombinations) refuse(`there are ${count} combinations, which is too many`);
    const types = (row as Extract<Type, { kind: "tuple" }>).elements;
    let rows: Elements[] = [[]];
    for (const [place, factor] of factors.entries()) {
      const elements = asArray(factor).map((element) => elementAs(element, types[place]!));
      rows = rows.flatMap((begun) => elements.map((element) => [...begun, element]));
    }
    const product = rows.map(tupleValue);
    return withMarks(returnType.kind === "list" ? listValue(product, row) : setValue(product, row), marks);
  },
};

/** What each element of a factor becomes. */
function factorType(type: Type, argument: number): Type {
  if (type.kind === "set" || type.kind === "list") return type.element;
  if (type.kind !== "tuple") refuse("a set or a list is required", argument);
  if (type.elements.length === 0) return dynamicType;
  return unifiedType(type.elements, "unsafe") ?? refuse("all elements must be of the same type", argument);
}

function elementAs(element: Value, type: Type): Value {
  const result = convert(element, type);
  return result.ok ? result.value : refuse(result.message);
}

function hasKnownLength(value: Value): boolean {
  return isKnown(value) && (value.type.kind !== "set" || asArray(value).length <= 1 || isWhollyKnown(value));
}

/** More than this is refused, before it takes the memory. */
const mostCombinations = 2 ** 23;

const largestFactor = 1024;
const largestProduct = 2048;

/** How many rows there will be at most; not worth knowing where it is very many. */
function productLength(factors: readonly Value[]): { minimumLength?: number; maximumLength?: number } {
  let most = 1;
  for (const { type, data, marks } of factors) {
    const length =
      type.kind === "tuple"
        ? type.elements.length
        : Array.isArray(data)
          ? data.length
          : (refinementsOf({ type, data, marks }).maximumLength ?? Infinity);
    if (length > largestFactor) return {};
    most *= length;
    if (most > largestProduct) return {};
  }
  return most === 0 ? { maximumLength: 0 } : { minimumLength: 1, maximumLength: most };
}

export const setFunctions: readonly FunctionSpec[] = [setintersection, setproduct, setsubtract, setunion];

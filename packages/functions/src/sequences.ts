import type { FunctionSpec, Parameter } from "@millwright/hcl/function-spec";
import { convert } from "@millwright/value/convert";
import { equality } from "@millwright/value/equality";
import { friendlyName } from "@millwright/value/friendly";
import { refine, refinementsOf } from "@millwright/value/refine";
import type { Type } from "@millwright/value/types";
import {
  compareKeys,
  dynamicType,
  listType,
  numberType,
  stringType,
  tupleType,
  typeEquals,
} from "@millwright/value/types";
import { unifiedType } from "@millwright/value/unify";
import type { Mark, Value } from "@millwright/value/value";
import {
  asArray,
  asNumber,
  asString,
  isKnown,
  isNull,
  isWhollyKnown,
  listValue,
  nullValue,
  stringValue,
  tupleValue,
  unknownValue,
  unmark,
  withMarks,
} from "@millwright/value/value";
import { integerArgument, isSequence, listOfType, notNull, refuse } from "./define.ts";

const list: Parameter = { name: "list", type: dynamicType };
const listOfAny: Parameter = { name: "list", type: listType(dynamicType) };
const listOfStrings: Parameter = { name: "list", type: listType(stringType) };

const chunklist: FunctionSpec = {
  name: "chunklist",
  description: "The list cut into lists of at most the given number of elements.",
  parameters: [
    { ...listOfAny, allowMarked: true },
    { name: "size", type: numberType, allowMarked: true },
  ],
  returnType: ([whole]) => listType(whole!.type),
  refineResult: notNull,
  call: (args) => {
    const [whole, listMarks] = unmark(args[0]!);
    const [sizeValue, sizeMarks] = unmark(args[1]!);
    const size = integerArgument(sizeValue, undefined, "invalid size: ");
    if (size < 0) refuse("the size argument must be positive");
    const elements = asArray(whole);
    const chunks: Value[] = [];
    const step = size === 0 ? Math.max(1, elements.length) : size;
    for (let i = 0; i < elements.length; i += step) {
      chunks.push({ ...whole, data: elements.slice(i, i + step) });
    }
    return withMarks(listValue(chunks, whole.type), [...listMarks, ...sizeMarks]);
  },
};

const coalesce: FunctionSpec = {
  name: "coalesce",
  description: "The first argument that is neither null nor an empty string.",
  parameters: [],
  variadic: { name: "vals", type: dynamicType, allowNull: true, allowUnknown: true, allowDynamicType: true },
  returnType: (args) => {
    return commonType(args) ?? refuse("all arguments must have the same type");
  },
  refineResult: notNull,
  call: (args, returnType) => {
    for (const arg of args) {
      const converted = convert(arg, returnType);
      const value = converted.ok ? converted.value : arg;
      if (!isKnown(value)) return unknownValue(returnType);
      if (value.data !== null && value.data !== "") return value;
    }
    refuse("no non-null, non-empty-string arguments");
  },
};

const coalescelist: FunctionSpec = {
  name: "coalescelist",
  description: "The first list or tuple that has elements.",
  parameters: [],
  variadic: { name: "vals", type: dynamicType, allowNull: true, allowUnknown: true, allowDynamicType: true },
  returnType: (args) => {
    if (args.length === 0) refuse("at least one argument is required");
    for (const { type, data } of args) {
      if (!isKnown({ type, data, marks: new Set() })) return dynamicType;
      if (type.kind !== "list" && type.kind !== "tuple") refuse("coalescelist arguments must be lists or tuples");
    }
    return args.every((arg) => typeEquals(arg.type, args[0]!.type)) ? args[0]!.type : dynamicType;
  },
  refineResult: notNull,
  call: (args, returnType) => {
    for (const arg of args) {
      if (!isKnown(arg)) return unknownValue(returnType);
      if (!isNull(arg) && asArray(arg).length > 0) return arg;
    }
    refuse("no non-null arguments");
  },
};

const compact: FunctionSpec = {
  name: "compact",
  description: "The list of strings without those that are empty or null.",
  parameters: [listOfStrings],
  returnType: listType(stringType),
  refineResult: notNull,
  call: ([strings], returnType) => {
    if (!isWhollyKnown(strings!)) return unknownValue(returnType);
    return listValue(
      asArray(strings!).filter((element) => element.data !== null && element.data !== ""),
      stringType,
    );
  },
};

const concat: FunctionSpec = {
  name: "concat",
  description: "All elements of the given lists or tuples, one after another.",
  parameters: [],
  variadic: { name: "seqs", type: dynamicType, allowMarked: true },
  returnType: (args) => {
    if (args.length === 0) refuse("at least one argument is required");
    if (args.every((arg) => arg.type.kind === "list")) {
      const type = commonType(args);
      if (type) return type;
    }
    const types: Type[] = [];
    for (const [index, arg] of args.entries()) {
      const { type } = arg;
      if (type.kind === "tuple") types.push(...type.elements);
      else if (type.kind !== "list") refuse(`all arguments must be lists or tuples; got ${friendlyName(type)}`, index);
      else if (!isKnown(arg)) return dynamicType;
      else types.push(...asArray(arg).map(() => type.element));
    }
    return tupleType(types);
  },
  refineResult: notNull,
  call: (args, returnType) => {
    const marks = new Set<Mark>();
    const elements: Value[] = [];
    for (const [index, arg] of args.entries()) {
      const converted = returnType.kind === "list" ? convert(arg, returnType) : { ok: true as const, value: arg };
      if (!converted.ok) refuse(converted.message, index);
      for (const mark of converted.value.marks) marks.add(mark);
      elements.push(...asArray(converted.value));
    }
    const result = returnType.kind === "list" ? listValue(elements, returnType.element) : tupleValue(elements);
    return withMarks(result, marks);
  },
};

const distinct: FunctionSpec = {
  name: "distinct",
  description: "The list without the elements that were there before.",
  parameters: [listOfAny],
  returnType: ([whole]) => whole!.type,
  refineResult: notNull,
  call: ([whole], returnType) => {
    if (!isWhollyKnown(whole!)) return unknownValue(returnType);
    const kept: Value[] = [];
    for (const element of asArray(whole!)) {
      if (!kept.some((before) => equality(before, element))) kept.push(element);
    }
    return listOfType(kept, returnType);
  },
};

const flatten: FunctionSpec = {
  name: "flatten",
  description: "A tuple of the elements, in which each list, set or tuple is replaced by its elements, at every depth.",
  parameters: [{ ...list, allowMarked: true }],
  returnType: ([whole]) => {
    if (!isWhollyKnown(whole!)) return dynamicType;
    if (!isSequence(whole!.type)) refuse("can only flatten lists, sets and tuples");
    const flat = flattened(whole!);
    return flat.elements ? tupleType(flat.elements.map((element) => element.type)) : dynamicType;
  },
  refineResult: notNull,
  call: ([whole], returnType) => {
    if (!isSequence(whole!.type)) refuse("can only flatten lists, sets and tuples");
    const { elements, marks } = flattened(whole!);
    return withMarks(elements ? tupleValue(elements) : unknownValue(returnType), marks);
  },
};

/** The elements at every depth, or none where that many are not known yet; and the marks of all sequences gone through. */
function flattened(sequence: Value): { elements: Value[] | undefined; marks: Set<Mark> } {
  const marks = new Set(sequence.marks);
  // A set with unknown elements may turn out to have fewer.
  if (sequence.type.kind === "set" && !isWhollyKnown(sequence)) return { elements: undefined, marks };
  let elements: Value[] | undefined = [];
  for (const element of asArray(sequence)) {
    if (element.type.kind === "dynamic" && !isKnown(element)) elements = undefined;
    else if (element.data === null || !isSequence(element.type)) elements?.push(element);
    else if (!isKnown(element)) {
      for (const mark of element.marks) marks.add(mark);
      elements = undefined;
    } else {
      const inner = flattened(element);
      for (const mark of inner.marks) marks.add(mark);
      if (inner.elements) elements?.push(...inner.elements);
      else elements = undefined;
    }
  }
  return { elements, marks };
}

const matchkeys: FunctionSpec = {
  name: "matchkeys",
  description: "Those of the values whose key, at the same place in a second list, is in the search set.",
  parameters: [
    { ...listOfAny, name: "values" },
    { ...listOfAny, name: "keys" },
    { ...listOfAny, name: "searchset" },
  ],
  returnType: ([values, keys, searchset]) => {
    if (!commonType([keys!, searchset!])) refuse("keys and searchset must be of the same type");
    return values!.type;
  },
  refineResult: notNull,
  call: ([values, keys, searchset], returnType) => {
    const all = asArray(values!);
    if (all.length !== asArray(keys!).length) refuse("length of keys and values should be equal");
    const type = commonType([keys!, searchset!])!;
    const [wanted, sought] = [convert(keys!, type), convert(searchset!, type)];
    if (!wanted.ok || !sought.ok) refuse("keys and searchset must be of the same type");
    const search = asArray(sought.value);
    if (search.length === 0) return listOfType([], returnType);
    if (!isWhollyKnown(values!) || !isWhollyKnown(wanted.value)) return unknownValue(returnType);
    const found: Value[] = [];
    for (const [place, key] of asArray(wanted.value).entries()) {
      for (const candidate of search) {
        const same = equality(key, candidate);
        // As the reference: one comparison that cannot be made yet empties the whole.
        if (same === undefined) return listOfType([], returnType);
        if (!same) continue;
        found.push(all[place]!);
        break;
      }
    }
    return listOfType(found, returnType);
  },
};

const reverse: FunctionSpec = {
  name: "reverse",
  description: "The elements of a list or tuple in reverse order.",
  parameters: [{ ...list, allowMarked: true }],
  returnType: ([whole]) => {
    const { type } = whole!;
    if (type.kind === "tuple") return tupleType([...type.elements].reverse());
    if (type.kind === "list" || type.kind === "set") return listType(type.element);
    refuse(`can only reverse list or tuple values, not ${friendlyName(type)}`, 0);
  },
  refineResult: notNull,
  call: ([whole], returnType) => {
    const [bare, marks] = unmark(whole!);
    const reversed = [...asArray(bare)].reverse();
    return withMarks(returnType.kind === "tuple" ? tupleValue(reversed) : listOfType(reversed, returnType), marks);
  },
};

const slice: FunctionSpec = {
  name: "slice",
  description: "The elements of a list or tuple from a start index up to an end index, which is left out.",
  parameters: [
    { ...list, allowMarked: true },
    { name: "start_index", type: numberType },
    { name: "end_index", type: numberType },
  ],
  returnType: (args) => {
    const { type } = args[0]!;
    if (type.kind === "set") {
      const advice = "explicitly convert to a list if the ordering of the result is not important";
      refuse(`cannot slice a set, because its elements do not have indices; ${advice}`, 0);
    }
    if (type.kind !== "list" && type.kind !== "tuple") refuse("must be a list or tuple value", 0);
    const bounds = sliceBounds(args);
    if (type.kind === "list") return type;
    return bounds ? tupleType(type.elements.slice(...bounds)) : dynamicType;
  },
  refineResult: notNull,
  call: (args, returnType) => {
    const [bare, marks] = unmark(args[0]!);
    const elements = asArray(bare).slice(...sliceBounds(args)!);
    return withMarks(returnType.kind === "tuple" ? tupleValue(elements) : listOfType(elements, returnType), marks);
  },
};

/** Start and end, or undefined where one of them is not known yet; what is known is checked. */
function sliceBounds([whole, startIndex, endIndex]: readonly Value[]): [start: number, end: number] | undefined {
  const { type } = whole!;
  const length = type.kind === "tuple" ? type.elements.length : isKnown(whole!) ? asArray(whole!).length : Infinity;
  const check = (value: Value, argument: number, which: string): number | undefined => {
    if (!isKnown(value)) return undefined;
    const index = integerArgument(value, argument, `invalid ${which} index: `);
    if (index < 0) refuse(`${which} index must not be less than zero`, argument);
    if (index > length) refuse(`${which} index must not be greater than the length of the list`, argument);
    return index;
  };
  const start = check(startIndex!, 1, "start");
  const end = check(endIndex!, 2, "end");
  if (start === undefined || end === undefined) return undefined;
  if (start > end) refuse("start index must not be greater than end index", 1);
  return [start, end];
}

const sort: FunctionSpec = {
  name: "sort",
  description: "The list of strings in the order of their characters' code points.",
  parameters: [{ ...listOfStrings, allowUnknown: true }],
  returnType: listType(stringType),
  refineResult: notNull,
  call: ([strings], returnType) => {
    if (!isWhollyKnown(strings!)) {
      const { minimumLength = 0, maximumLength } = refinementsOf(strings!);
      return refine(unknownValue(returnType), {
        minimumLength,
        ...(maximumLength === undefined ? {} : { maximumLength }),
      });
    }
    const elements = asArray(strings!);
    const nothing = elements.findIndex(isNull);
    if (nothing >= 0) refuse(`given list element ${nothing} is null; a null string cannot be sorted`);
    const sorted = elements.map(asString).sort(compareKeys);
    return listValue(sorted.map(stringValue), stringType);
  },
};

const sum: FunctionSpec = {
  name: "sum",
  description: "The sum of a list, set or tuple of numbers.",
  parameters: [list],
  returnType: numberType,
  refineResult: notNull,
  call: ([whole]) => {
    const { type, data } = whole!;
    const size = Array.isArray(data) ? data.length : data instanceof Map ? data.size : undefined;
    if (size === undefined) refuse("cannot sum noniterable", 0);
    if (size === 0) refuse("cannot sum an empty list", 0);
    if (!isSequence(type)) refuse(`argument must be list, set, or tuple. Received ${friendlyName(type)}`, 0);
    if (!isWhollyKnown(whole!)) return unknownValue(numberType);
    const numbers = asArray(whole!).map((element) => {
      const converted = convert(element, numberType);
      if (!converted.ok || isNull(element)) refuse("argument must be list, set, or tuple of number values", 0);
      return asNumber(converted.value);
    });
    const total = numbers.reduce((a, b) => a.add(b) ?? refuse("can't compute sum of opposing infinities"));
    return { type: numberType, data: total, marks: new Set() };
  },
};

const one: FunctionSpec = {
  name: "one",
  description: "The only element of a list, set or tuple, or null where it has none.",
  parameters: [list],
  returnType: ([whole]) => {
    const { type } = whole!;
    if (type.kind === "list" || type.kind === "set") return type.element;
    if (type.kind !== "tuple" || type.elements.length > 1) refuseMoreThanOne();
    return type.elements[0] ?? dynamicType;
  },
  call: ([whole], returnType) => {
    const elements = asArray(whole!);
    // Elements of a set that are not known yet may turn out to be the same one.
    if (whole!.type.kind === "set" && elements.length > 1 && !isWhollyKnown(whole!)) return unknownValue(returnType);
    if (elements.length > 1) refuseMoreThanOne();
    return elements[0] ?? nullValue(returnType);
  },
};

function refuseMoreThanOne(): never {
  refuse("must be a list, set, or tuple value with either zero or one elements", 0);
}

/** The type that all values convert to, even if only some of their kind do. */
function commonType(values: readonly Value[]): Type | undefined {
  return unifiedType(
    values.map((value) => value.type),
    "unsafe",
  );
}

export const sequenceFunctions: readonly FunctionSpec[] = [
  chunklist,
  coalesce,
  coalescelist,
  compact,
  concat,
  distinct,
  flatten,
  matchkeys,
  one,
  reverse,
  slice,
  sort,
  sum,
];

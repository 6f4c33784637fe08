import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { convert } from "@millwright/value/convert";
import { friendlyName } from "@millwright/value/friendly";
import { quote } from "@millwright/text/quote";
import type { Type } from "@millwright/value/types";
import {
  compareKeys,
  dynamicType,
  emptyObjectType,
  listType,
  mapType,
  objectType,
  stringType,
  tupleType,
  typeEquals,
} from "@millwright/value/types";
import type { Mark, Value } from "@millwright/value/value";
import {
  asArray,
  asMap,
  asString,
  isKnown,
  isNull,
  isWhollyKnown,
  listValue,
  mapValue,
  objectValue,
  stringValue,
  tupleValue,
  unknownValue,
  unmark,
  withMarks,
} from "@millwright/value/value";
import { listOfType, notNull, refuse, unlessSecret } from "./define.ts";

const keys: FunctionSpec = {
  name: "keys",
  description: "The keys of a map, or the names of an object's attributes, in order.",
  parameters: [{ name: "inputMap", type: dynamicType, allowUnknown: true, allowMarked: true }],
  returnType: ([map]) => {
    const { type } = map!;
    if (type.kind === "map") return listType(stringType);
    if (type.kind !== "object") refuse("must have map or object type", 0);
    return tupleType([...type.attributes].map(() => stringType));
  },
  refineResult: notNull,
  call: ([map], returnType) => {
    const { type, marks } = map!;
    if (type.kind === "object") {
      return withMarks(tupleValue([...type.attributes.keys()].map(stringValue)), marks);
    }
    if (!isKnown(map!)) return withMarks(unknownValue(returnType), marks);
    return withMarks(listValue([...asMap(map!).keys()].map(stringValue), stringType), marks);
  },
};

const values: FunctionSpec = {
  name: "values",
  description: "The values of a map or object, in the order of their keys.",
  parameters: [{ name: "mapping", type: dynamicType, allowMarked: true }],
  returnType: ([map]) => {
    const { type } = map!;
    if (type.kind === "map") return listType(type.element);
    if (type.kind !== "object") refuse("values() requires a map as the first argument");
    return tupleType([...type.attributes.values()]);
  },
  refineResult: notNull,
  call: ([map], returnType) => {
    const elements = [...asMap(map!).values()];
    return withMarks(returnType.kind === "tuple" ? tupleValue(elements) : listOfType(elements, returnType), map!.marks);
  },
};

const lookup: FunctionSpec = {
  name: "lookup",
  description: "The value of a map or object under a key, or a default where the key is not there.",
  parameters: [
    { name: "inputMap", type: dynamicType, allowMarked: true },
    { name: "key", type: stringType, allowMarked: true },
  ],
  variadic: {
    name: "default",
    type: dynamicType,
    allowNull: true,
    allowUnknown: true,
    allowDynamicType: true,
    allowMarked: true,
  },
  returnType: (args) => {
    const [map, key, fallback] = args as [Value, Value, Value?];
    if (args.length > 3) refuse(`lookup() takes two or three arguments, got ${args.length}`);
    const { type } = map;
    if (type.kind === "map") {
      if (fallback && !convert(fallback, type.element).ok) {
        refuse("the default value must have the same type as the map elements", 2);
      }
      return type.element;
    }
    if (type.kind !== "object") refuse("lookup() requires a map as the first argument", 0);
    if (!isKnown(key)) return dynamicType;
    const found = type.attributes.get(asString(key)) ?? fallback?.type;
    return found ?? refuse(`the given object has no attribute ${unlessSecret(quote(asString(key)), key.marks)}`, 0);
  },
  call: (args, returnType) => {
    const [map, key, fallback] = args as [Value, Value, Value?];
    const marks = [...map.marks, ...key.marks];
    const found = asMap(map).get(asString(key));
    if (found) return withMarks(found, marks);
    if (!fallback) refuse(`lookup failed to find key ${unlessSecret(quote(asString(key)), key.marks)}`);
    const converted = convert(fallback, returnType);
    if (!converted.ok) refuse(converted.message);
    return withMarks(converted.value, marks);
  },
};

const merge: FunctionSpec = {
  name: "merge",
  description: "One map or object with the entries of all the given ones; of those with one key the last one wins.",
  parameters: [],
  variadic: { name: "maps", type: dynamicType, allowNull: true, allowDynamicType: true, allowMarked: true },
  returnType: mergedType,
  refineResult: notNull,
  call: (args, returnType) => {
    const marks = new Set<Mark>();
    const entries = new Map<string, Value>();
    for (const arg of args) {
      // Behind a null of no type, the types of the others have not been looked at.
      if (arg.type.kind !== "dynamic") mappingType(arg.type);
      if (isNull(arg)) continue;
      for (const mark of arg.marks) marks.add(mark);
      for (const [key, value] of asMap(arg)) entries.set(key, value);
    }
    return withMarks(returnType.kind === "map" ? mapValue(entries, returnType.element) : objectValue(entries), marks);
  },
};

function mappingType(type: Type): Extract<Type, { kind: "map" | "object" }> {
  if (type.kind === "map" || type.kind === "object") return type;
  refuse(`arguments must be maps or objects, got ${quote(friendlyName(type))}`);
}

/** The one type that all have, or an object type of all that is known of the attributes. */
function mergedType(args: readonly Value[]): Type {
  const attributes = new Map<string, Type>();
  const types: Type[] = [];
  let areKeysKnown = true;
  for (const arg of args) {
    if (arg.type.kind === "dynamic") return dynamicType;
    const type = mappingType(arg.type);
    if (type.kind === "object") {
      types.push(isNull(arg) ? emptyObjectType : type);
      if (!isNull(arg)) for (const [name, attribute] of type.attributes) attributes.set(name, attribute);
    } else {
      types.push(type);
      if (!isKnown(arg)) areKeysKnown = false;
      else if (!isNull(arg)) for (const key of asMap(arg).keys()) attributes.set(key, type.element);
    }
  }
  const first = types[0] ?? emptyObjectType;
  if (types.every((type) => typeEquals(type, first))) return first;
  return areKeysKnown ? objectType(attributes) : dynamicType;
}

const transpose: FunctionSpec = {
  name: "transpose",
  description:
    "A map of lists of strings turned around: each string becomes a key, with the list of the keys it was under.",
  parameters: [{ name: "values", type: mapType(listType(stringType)) }],
  returnType: mapType(listType(stringType)),
  refineResult: notNull,
  call: ([map], returnType) => {
    if (!isWhollyKnown(map!)) return unknownValue(returnType);
    const turned = new Map<string, string[]>();
    for (const [key, list] of asMap(map!)) {
      if (isNull(list)) refuse("input must not contain null list");
      for (const element of asArray(list)) {
        if (isNull(element)) refuse("input list must not contain null string");
        const name = asString(element);
        turned.set(name, [...(turned.get(name) ?? []), key]);
      }
    }
    const entries = [...turned].map(([key, names]) => {
      return [key, listValue(names.sort(compareKeys).map(stringValue), stringType)] as const;
    });
    return mapValue(entries, listType(stringType));
  },
};

const zipmap: FunctionSpec = {
  name: "zipmap",
  description: "A map or object of a list of keys and a list or tuple of as many values.",
  parameters: [
    { name: "keys", type: listType(stringType), allowMarked: true },
    { name: "values", type: dynamicType, allowMarked: true },
  ],
  returnType: ([keyList, valueList]) => {
    const { type } = valueList!;
    if (type.kind === "list") return mapType(type.element);
    if (type.kind !== "tuple") refuse("values argument must be a list or tuple value");
    if (!isWhollyKnown(keyList!)) return dynamicType;
    const names = asArray(keyList!);
    checkCounts(names.length, type.elements.length);
    return objectType(names.map((name, i) => [keyAt(name, i), type.elements[i]!] as const));
  },
  refineResult: notNull,
  call: ([keyList, valueList], returnType) => {
    const marks = new Set<Mark>([...keyList!.marks, ...valueList!.marks]);
    if (!isWhollyKnown(keyList!)) return withMarks(unknownValue(returnType), marks);
    const names = asArray(keyList!);
    const elements = asArray(unmark(valueList!)[0]);
    checkCounts(names.length, elements.length);
    for (const name of names) for (const mark of name.marks) marks.add(mark);
    const entries = new Map(names.map((name, i) => [keyAt(name, i), elements[i]!] as const));
    return withMarks(returnType.kind === "map" ? mapValue(entries, returnType.element) : objectValue(entries), marks);
  },
};

function checkCounts(names: number, elements: number): void {
  if (names !== elements) refuse(`number of keys (${names}) does not match number of values (${elements})`);
}

function keyAt(name: Value, place: number): string {
  if (isNull(name)) refuse(`keys list has null value at index ${place}`);
  return asString(name);
}

export const mappingFunctions: readonly FunctionSpec[] = [keys, lookup, merge, transpose, values, zipmap];

import fc from "fast-check";
import { parseBigFloat } from "../src/number.ts";
import type { Type } from "../src/types.ts";
import {
  boolType,
  dynamicType,
  listType,
  mapType,
  numberType,
  objectType,
  setType,
  stringType,
  tupleType,
} from "../src/types.ts";
import type { Value } from "../src/value.ts";
import {
  asNumber,
  boolValue,
  listValue,
  mapValue,
  mark,
  nullValue,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
} from "../src/value.ts";

/** What besides known and unmarked values there may be. */
export interface Kinds {
  readonly unknown: boolean;
  readonly marked: boolean;
}

const everything: Kinds = { unknown: true, marked: true };
export const knownOnly: Kinds = { unknown: false, marked: false };
export const unmarkedOnly: Kinds = { unknown: true, marked: false };

/** Any value of any type but capsules. */
export function anyValue(kinds: Kinds = everything): fc.Arbitrary<Value> {
  return anyType(2).chain((type) => valueOfType(type, kinds));
}

/** A type, without `dynamic` and optional attributes, nested to `depth` at most. */
export function anyType(depth: number): fc.Arbitrary<Type> {
  types[depth] ??= typesOf(depth);
  return types[depth];
}

const types: fc.Arbitrary<Type>[] = [];

function typesOf(depth: number): fc.Arbitrary<Type> {
  const primitive = fc.constantFrom(stringType, numberType, boolType);
  if (depth === 0) return primitive;
  const inner = anyType(depth - 1);
  return fc.oneof(
    primitive,
    inner.map(listType),
    inner.map(setType),
    inner.map(mapType),
    fc.array(inner, { maxLength: 3 }).map(tupleType),
    fc.dictionary(fc.constantFrom("a", "b", "10", "9", "é"), inner, { maxKeys: 3 }).map((record) => objectType(record)),
  );
}

export function valueOfType(type: Type, kinds: Kinds): fc.Arbitrary<Value> {
  const arbitraries = [
    { weight: 8, arbitrary: knownOfType(type, kinds) },
    { weight: 1, arbitrary: fc.constant(nullValue(type)) },
  ];
  if (kinds.unknown) arbitraries.push({ weight: 1, arbitrary: fc.constant(unknownValue(type)) });
  const value = fc.oneof(...arbitraries);
  if (!kinds.marked) return value;
  return fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: value.map((v) => mark(v, "sensitive")) });
}

const anyNumber = fc.oneof(
  fc.integer().map((n) => numberValue(n)),
  fc
    .stringMatching(/^-?[0-9]{1,25}(\.[0-9]{1,25})?$/)
    .map((text) => numberValue(parseBigFloat(text)!))
    // The formats do not keep the sign of zero.
    .filter((value) => !(asNumber(value).isZero && asNumber(value).isNegative)),
);

const anyString = fc.string({ unit: "grapheme", maxLength: 12 }).map(stringValue);

function knownOfType(type: Type, kinds: Kinds): fc.Arbitrary<Value> {
  switch (type.kind) {
    case "string":
      return anyString;
    case "number":
      return anyNumber;
    case "bool":
      return fc.boolean().map(boolValue);
    case "list":
      return elements(type.element, kinds).map((list) => listValue(list, type.element));
    case "set":
      return elements(type.element, kinds).map((list) => setValue(list, type.element));
    case "map":
      return fc
        .dictionary(fc.string({ maxLength: 5 }), valueOfType(type.element, kinds), { maxKeys: 4 })
        .map((record) => mapValue(Object.entries(record), type.element));
    case "tuple":
      return fc.tuple(...type.elements.map((t) => valueOfType(t, kinds))).map(tupleValue);
    case "object": {
      const attributes = [...type.attributes].map(([name, t]) => valueOfType(t, kinds).map((v) => [name, v] as const));
      return fc.tuple(...attributes).map((entries) => objectValue(entries));
    }
    default:
      return fc.constant(nullValue(dynamicType));
  }
}

function elements(element: Type, kinds: Kinds): fc.Arbitrary<Value[]> {
  return fc.array(valueOfType(element, kinds), { maxLength: 4 });
}

import { rawEquals } from "@millwright/value/operations";
import { bigFloat } from "@millwright/value/number";
import { listType, mapType, numberType, objectType, setType, stringType, tupleType } from "@millwright/value/types";
import type { Type } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  listValue,
  mapValue,
  nullValue,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
} from "@millwright/value/value";
import { expect, test } from "vitest";
import { fromPlain, toPlain } from "./codec.ts";

const s = stringValue;
const precise = numberValue(bigFloat("0.30000000000000000000000000000000000001"));

const cases: readonly { name: string; type: Type; value: Value; plain: unknown }[] = [
  { name: "a string", type: stringType, value: s("a"), plain: "a" },
  { name: "a fraction, by its decimal text", type: numberType, value: numberValue(bigFloat("0.1")), plain: 0.1 },
  { name: "null", type: stringType, value: nullValue(stringType), plain: null },
  { name: "unknown", type: stringType, value: unknownValue(stringType), plain: undefined },
  { name: "a list", type: listType(stringType), value: listValue([s("a"), nullValue(stringType)]), plain: ["a", null] },
  {
    name: "a set, sorted and once each",
    type: setType(stringType),
    value: setValue([s("a"), s("b")]),
    plain: ["a", "b"],
  },
  { name: "a map", type: mapType(stringType), value: mapValue([["k", s("v")]]), plain: { k: "v" } },
  {
    name: "a tuple",
    type: tupleType([stringType, numberType]),
    value: tupleValue([s("a"), numberValue(1)]),
    plain: ["a", 1],
  },
  { name: "an object", type: objectType({ a: stringType }), value: objectValue({ a: s("x") }), plain: { a: "x" } },
  { name: "a value of any type, as it is", type: { kind: "dynamic" }, value: s("a"), plain: s("a") },
];

test.each(cases)("$name goes to plain data and back", ({ type, value, plain }) => {
  expect(toPlain(value, type)).toEqual(plain);
  expect(rawEquals(fromPlain(plain, type, ["test"]), value)).toBe(true);
});

test("what says the same as before is what it was, with every digit and refinement", () => {
  const settled = unknownValue(stringType, { notNull: true });
  expect(fromPlain(undefined, stringType, ["test"], settled)).toBe(settled);
  expect(fromPlain(toPlain(precise, numberType), numberType, ["test"], precise)).toBe(precise);
  const set = setValue([precise]);
  expect(rawEquals(fromPlain(toPlain(set, set.type), set.type, ["test"], set), set)).toBe(true);
  expect(rawEquals(fromPlain(1, numberType, ["test"], precise), precise)).toBe(false);
});

test("a fraction computes as it will when it is read from a state again", () => {
  expect(fromPlain(0.1, numberType, ["test"]).data).toEqual(bigFloat("0.1"));
});

test("an attribute that is left out stays as it was", () => {
  const type = objectType({ a: stringType, b: stringType });
  const before = objectValue({ a: s("1"), b: s("2") });
  expect(toPlain(fromPlain({ a: "x" }, type, ["test"], before), type)).toEqual({ a: "x", b: "2" });
  expect(toPlain(fromPlain({ a: "x" }, type, ["test"]), type)).toEqual({ a: "x", b: null });
});

test.each([
  { name: "another type", data: { list: ["a", 5] }, want: "test: list[1]: expected a string, got a number" },
  { name: "an attribute that is none", data: { lst: [] }, want: "test: lst: there is no such attribute" },
  { name: "no object at all", data: [], want: "test: expected an object, got an array" },
])("$name is a bug that names its place", ({ data, want }) => {
  expect(() => fromPlain(data, objectType({ list: listType(stringType) }), ["test"])).toThrow(want);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { show } from "../test/notation.ts";
import {
  compareKeys,
  dynamicType,
  listType,
  numberType,
  objectType,
  sortedMap,
  stringType,
  typeEquals,
  withoutOptional,
} from "./types.ts";
import {
  dynamicValue,
  isMarkedDeep,
  isWhollyKnown,
  listValue,
  mapValue,
  mark,
  nullValue,
  numberValue,
  objectValue,
  stringValue,
  unknownValue,
  unmarkDeep,
} from "./value.ts";

describe("making values", () => {
  test("strings, keys and names are in NFC", () => {
    expect(stringValue("e\u0301").data).toBe("é");
    expect(show(mapValue([["e\u0301", numberValue(1)]]))).toBe('map("number"){"é":1}');
    expect(show(objectValue({ "e\u0301": numberValue(1) }))).toBe('{"é":1}');
  });

  test("entries are gone through in the byte order of their keys", () => {
    const one = numberValue(1);
    expect(
      show(
        mapValue([
          ["b", one],
          ["\u{1f600}", one],
          ["\uffff", one],
          ["B", one],
        ]),
      ),
    ).toBe('map("number"){"B":1,"b":1,"\uffff":1,"\u{1f600}":1}');
  });

  test("elements of no type yet take the type of the others", () => {
    expect(show(listValue([nullValue(dynamicType), mark(dynamicValue, "m"), stringValue("x")]))).toBe(
      'list("string")[null("string"),unk("string")!m,"x"]',
    );
    expect(show(listValue([dynamicValue]))).toBe('list("dynamic")[unk("dynamic")]');
  });

  test("elements of two types are a bug, and so is an empty collection of no type", () => {
    const bug = expect.objectContaining({ name: "Bug" });
    expect(() => listValue([stringValue("x"), numberValue(1)])).toThrow(bug);
    expect(() => listValue([])).toThrow(bug);
    expect(show(listValue([], numberType))).toBe('list("number")[]');
  });
});

test("marks inside are found, and taken off with everything else left as it was", () => {
  const value = objectValue({
    a: listValue([mark(stringValue("x"), "sensitive")]),
    b: mark(numberValue(1), "ephemeral"),
  });
  expect(isMarkedDeep(value)).toBe(true);
  expect(isMarkedDeep(value, "other")).toBe(false);
  const [bare, marks] = unmarkDeep(value);
  expect([...marks].sort()).toEqual(["ephemeral", "sensitive"]);
  expect(show(bare)).toBe('{"a":list("string")["x"],"b":1}');
  expect(unmarkDeep(bare)[0]).toBe(bare);
});

test("a value is wholly known where all its parts are", () => {
  expect(isWhollyKnown(objectValue({ a: nullValue(stringType) }))).toBe(true);
  expect(isWhollyKnown(objectValue({ a: unknownValue(stringType) }))).toBe(false);
});

describe("types", () => {
  test("are equal whatever the order their attributes were named in", () => {
    expect(typeEquals(objectType({ a: stringType, b: numberType }), objectType({ b: numberType, a: stringType }))).toBe(
      true,
    );
    expect(typeEquals(objectType({ a: stringType }), objectType({ a: stringType }, ["a"]))).toBe(false);
  });

  test("lose their optional attributes at any depth", () => {
    const inner = objectType({ a: stringType }, ["a"]);
    expect(typeEquals(withoutOptional(listType(inner)), listType(objectType({ a: stringType })))).toBe(true);
    const plain = listType(stringType);
    expect(withoutOptional(plain)).toBe(plain);
  });

  test("keys are ordered by their UTF-8 bytes", () => {
    const keys = ["\u{10000}", "\uffff", "\ue000", "\ud7ff", "z", "a", "", "ab"];
    expect([...keys].sort(compareKeys)).toEqual(
      [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
  });
});

test("however attributes come, their values and types stand in the order of bytes, and the last of a name counts", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: "grapheme-composite" }), fc.integer())), (given) => {
      const entries = given.map(([name, n]) => [name.normalize("NFC"), n] as const);
      const before = [...entries];
      const want = [...new Map(entries)].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect([...sortedMap(entries)]).toEqual(want);
      expect(entries).toEqual(before);
      const object = objectValue(entries.map(([name, n]) => [name, numberValue(n)] as const));
      expect(object.type).toEqual(objectType(entries.map(([name]) => [name, numberType] as const)));
      expect([...(object.data as ReadonlyMap<string, unknown>).keys()]).toEqual(want.map(([name]) => name));
    }),
  );
});

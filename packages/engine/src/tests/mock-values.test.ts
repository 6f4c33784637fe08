import type { BlockSchema } from "@millwright/provider/schema";
import { boolType, dynamicType, listType, numberType, objectType, stringType } from "@millwright/value/types";
import { asString, isKnown, isNull, nullValue, objectValue, stringValue, type Value } from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import { filled, madeUp, withUnknowns } from "./mock-values.ts";

const chance = { bytes: (length: number) => new Uint8Array(length).fill(1), uuid: () => "", fraction: () => 0 };

const schema: BlockSchema = {
  attributes: new Map([
    ["id", { type: stringType, computed: true }],
    ["name", { type: stringType, optional: true }],
    ["size", { type: numberType, optional: true, computed: true }],
  ]),
  blocks: new Map(),
};

const config = objectValue({
  id: nullValue(stringType),
  name: nullValue(stringType),
  size: nullValue(numberType),
});

function attribute(value: Value, name: string): Value {
  return (value.data as ReadonlyMap<string, Value>).get(name)!;
}

describe("a mocked object", () => {
  test("has unknown values where its provider would compute some, and nowhere else", () => {
    const planned = withUnknowns(schema, config);
    expect(["id", "name", "size"].map((name) => isKnown(attribute(planned, name)))).toEqual([false, true, false]);
    expect(isNull(attribute(planned, "name"))).toBe(true);
  });

  test("takes what is given, and makes up the rest", () => {
    const misfits: never[] = [];
    const given = objectValue({ id: stringValue("given"), unheard: stringValue("of") });
    const made = filled(schema, withUnknowns(schema, config), { given, chance, misfits });
    expect(asString(attribute(made, "id"))).toBe("given");
    expect(isKnown(attribute(made, "size"))).toBe(true);
  });

  test("keeps what the configuration says, whatever is given", () => {
    const named = objectValue({
      ...Object.fromEntries(config.data as ReadonlyMap<string, Value>),
      name: stringValue("mine"),
    });
    const given = objectValue({ name: stringValue("yours") });
    const made = filled(schema, withUnknowns(schema, named), { given, chance, misfits: [] });
    expect(asString(attribute(made, "name"))).toBe("mine");
  });

  test("says which given value does not fit", () => {
    const misfits: { readonly attribute: string; readonly message: string }[] = [];
    const given = objectValue({ id: objectValue({}) });
    filled(schema, withUnknowns(schema, config), { given, chance, misfits });
    expect(misfits.map((misfit) => misfit.attribute)).toEqual(["id"]);
  });
});

describe("a value that is made up", () => {
  test.each([
    { name: "a text has eight letters and digits", type: stringType, want: "bbbbbbbb" },
    { name: "a flag is false", type: boolType, want: false },
    { name: "a list is empty", type: listType(stringType), want: [] },
    { name: "what has no type is null", type: dynamicType, want: null },
  ])("$name", ({ type, want }) => {
    expect(madeUp(type, chance).data).toEqual(want);
  });

  test("an object has values made up for its attributes", () => {
    const made = madeUp(objectType({ id: stringType }), chance);
    expect(asString(attribute(made, "id"))).toBe("bbbbbbbb");
  });
});

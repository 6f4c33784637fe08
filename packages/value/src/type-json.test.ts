import fc from "fast-check";
import { expect, test } from "vitest";
import { anyType } from "../test/values.ts";
import { typeFromJson, typeToJson, typeToPlain } from "./type-json.ts";
import { typeEquals } from "./types.ts";

const texts = [
  '"string"',
  '"dynamic"',
  '["list","number"]',
  '["tuple",["bool",["set","string"]]]',
  '["object",{"10":"string","9":"bool","__proto__":"number"}]',
  '["object",{"a":"string","b":["map","dynamic"]},["b"]]',
];
test.each(texts)("%s is read and written as it is", (text) => {
  expect(typeToJson(typeFromJson(text)!)).toBe(text);
});

test("a type goes there and back", () => {
  fc.assert(
    fc.property(anyType(3), (type) => {
      expect(typeEquals(typeFromJson(typeToJson(type))!, type)).toBe(true);
      expect(JSON.parse(typeToJson(type))).toEqual(typeToPlain(type));
    }),
    { seed: 61 },
  );
});

test.each([
  "",
  "{",
  "5",
  "{}",
  '"text"',
  '"constructor"',
  '["list"]',
  '["bag","string"]',
  '["object",["string"]]',
  '["tuple",["x"]]',
])("%s is no type", (text) => expect(typeFromJson(text)).toBeUndefined());

import { describe, expect, test } from "vitest";
import type { TypeNotation } from "../test/notation.ts";
import { typeOf } from "../test/notation.ts";
import { friendlyName, friendlyNameForConstraint, typeText } from "./friendly.ts";
import { mismatch } from "./mismatch.ts";
import { capsuleType } from "./types.ts";

const cases: { type: TypeNotation; name: string; wanted: string; text: string }[] = [
  { type: "string", name: "string", wanted: "string", text: "string" },
  { type: "dynamic", name: "dynamic", wanted: "any type", text: "any" },
  { type: ["list", "dynamic"], name: "list of dynamic", wanted: "list of any single type", text: "list(any)" },
  { type: ["map", ["set", "bool"]], name: "map of set of bool", wanted: "map of set of bool", text: "map(set(bool))" },
  { type: ["tuple", ["string", "number"]], name: "tuple", wanted: "tuple", text: "tuple([string,number])" },
  {
    type: ["object", { b: "dynamic", "a b": "string" }, ["b"]],
    name: "object",
    wanted: "object",
    text: 'object({"a b"=string,b=optional(any)})',
  },
];

test.each(cases)("$text is called $name", ({ type, name, wanted, text }) => {
  expect(friendlyName(typeOf(type))).toBe(name);
  expect(friendlyNameForConstraint(typeOf(type))).toBe(wanted);
  expect(typeText(typeOf(type))).toBe(text);
});

test("a capsule has the name its host gave it", () => {
  expect(friendlyName(capsuleType("provider"))).toBe("provider");
});

describe("why a type does not fit", () => {
  const object = (attributes: Record<string, TypeNotation>, optional: string[] = []): TypeNotation => [
    "object",
    attributes,
    optional,
  ];
  const rows: { got: TypeNotation; wanted: TypeNotation; want: string }[] = [
    { got: "string", wanted: ["list", "dynamic"], want: "list of any single type required" },
    { got: object({}), wanted: object({ a: "string" }), want: 'attribute "a" is required' },
    { got: object({}), wanted: object({ b: "string", a: "string" }), want: 'attributes "a" and "b" are required' },
    {
      got: object({}),
      wanted: object({ c: "bool", b: "bool", a: "bool" }),
      want: 'attributes "a", "b", and "c" are required',
    },
    { got: object({}), wanted: object({ a: "string", b: "string" }, ["a"]), want: 'attribute "b" is required' },
    { got: object({ a: ["tuple", []] }), wanted: object({ a: "string" }), want: 'attribute "a": string required' },
    {
      got: object({ a: "string", b: "bool" }),
      wanted: object({ a: "number", b: "number" }),
      want: 'attribute "b": number required',
    },
    { got: ["tuple", ["string", object({})]], wanted: ["list", "string"], want: "element 1: string required" },
    {
      got: ["tuple", ["string", object({})]],
      wanted: ["set", "dynamic"],
      want: "all set elements must have the same type",
    },
    { got: object({ a: "string", b: object({}) }), wanted: ["map", "string"], want: 'element "b": string required' },
    { got: object({ a: "string" }), wanted: ["map", "dynamic"], want: "all map elements must have the same type" },
    {
      got: ["list", ["list", "string"]],
      wanted: ["set", "string"],
      want: "incorrect set element type: string required",
    },
    { got: ["map", "string"], wanted: ["list", "string"], want: "list of string required" },
    { got: object({}), wanted: ["list", "string"], want: "list of string required" },
  ];
  test.each(rows)("$want", ({ got, wanted, want }) => {
    expect(mismatch(typeOf(got), typeOf(wanted))).toBe(want);
  });
});

import { callFunction } from "@millwright/hcl/function-spec";
import { bigFloat } from "@millwright/value/number";
import { rawEquals } from "@millwright/value/operations";
import { refine } from "@millwright/value/refine";
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
} from "@millwright/value/types";
import type { Refinements } from "@millwright/value/unknown";
import type { Value } from "@millwright/value/value";
import {
  boolValue,
  dynamicValue,
  listValue,
  nullValue,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
} from "@millwright/value/value";
import { expect, test } from "vitest";
import { functionsFor } from "./library.ts";
import { memoryFiles } from "./memory-files.ts";

const functions = functionsFor({
  dialect: "terraform",
  files: memoryFiles({ "hello.tmpl": "Hello, ${name}!" }),
  baseDir: ".",
  clock: { now: () => 0 },
  chance: { bytes: (length) => new Uint8Array(length), uuid: () => "" },
  impure: "now",
  use: "configuration",
});

const text = unknownValue(stringType);
const known = stringValue;
const strings = (...elements: Value[]) => listValue(elements, stringType);
const list = unknownValue(listType(stringType));
const atLeast = (least: number): Refinements => ({ minimum: { value: bigFloat(least), inclusive: true } });

/** What a call gives where not everything is known yet: an unknown value with what is known of it, or a known one. */
const cases: { name: string; call: string; args: Value[]; want: Value }[] = [
  { name: "is not null", call: "upper", args: [text], want: unknownValue(stringType, { notNull: true }) },
  { name: "may be null", call: "timeadd", args: [text, known("1h")], want: unknownValue(stringType) },
  {
    name: "begins as the format does",
    call: "format",
    args: [known("ab-%s"), text],
    want: unknownValue(stringType, { notNull: true, prefix: "ab-" }),
  },
  {
    name: "leaves out what a combining character could change",
    call: "format",
    args: [known("ab%s"), text],
    want: unknownValue(stringType, { notNull: true, prefix: "a" }),
  },
  {
    name: "has one unknown row",
    call: "formatlist",
    args: [known("%s"), strings(known("a"), text)],
    want: strings(known("a"), unknownValue(stringType, { notNull: true })),
  },
  {
    name: "has the prefix's length at least",
    call: "length",
    args: [refine(text, { prefix: "abc" })],
    want: unknownValue(numberType, { notNull: true, ...atLeast(3) }),
  },
  { name: "of a tuple is known", call: "length", args: [tupleValue([text, text])], want: numberValue(2) },
  {
    name: "keeps the length",
    call: "sort",
    args: [refine(list, { minimumLength: 1, maximumLength: 3 })],
    want: unknownValue(listType(stringType), { notNull: true, minimumLength: 1, maximumLength: 3 }),
  },
  {
    name: "of an object is text in braces",
    call: "jsonencode",
    args: [objectValue({ a: text })],
    want: unknownValue(stringType, { notNull: true, prefix: "{" }),
  },
  {
    name: "of a list is text in brackets",
    call: "jsonencode",
    args: [strings(text)],
    want: unknownValue(stringType, { notNull: true, prefix: "[" }),
  },
  {
    name: "of a string that is not null is text in quotes",
    call: "jsonencode",
    args: [refine(text, { notNull: true })],
    want: unknownValue(stringType, { notNull: true, prefix: '"' }),
  },
  {
    name: "of what may be null is any text",
    call: "jsonencode",
    args: [text],
    want: unknownValue(stringType, { notNull: true }),
  },
  {
    name: "of text that begins with a quote is a string",
    call: "jsondecode",
    args: [refine(text, { prefix: ' "a' })],
    want: unknownValue(stringType),
  },
  {
    name: "of text that begins with a digit is a number",
    call: "jsondecode",
    args: [refine(text, { prefix: "12" })],
    want: unknownValue(numberType),
  },
  {
    name: "of text that begins with a t is a bool",
    call: "jsondecode",
    args: [refine(text, { prefix: "t" })],
    want: unknownValue(boolType),
  },
  {
    name: "of text that begins with a brace is not settled",
    call: "jsondecode",
    args: [refine(text, { prefix: "{" })],
    want: dynamicValue,
  },
  {
    name: "is true by the prefix",
    call: "startswith",
    args: [refine(text, { prefix: "abc" }), known("ab")],
    want: boolValue(true),
  },
  {
    name: "is false by the prefix",
    call: "startswith",
    args: [refine(text, { prefix: "abc" }), known("ax")],
    want: boolValue(false),
  },
  {
    name: "is not settled by a shorter prefix",
    call: "startswith",
    args: [refine(text, { prefix: "ab" }), known("abc")],
    want: unknownValue(boolType, { notNull: true }),
  },
  {
    name: "is true by a known element",
    call: "contains",
    args: [strings(text, known("a")), known("a")],
    want: boolValue(true),
  },
  {
    name: "is false where no element can be it",
    call: "contains",
    args: [strings(refine(text, { prefix: "b" })), known("a")],
    want: boolValue(false),
  },
  {
    name: "is true by one element",
    call: "anytrue",
    args: [listValue([unknownValue(boolType), boolValue(true)])],
    want: boolValue(true),
  },
  {
    name: "has the places of the rows",
    call: "setproduct",
    args: [strings(text), strings(known("b"))],
    want: listValue([tupleValue([text, known("b")])]),
  },
  {
    name: "has as many rows as the product at most",
    call: "setproduct",
    args: [refine(list, { maximumLength: 3 }), strings(known("a"), known("b"))],
    want: unknownValue(listType(tupleType([stringType, stringType])), {
      notNull: true,
      minimumLength: 1,
      maximumLength: 6,
    }),
  },
  { name: "is known where an earlier value is", call: "coalesce", args: [known("a"), text], want: known("a") },
  { name: "keeps known keys", call: "keys", args: [objectValue({ a: text })], want: tupleValue([known("a")]) },
  {
    name: "keeps unknown elements",
    call: "setunion",
    args: [setValue([known("a")]), setValue([text])],
    want: setValue([known("a"), text]),
  },
  {
    name: "of unknown elements is not settled",
    call: "setintersection",
    args: [setValue([known("a")]), setValue([text])],
    want: unknownValue(setType(stringType), { notNull: true }),
  },
  {
    name: "of an unknown key has no settled type",
    call: "lookup",
    args: [objectValue({ a: numberValue(1) }), text],
    want: dynamicValue,
  },
  {
    name: "of a map has the elements' type",
    call: "lookup",
    args: [unknownValue(mapType(numberType)), known("a")],
    want: unknownValue(numberType),
  },
  { name: "of an unknown pattern has no settled type", call: "regex", args: [text, known("a")], want: dynamicValue },
  {
    name: "has the type of the pattern's groups",
    call: "regex",
    args: [known("(?P<x>a)"), text],
    want: unknownValue(objectType({ x: stringType }), { notNull: true }),
  },
  { name: "of what has no type is unknown", call: "upper", args: [dynamicValue], want: dynamicValue },
  { name: "is a null of the type", call: "tostring", args: [nullValue(dynamicType)], want: nullValue(stringType) },
  {
    name: "begins as the template does",
    call: "templatefile",
    args: [known("hello.tmpl"), objectValue({ name: text })],
    want: unknownValue(stringType, { notNull: true, prefix: "Hello, " }),
  },
  {
    name: "has known parts of unknown values",
    call: "merge",
    args: [objectValue({ a: text }), objectValue({ b: known("x") })],
    want: objectValue({ a: text, b: known("x") }),
  },
];

test.each(cases)("$call $name", ({ call, args, want }) => {
  const result = callFunction(functions.get(call)!, args);
  expect(result.ok).toBe(true);
  // The numbers inside of values keep to themselves, so that toEqual alone would take any two for equal.
  if (result.ok && !rawEquals(result.value, want)) expect(result.value).toEqual(want);
  expect(result.ok && rawEquals(result.value, want)).toBe(true);
});

test("jsondecode refuses what no JSON begins with", () => {
  const result = callFunction(functions.get("jsondecode")!, [refine(text, { prefix: "x" })]);
  expect(result).toEqual({ ok: false, message: "a JSON document cannot begin with the character 'x'", argument: 0 });
});

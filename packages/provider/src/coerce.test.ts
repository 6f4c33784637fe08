import { numberType, stringType, mapType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { emptyObject, mapValue, numberValue, objectValue, stringValue, tupleValue } from "@millwright/value/value";
import { expect, test } from "vitest";
import { coerceToSchema } from "./coerce.ts";
import { blocks, dynamic, map, nested, number, optional, required, string } from "./fields.ts";
import { conforms, impliedType } from "./implied-type.ts";
import { schemaOfFields } from "./schema-of-fields.ts";
import { plainOf } from "./testing/objects.ts";

const block = schemaOfFields({
  name: required(string),
  count: optional(number),
  labels: optional(map(string)),
  rules: optional(nested.list({ port: required(number), note: optional(string) })),
  row: blocks.list({ label: required(string) }),
  tag: blocks.set({ label: required(string) }),
  named: blocks.map({ label: required(string) }),
  one: blocks.single({ label: required(string) }),
  group: blocks.group({ label: optional(string) }),
});

const s = stringValue;

test("what is missing is filled in by nesting", () => {
  const coerced = coerceToSchema(objectValue({ name: s("a") }), block);
  expect(coerced.ok && plainOf(block, coerced.value)).toEqual({
    name: "a",
    count: null,
    labels: null,
    rules: null,
    row: [],
    tag: [],
    named: {},
    one: null,
    group: { label: null },
  });
});

test("attributes are converted, at any depth", () => {
  const given = objectValue({
    name: numberValue(5),
    count: s("7"),
    labels: objectValue({ a: numberValue(1) }),
    rules: tupleValue([objectValue({ port: s("80") })]),
    row: tupleValue([objectValue({ label: numberValue(1) })]),
  });
  const coerced = coerceToSchema(given, block);
  expect(coerced.ok && plainOf(block, coerced.value)).toMatchObject({
    name: "5",
    count: 7,
    labels: { a: "1" },
    rules: [{ port: 80, note: null }],
    row: [{ label: "1" }],
  });
  expect(coerced.ok && conforms(coerced.value, block)).toEqual([]);
});

const misfits: readonly { name: string; input: Value; want: { path: unknown; problem: string } }[] = [
  {
    name: "a required attribute that is missing",
    input: emptyObject,
    want: { path: [], problem: 'attribute "name" is required' },
  },
  {
    name: "an attribute that the schema does not have",
    input: objectValue({ name: s("a"), nme: s("b") }),
    want: { path: [], problem: 'unsupported attribute "nme"' },
  },
  {
    name: "a value of the wrong type",
    input: objectValue({ name: s("a"), count: s("many") }),
    want: { path: [{ attribute: "count" }], problem: "a number is required" },
  },
  {
    name: "a wrong value in a nested block",
    input: objectValue({ name: s("a"), row: tupleValue([objectValue({ label: emptyObject })]) }),
    want: {
      path: [{ attribute: "row" }, { index: numberValue(0) }, { attribute: "label" }],
      problem: "string required",
    },
  },
  {
    name: "one thing where several are expected",
    input: objectValue({ name: s("a"), row: s("x") }),
    want: { path: [{ attribute: "row" }], problem: "a list is required" },
  },
];
test.each(misfits)("refuses $name", ({ input, want }) => {
  expect(coerceToSchema(input, block)).toEqual({ ok: false, ...want });
});

test("an object conforms only when every attribute is there with its type", () => {
  const withList = objectValue({ name: s("a"), labels: mapValue([], stringType) });
  const problems = conforms(
    withList,
    schemaOfFields({ name: optional(number), labels: optional(map(number)), gone: optional(string) }),
  );
  expect(problems).toEqual([
    { path: [], problem: 'attribute "gone" is missing' },
    { path: [{ attribute: "labels" }], problem: "number required, but got string" },
    { path: [{ attribute: "name" }], problem: "number required, but got string" },
  ]);
  const extra = conforms(objectValue({ a: s("x"), b: s("y") }), schemaOfFields({ a: optional(string) }));
  expect(extra).toEqual([{ path: [], problem: 'there is no attribute "b"' }]);
});

test("blocks with a dynamic attribute are tuples and objects, whose implied type is dynamic", () => {
  const loose = schemaOfFields({
    row: blocks.list({ any: optional(dynamic) }),
    named: blocks.map({ any: optional(dynamic) }),
  });
  expect([...impliedType(loose).attributes.values()].map((t) => t.kind)).toEqual(["dynamic", "dynamic"]);
  const coerced = coerceToSchema(
    objectValue({ row: tupleValue([objectValue({ any: s("a") }), objectValue({ any: numberValue(1) })]) }),
    loose,
  );
  expect(coerced.ok && [coerced.value.type.kind, conforms(coerced.value, loose)]).toEqual(["object", []]);
});

test("the implied type of a block is made once", () => {
  expect(impliedType(block)).toBe(impliedType(block));
  expect(impliedType(block).attributes.get("labels")).toEqual(mapType(stringType));
  expect(impliedType(schemaOfFields({ n: required(number) })).attributes.get("n")).toBe(numberType);
});

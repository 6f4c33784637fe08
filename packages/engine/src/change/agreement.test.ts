import { impliedType } from "@millwright/provider/implied-type";
import type { AttributeSchema, BlockSchema, NestedBlockSchema } from "@millwright/provider/schema";
import { objectFor } from "@millwright/provider/testing/objects";
import { mapType, setType, stringType } from "@millwright/value/types";
import { nullValue, objectValue, stringValue, unknownValue, type Value } from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import { disagreementText, planDisagreements, resultDisagreements } from "./agreement.ts";

const attributes: readonly (readonly [string, AttributeSchema])[] = [
  ["given", { type: stringType, optional: true }],
  ["made", { type: stringType, computed: true }],
  ["both", { type: stringType, optional: true, computed: true }],
];
const leaf: BlockSchema = { attributes: new Map(attributes), blocks: new Map() };
const nest = (nesting: NestedBlockSchema["nesting"]): NestedBlockSchema => ({
  nesting,
  block: leaf,
  minItems: 0,
  maxItems: 0,
});

const schema: BlockSchema = {
  attributes: new Map<string, AttributeSchema>([
    ...attributes,
    ["secret", { type: stringType, optional: true, sensitive: true }],
    ["once", { type: stringType, optional: true, writeOnly: true }],
    ["labels", { type: mapType(stringType), optional: true }],
    ["members", { type: setType(stringType), optional: true }],
    ["inner", { optional: true, nested: { nesting: "single", attributes: new Map(attributes) } }],
  ]),
  blocks: new Map([
    ["row", nest("list")],
    ["tag", nest("set")],
    ["one", nest("single")],
  ]),
};

type Data = Readonly<Record<string, unknown>>;
const object = (data: Data | undefined): Value => (data ? objectFor(schema, data) : nullValue(impliedType(schema)));

describe("a planned object may", () => {
  const cases: readonly { name: string; prior?: Data; config?: Data; planned?: Data; want: readonly string[] }[] = [
    { name: "be as configured", config: { given: "a" }, planned: { given: "a" }, want: [] },
    { name: "fill in what is computed", config: {}, planned: { made: "m", both: undefined }, want: [] },
    {
      name: "keep the prior value where that means the same",
      prior: { given: "A" },
      config: { given: "a" },
      planned: { given: "A" },
      want: [],
    },
    {
      name: "change what is computed alone, though ignore_changes puts the prior value into its configuration",
      prior: { made: "m" },
      config: { made: "m" },
      planned: { made: undefined },
      want: [],
    },
    {
      name: "decide what is unknown and may be computed",
      config: { both: undefined },
      planned: { both: "b" },
      want: [],
    },
    {
      name: "fill in what is computed inside nested objects",
      config: { inner: { given: "a" } },
      planned: { inner: { given: "a", made: undefined } },
      want: [],
    },
    {
      name: "fill in what is computed inside blocks",
      config: { row: [{ given: "a" }] },
      planned: { row: [{ given: "a", made: "m" }] },
      want: [],
    },
    {
      name: "not change what is configured",
      config: { given: "a" },
      planned: { given: "b" },
      want: [".given: the planned value matches neither the configured nor the prior one"],
    },
    {
      name: "not invent what is not computed",
      config: {},
      planned: { given: "b" },
      want: [".given: a value planned for an attribute that is not computed"],
    },
    {
      name: "not change what is configured, also where it could be computed",
      config: { both: "a" },
      planned: { both: "b" },
      want: [".both: the planned value matches neither the configured nor the prior one"],
    },
    {
      name: "not keep what is written once",
      config: { once: "w" },
      planned: { once: "w" },
      want: [".once: a write-only attribute must be planned as null"],
    },
    { name: "be without what is written once", config: { once: "w" }, planned: {}, want: [] },
    {
      name: "not be absent",
      config: { given: "a" },
      want: ["planned for absence, but the configuration wants it to exist"],
    },
    {
      name: "not exist where nothing is wanted",
      prior: {},
      planned: {},
      want: ["planned for existence, but the configuration wants it to be absent"],
    },
    {
      name: "not have more blocks",
      config: { row: [] },
      planned: { row: [{ given: "a" }] },
      want: [".row: the planned number of elements differs from the configured one"],
    },
    {
      name: "not change a block",
      config: { row: [{ given: "a" }] },
      planned: { row: [{ given: "b" }] },
      want: [".row[0].given: the planned value matches neither the configured nor the prior one"],
    },
    {
      name: "fill in blocks of a set",
      config: { tag: [{ given: "a" }] },
      planned: { tag: [{ given: "a", made: "m" }] },
      want: [],
    },
    {
      name: "not have more blocks in a set",
      config: { tag: [{ given: "a" }] },
      planned: { tag: [{ given: "a" }, { given: "b" }] },
      want: [".tag: the planned number of elements differs from the configured one"],
    },
    {
      name: "not leave out a single block",
      config: { one: { given: "a" } },
      planned: {},
      want: [".one: planned for absence, but the configuration wants it to exist"],
    },
  ];
  for (const { name, prior, config, planned, want } of cases) {
    test(name, () => {
      const found = planDisagreements(schema, object(prior), object(config), object(planned));
      expect(found.map(disagreementText)).toEqual(want);
    });
  }
});

describe("a result may", () => {
  const cases: readonly { name: string; promised?: Data; actual?: Data; want: readonly string[] }[] = [
    { name: "be as planned", promised: { given: "a" }, actual: { given: "a" }, want: [] },
    { name: "settle what was unknown", promised: { made: undefined }, actual: { made: "m" }, want: [] },
    { name: "settle what was unknown as null", promised: { made: undefined }, actual: {}, want: [] },
    {
      name: "not differ",
      promised: { given: "a" },
      actual: { given: "b" },
      want: [".given: the value differs from the planned one"],
    },
    { name: "not lose a value", promised: { given: "a" }, actual: {}, want: [".given: was set, but now null"] },
    { name: "not gain a value", promised: {}, actual: { given: "a" }, want: [".given: was null, but now has a value"] },
    {
      name: "not tell of a sensitive attribute",
      promised: { secret: "s1" },
      actual: { secret: "s2" },
      want: [".secret: inconsistent values for sensitive attribute"],
    },
    {
      name: "not drop an element",
      promised: { labels: { a: "1", b: "2" } },
      actual: { labels: { a: "1" } },
      want: ['.labels["b"]: element has vanished'],
    },
    {
      name: "not add an element",
      promised: { labels: {} },
      actual: { labels: { a: "1" } },
      want: ['.labels: new element "a" has appeared'],
    },
    { name: "settle an element", promised: { labels: { a: undefined } }, actual: { labels: { a: "1" } }, want: [] },
    {
      name: "not exchange elements of a set",
      promised: { members: ["a"] },
      actual: { members: ["b"] },
      want: [".members: the set does not hold the elements that were planned"],
    },
    { name: "not vanish", promised: { given: "a" }, want: ["was present, but now absent"] },
    {
      name: "not have another number of blocks",
      promised: { row: [{ given: "a" }] },
      actual: { row: [] },
      want: [".row: block count changed from 1 to 0"],
    },
    {
      name: "not change a block",
      promised: { row: [{ given: "a" }] },
      actual: { row: [{ given: "b" }] },
      want: [".row[0].given: the value differs from the planned one"],
    },
    {
      name: "have fewer blocks in a set where unknown ones came out the same",
      promised: { tag: [{ given: undefined }, { given: "a" }] },
      actual: { tag: [{ given: "a" }] },
      want: [],
    },
    {
      name: "not have other blocks in a set",
      promised: { tag: [{ given: "a" }] },
      actual: { tag: [{ given: "b" }] },
      want: [".tag: the set does not hold the elements that were planned"],
    },
  ];
  for (const { name, promised, actual, want } of cases) {
    test(name, () => {
      const found = resultDisagreements(schema, object(promised), object(actual));
      expect(found.map(disagreementText)).toEqual(want);
    });
  }

  test("not go beyond what was said of an unknown value", () => {
    const base = new Map(Object.entries({ ...Object.fromEntries(object({}).data as ReadonlyMap<string, Value>) }));
    const promised = objectValue([...base, ["made", unknownValue(stringType, { notNull: true, prefix: "id-" })]]);
    const found = (made: Value) =>
      resultDisagreements(schema, promised, objectValue([...base, ["made", made]])).map(disagreementText);
    expect(found(stringValue("id-1"))).toEqual([]);
    expect(found(stringValue("x"))).toEqual([".made: the value does not begin as planned"]);
    expect(found(nullValue(stringType))).toEqual([".made: was planned to be not null, but is null"]);
  });
});

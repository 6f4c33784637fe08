import { objectFor, plainOf } from "@millwright/provider/testing/objects";
import type { AttributeSchema, BlockSchema, NestedBlockSchema } from "@millwright/provider/schema";
import { listType, mapType, stringType } from "@millwright/value/types";
import { nullValue, unknownValue, type Value } from "@millwright/value/value";
import { impliedType } from "@millwright/provider/implied-type";
import { describe, expect, test } from "vitest";
import { proposedNew } from "./proposed.ts";

const text = (how: "optional" | "required" | "computed" | "both"): AttributeSchema => ({
  type: stringType,
  ...(how === "both" ? { optional: true, computed: true } : { [how]: true }),
});
const block = (
  attributes: Record<string, AttributeSchema>,
  blocks: Record<string, NestedBlockSchema> = {},
): BlockSchema => ({ attributes: new Map(Object.entries(attributes)), blocks: new Map(Object.entries(blocks)) });
const nest = (nesting: NestedBlockSchema["nesting"], inner: BlockSchema): NestedBlockSchema => ({
  nesting,
  block: inner,
  minItems: 0,
  maxItems: 0,
});
const nestedAttribute = (
  nesting: "single" | "list" | "set" | "map",
  attributes: Record<string, AttributeSchema>,
  how: Partial<AttributeSchema> = { optional: true },
): AttributeSchema => ({ ...how, nested: { nesting, attributes: new Map(Object.entries(attributes)) } });

const leaf = { given: text("optional"), made: text("computed"), both: text("both") };

interface Case {
  readonly name: string;
  readonly schema: BlockSchema;
  /** Undefined for no prior object. Data is plain: what is left out is null, `undefined` unknown. */
  readonly prior?: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly want: Readonly<Record<string, unknown>>;
}

function check({ schema, prior, config, want }: Case): void {
  const type = impliedType(schema);
  const before: Value = prior ? objectFor(schema, prior) : nullValue(type);
  const proposed = proposedNew(schema, before, objectFor(schema, config));
  expect(plainOf(schema, proposed)).toEqual(plainOf(schema, objectFor(schema, want)));
}

describe("an attribute of a proposed object", () => {
  const schema = block(leaf);
  const cases: readonly Omit<Case, "schema">[] = [
    { name: "is as configured", prior: { given: "old" }, config: { given: "new" }, want: { given: "new" } },
    { name: "is not kept where it is no longer configured", prior: { given: "old" }, config: {}, want: {} },
    { name: "is kept where it is computed", prior: { made: "m" }, config: {}, want: { made: "m" } },
    { name: "is kept where it may be computed and is left out", prior: { both: "b" }, config: {}, want: { both: "b" } },
    {
      name: "is as configured where it may be computed",
      prior: { both: "b" },
      config: { both: "c" },
      want: { both: "c" },
    },
    {
      name: "that is computed is null at first: the provider says what it does not know",
      config: { given: "g" },
      want: { given: "g" },
    },
    { name: "may be unknown", prior: { given: "old" }, config: { given: undefined }, want: { given: undefined } },
  ];
  for (const one of cases) test(one.name, () => check({ ...one, schema }));
});

for (const [kind, nested] of [
  ["blocks", (nesting: "list" | "set" | "map") => block({}, { x: nest(nesting, block(leaf)) })],
  ["nested attributes", (nesting: "list" | "set" | "map") => block({ x: nestedAttribute(nesting, leaf) })],
] as const) {
  describe(`${kind} are matched`, () => {
    const cases: readonly Case[] = [
      {
        name: "in a list by place",
        schema: nested("list"),
        prior: {
          x: [
            { given: "a", made: "1" },
            { given: "b", made: "2" },
          ],
        },
        config: { x: [{ given: "b" }, { given: "b" }, { given: "c" }] },
        want: { x: [{ given: "b", made: "1" }, { given: "b", made: "2" }, { given: "c" }] },
      },
      {
        name: "in a shorter list by place",
        schema: nested("list"),
        prior: {
          x: [
            { given: "a", made: "1" },
            { given: "b", made: "2" },
          ],
        },
        config: { x: [{ given: "b" }] },
        want: { x: [{ given: "b", made: "1" }] },
      },
      {
        name: "in a map by key",
        schema: nested("map"),
        prior: { x: { k: { given: "a", made: "1" }, gone: { given: "b", made: "2" } } },
        config: { x: { k: { given: "z" }, new: { given: "b" } } },
        want: { x: { k: { given: "z", made: "1" }, new: { given: "b" } } },
      },
      {
        name: "in a set by what is configured",
        schema: nested("set"),
        prior: {
          x: [
            { given: "a", made: "1" },
            { given: "b", made: "2" },
          ],
        },
        config: { x: [{ given: "b" }, { given: "c" }] },
        want: { x: [{ given: "b", made: "2" }, { given: "c" }] },
      },
      {
        name: "in a set with what may be computed kept",
        schema: nested("set"),
        prior: { x: [{ given: "a", both: "mine", made: "1" }] },
        config: { x: [{ given: "a" }] },
        want: { x: [{ given: "a", both: "mine", made: "1" }] },
      },
      {
        name: "in a set not where what may be computed is configured otherwise",
        schema: nested("set"),
        prior: { x: [{ given: "a", both: "mine", made: "1" }] },
        config: { x: [{ given: "a", both: "yours" }] },
        want: { x: [{ given: "a", both: "yours" }] },
      },
      {
        name: "in a set each prior element once",
        schema: nested("set"),
        prior: {
          x: [
            { given: "a", both: "1" },
            { given: "a", both: "2" },
          ],
        },
        config: {
          x: [
            { given: "a", both: "1" },
            { given: "a", both: "2" },
          ],
        },
        want: {
          x: [
            { given: "a", both: "1" },
            { given: "a", both: "2" },
          ],
        },
      },
      {
        name: "with nothing where there are none",
        schema: nested("list"),
        prior: { x: [] },
        config: { x: [] },
        want: { x: [] },
      },
    ];
    for (const one of cases) test(one.name, () => check(one));
  });
}

describe("a single nested object", () => {
  const cases: readonly Case[] = [
    {
      name: "that is a block keeps what is computed in it",
      schema: block({}, { x: nest("single", block(leaf)) }),
      prior: { x: { given: "a", made: "1" } },
      config: { x: { given: "b" } },
      want: { x: { given: "b", made: "1" } },
    },
    {
      name: "that is a group keeps what is computed in it, without being configured",
      schema: block({}, { x: nest("group", block(leaf)) }),
      prior: { x: { given: "a", made: "1" } },
      config: {},
      want: { x: { made: "1" } },
    },
    {
      name: "that is no longer configured goes",
      schema: block({ x: nestedAttribute("single", leaf) }),
      prior: { x: { given: "a", made: "1" } },
      config: {},
      want: {},
    },
    {
      name: "that may be computed stays, where nothing in it was configured",
      schema: block({ x: nestedAttribute("single", { made: text("computed") }, { optional: true, computed: true }) }),
      prior: { x: { made: "1" } },
      config: {},
      want: { x: { made: "1" } },
    },
    {
      name: "that may be computed goes, where something in it was configured",
      schema: block({ x: nestedAttribute("single", leaf, { optional: true, computed: true }) }),
      prior: { x: { given: "a", made: "1" } },
      config: {},
      want: {},
    },
    {
      name: "in an element of a list",
      schema: block({}, { x: nest("list", block({}, { y: nest("single", block(leaf)) })) }),
      prior: { x: [{ y: { given: "a", made: "1" } }] },
      config: { x: [{ y: { given: "b" } }] },
      want: { x: [{ y: { given: "b", made: "1" } }] },
    },
  ];
  for (const one of cases) test(one.name, () => check(one));
});

test("a list of primitives is as configured, whatever was there", () => {
  const schema = block({
    l: { type: listType(stringType), optional: true },
    m: { type: mapType(stringType), optional: true, computed: true },
  });
  check({
    name: "",
    schema,
    prior: { l: ["a", "b"], m: { k: "v" } },
    config: { l: ["b"], m: { other: "w" } },
    want: { l: ["b"], m: { other: "w" } },
  });
});

test("an unknown collection of blocks stays unknown", () => {
  const schema = block({}, { x: nest("list", block(leaf)) });
  const prior = objectFor(schema, { x: [{ given: "a", made: "1" }] });
  const config = objectFor(schema, { x: undefined });
  expect(proposedNew(schema, prior, config)).toEqual(config);
});

test("the end of an object proposes nothing to come, and what is unknown as a whole stays so", () => {
  const schema = block(leaf);
  const prior = objectFor(schema, { given: "a" });
  const unknown = unknownValue(impliedType(schema));
  expect(proposedNew(schema, prior, unknown)).toBe(unknown);
});

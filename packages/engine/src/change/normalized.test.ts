import { impliedType } from "@millwright/provider/implied-type";
import type { BlockSchema } from "@millwright/provider/schema";
import { stringType } from "@millwright/value/types";
import { listValue, nullValue, objectValue, setValue, stringValue, unknownValue } from "@millwright/value/value";
import { expect, test } from "vitest";
import { normalized } from "./normalized.ts";

const inner: BlockSchema = {
  attributes: new Map([["a", { type: stringType, optional: true }]]),
  blocks: new Map(),
};
const outer: BlockSchema = {
  attributes: new Map([["name", { type: stringType, optional: true }]]),
  blocks: new Map([
    ["one", { nesting: "single", block: inner, minItems: 0, maxItems: 0 }],
    ["rule", { nesting: "set", block: inner, minItems: 0, maxItems: 0 }],
    [
      "list",
      {
        nesting: "list",
        minItems: 0,
        maxItems: 0,
        block: { ...inner, blocks: new Map([["deep", { nesting: "list", block: inner, minItems: 0, maxItems: 0 }]]) },
      },
    ],
  ]),
};
const type = impliedType(outer);
const part = (name: string) => type.attributes.get(name)!;
const object = (data: Record<string, ReturnType<typeof stringValue>>) =>
  objectValue([...type.attributes].map(([name, one]) => [name, data[name] ?? nullValue(one)]));

test("blocks that are null or unknown are none; a single one and attributes stay as they are", () => {
  const found = normalized(object({ rule: unknownValue(part("rule")) }), outer);
  expect(found).toEqual(
    object({
      rule: setValue([], impliedType(inner)),
      list: listValue([], impliedType(outer.blocks.get("list")!.block)),
    }),
  );
});

test("what is inside of blocks too", () => {
  const deep = outer.blocks.get("list")!.block;
  const element = (blocks: ReturnType<typeof listValue> | undefined) =>
    objectValue([
      ["a", stringValue("x")],
      ["deep", blocks ?? nullValue(impliedType(deep).attributes.get("deep")!)],
    ]);
  const found = normalized(
    object({ list: listValue([element(undefined)]), rule: setValue([], impliedType(inner)) }),
    outer,
  );
  expect(found).toEqual(
    object({ list: listValue([element(listValue([], impliedType(inner)))]), rule: setValue([], impliedType(inner)) }),
  );
});

test("what is in order is handed back itself, and so is nothing", () => {
  const fine = normalized(object({}), outer);
  expect(normalized(fine, outer)).toBe(fine);
  expect(normalized(nullValue(type), outer)).toBe(nullValue(type));
});

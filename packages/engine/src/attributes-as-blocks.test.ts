import { parseFile } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import type { BlockSchema } from "@millwright/provider/schema";
import { listType, objectType, setType, stringType } from "@millwright/value/types";
import { listValue, nullValue, objectValue, setValue } from "@millwright/value/value";
import { expect, test } from "vitest";
import { schemaForBody, withoutEmptied } from "./attributes-as-blocks.ts";

const rule = objectType({ port: stringType, hosts: listType(objectType({ name: stringType })) });
const schema: BlockSchema = {
  attributes: new Map([
    ["ingress", { type: setType(rule), optional: true, computed: true }],
    ["names", { type: listType(stringType), optional: true }],
  ]),
  blocks: new Map([
    [
      "inner",
      {
        nesting: "list",
        minItems: 0,
        maxItems: 0,
        block: { attributes: new Map([["rules", { type: listType(rule), optional: true }]]), blocks: new Map() },
      },
    ],
  ]),
};

const shapes: readonly { name: string; body: string; want: unknown }[] = [
  { name: "what is not written stays an attribute", body: "", want: { ingress: "attribute" } },
  { name: "what is written as an attribute stays one", body: "ingress = []", want: { ingress: "attribute" } },
  { name: "blocks of its name make it a block type", body: "ingress {}", want: { ingress: "set" } },
  { name: "dynamic blocks too", body: 'dynamic "ingress" {\n for_each = []\n content {}\n}', want: { ingress: "set" } },
  { name: "lists of strings are never blocks", body: "names {}", want: { names: "attribute" } },
  { name: "inside of blocks too", body: "inner {\n rules {}\n}", want: { "inner.rules": "list" } },
  { name: "and of such blocks", body: "ingress {\n hosts {}\n}", want: { "ingress.hosts": "list" } },
];

test.each(shapes)("$name", ({ body, want }) => {
  const parsed = parseFile(sourceFile("main.tf", Buffer.from(`${body}\n`)));
  expect(shapeOf(schemaForBody(parsed.value, schema))).toMatchObject(want as Record<string, unknown>);
});

test("an attribute that no dynamic block has made a block of is as one that is not written", () => {
  const written = (text: string) => parseFile(sourceFile("main.tf", Buffer.from(`${text}\n`))).value;
  const value = objectValue({ ingress: setValue([], rule), names: listValue([], stringType) });
  const emptied = withoutEmptied(value, written('dynamic "ingress" {\n for_each = []\n content {}\n}'), schema);
  expect(emptied).toEqual(objectValue({ ingress: nullValue(setType(rule)), names: listValue([], stringType) }));
  expect(withoutEmptied(value, written("ingress = []"), schema)).toEqual(value);
});

function shapeOf({ attributes, blocks }: BlockSchema, prefix = ""): Record<string, string> {
  const shape: Record<string, string> = {};
  for (const name of attributes.keys()) shape[prefix + name] = "attribute";
  for (const [name, { nesting, block }] of blocks)
    Object.assign(shape, { [prefix + name]: nesting }, shapeOf(block, `${prefix}${name}.`));
  return shape;
}

import type { AttributeSchema, BlockSchema } from "@millwright/provider/schema";
import { impliedType } from "@millwright/provider/implied-type";
import { fromPlain } from "@millwright/value/json";
import { numberType, stringType } from "@millwright/value/types";
import { expect, test } from "vitest";
import { invariant } from "@millwright/core/errors";
import { markSensitive } from "../objects.ts";
import { resourceConfig } from "./resource-config.ts";

const text = (rest: Partial<AttributeSchema> = {}): AttributeSchema => ({ type: stringType, optional: true, ...rest });
const inner: BlockSchema = { attributes: new Map([["port", { type: numberType, optional: true }]]), blocks: new Map() };
const schema: BlockSchema = {
  attributes: new Map([
    ["id", text({ computed: true })],
    ["arn", { type: stringType, computed: true }],
    ["name", { type: stringType, required: true }],
    ["policy", text()],
    ["old", text({ deprecated: true })],
    ["password", text({ sensitive: true })],
    ["note", text()],
    ["tags", { type: { kind: "map", element: stringType }, optional: true }],
    ["ends", { nested: { nesting: "list", attributes: inner.attributes }, optional: true }],
  ]),
  blocks: new Map([
    ["rule", { nesting: "list", block: inner, minItems: 0, maxItems: 0 }],
    ["one", { nesting: "single", block: inner, minItems: 0, maxItems: 0 }],
    ["named", { nesting: "map", block: inner, minItems: 0, maxItems: 0 }],
  ]),
};

test("configuration gives an object as it is, and leaves out what nobody may write or see", () => {
  const plain = {
    id: "i",
    arn: "arn:x",
    name: "n ${x}",
    policy: '{"a":[1,"b"]}',
    old: "o",
    password: "hunter2",
    note: null,
    tags: { "a b": "1", c: "2" },
    ends: [{ port: 1 }],
    rule: [{ port: 1 }, { port: null }],
    one: null,
    named: { k: { port: 3 } },
  };
  const decoded = fromPlain(plain, impliedType(schema));
  invariant(decoded.ok, "the object of the test fits its schema");
  const object = markSensitive(decoded.value, schema);
  const written = resourceConfig({ mode: "managed", type: "t", name: "a" }, object, schema, "t.west");
  expect(`${written}\n`).toBe(`resource "t" "a" {
  provider = t.west
  ends = [{
    port = 1
  }]
  name     = "n $\${x}"
  note     = null
  password = null # sensitive
  policy = jsonencode({
    a = [1, "b"]
  })
  tags = {
    "a b" = "1"
    c     = "2"
  }
  named "k" {
    port = 3
  }
  rule {
    port = 1
  }
  rule {
    port = null
  }
}
`);
});

import type { Value } from "@millwright/value/value";
import { listValue, mapValue, nullValue, objectValue, setValue, unknownValue } from "@millwright/value/value";
import { fromPlain, toPlain } from "../codec.ts";
import { attributeType, emptyBlocks, impliedType, nestedBlockType, nestedObjectType } from "../implied-type.ts";
import type { AttributeSchema, BlockSchema, NestedAttributeSchema, NestedBlockSchema } from "../schema.ts";

/**
 * A whole object of a block from plain data, for tests: what is left out is null (blocks: none), `undefined` is unknown.
 */
export function objectFor(block: BlockSchema, data: Readonly<Record<string, unknown>>): Value {
  const attributes: [string, Value][] = [];
  for (const [name, attribute] of block.attributes) attributes.push([name, valueFor(attribute, data, name)]);
  for (const [name, nested] of block.blocks) {
    attributes.push([
      name,
      Object.hasOwn(data, name) && data[name] !== null ? blocksFor(nested, data[name]) : emptyBlocks(nested),
    ]);
  }
  return objectValue(attributes);
}

/** An object as plain data, for assertions: unknown is `undefined`, `dynamic` values stay values. */
export function plainOf(block: BlockSchema, value: Value): unknown {
  return toPlain(value, impliedType(block));
}

function valueFor(attribute: AttributeSchema, data: Readonly<Record<string, unknown>>, name: string): Value {
  const type = attributeType(attribute);
  if (!Object.hasOwn(data, name)) return nullValue(type);
  const given = data[name];
  if (given === undefined || given === null) return given === null ? nullValue(type) : unknownValue(type);
  return attribute.nested ? nestedFor(attribute.nested, given) : fromPlain(given, type, [name]);
}

function nestedFor(nested: NestedAttributeSchema, given: unknown): Value {
  const type = nestedObjectType(nested);
  const one = (data: unknown) =>
    data === undefined
      ? unknownValue(type)
      : objectFor({ attributes: nested.attributes, blocks: new Map() }, data as Record<string, unknown>);
  switch (nested.nesting) {
    case "single":
      return one(given);
    case "list":
      return listValue((given as unknown[]).map(one), type);
    case "set":
      return setValue((given as unknown[]).map(one), type);
    case "map":
      return mapValue(
        Object.entries(given as object).map(([key, data]) => [key, one(data)] as const),
        type,
      );
  }
}

function blocksFor(nested: NestedBlockSchema, given: unknown): Value {
  const type = impliedType(nested.block);
  if (given === undefined) return unknownValue(nestedBlockType(nested));
  const one = (data: unknown) => objectFor(nested.block, data as Record<string, unknown>);
  switch (nested.nesting) {
    case "single":
    case "group":
      return one(given);
    case "list":
      return listValue((given as unknown[]).map(one), type);
    case "set":
      return setValue((given as unknown[]).map(one), type);
    case "map":
      return mapValue(
        Object.entries(given as object).map(([key, data]) => [key, one(data)] as const),
        type,
      );
  }
}

import type { AttributeSchema, BlockSchema } from "@millwright/provider/schema";
import { type Path, type PathStep, steps } from "@millwright/value/path";
import { asMap, ephemeral, isKnown, isMarkedDeep, isNull, type Value } from "@millwright/value/value";

/**
 * Where a resource's configuration has ephemeral values outside of write-only arguments: they would be kept. A set is named
 * as a whole, as its elements have no places of their own.
 */
export function keptEphemerals(config: Value, schema: BlockSchema, at: Path = []): readonly Path[] {
  if (!isMarkedDeep(config, ephemeral)) return [];
  if (config.marks.has(ephemeral) || !isKnown(config) || isNull(config)) return [at];
  return [...asMap(config)].flatMap(([name, value]) => {
    const path = [...at, { attribute: name }];
    const attribute = schema.attributes.get(name);
    if (attribute) return keptInAttribute(value, attribute, path);
    const block = schema.blocks.get(name);
    return block ? keptInElements(value, block.block, block.nesting, path) : [];
  });
}

function keptInAttribute(value: Value, { writeOnly, nested }: AttributeSchema, at: Path): readonly Path[] {
  if (writeOnly || !isMarkedDeep(value, ephemeral)) return [];
  if (!nested) return [at];
  return keptInElements(value, { attributes: nested.attributes, blocks: new Map() }, nested.nesting, at);
}

function keptInElements(
  value: Value,
  schema: BlockSchema,
  nesting: "single" | "group" | "list" | "set" | "map",
  at: Path,
): readonly Path[] {
  if (nesting === "single" || nesting === "group") return keptEphemerals(value, schema, at);
  if (!isMarkedDeep(value, ephemeral)) return [];
  if (nesting === "set" || value.marks.has(ephemeral) || !isKnown(value) || isNull(value)) return [at];
  return [...steps(value)].flatMap(([step, element]: readonly [PathStep, Value]) =>
    keptEphemerals(element, schema, [...at, step]),
  );
}

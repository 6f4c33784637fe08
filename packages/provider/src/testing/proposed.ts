import { rawEquals } from "@millwright/value/operations";
import type { Value } from "@millwright/value/value";
import { asMap, isKnown, isNull, listValue, mapValue, nullValue, objectValue, setValue } from "@millwright/value/value";
import type { AttributeSchema, BlockSchema } from "../schema.ts";

/**
 * The object that a driver of providers proposes in a plan: the configuration, and where it is silent on a computed
 * attribute, what was there before. Nested objects find their past by index or key, in sets by what was configured.
 *
 * A plain rendering of the protocol's rule, for tests of providers; the engine has its own with all its corners.
 */
export function proposedObject(block: BlockSchema, prior: Value, config: Value): Value {
  if (isNull(config) || !isKnown(config)) return config;
  const before = isNull(prior) || !isKnown(prior) ? undefined : asMap(prior);
  return objectValue(
    [...asMap(config)].map(([name, value]) => {
      const old = before?.get(name) ?? nullValue(value.type);
      const attribute = block.attributes.get(name);
      if (attribute) return [name, proposedAttribute(attribute, old, value)] as const;
      const nested = block.blocks.get(name);
      return [name, nested ? proposedInside(nested.block, nested.nesting, old, value) : value] as const;
    }),
  );
}

function proposedAttribute(attribute: AttributeSchema, prior: Value, config: Value): Value {
  if (attribute.computed && isNull(config)) return prior;
  if (!attribute.nested) return config;
  const block = { attributes: attribute.nested.attributes, blocks: new Map() };
  return proposedInside(block, attribute.nested.nesting, prior, config);
}

function proposedInside(
  block: BlockSchema,
  nesting: "single" | "group" | "list" | "set" | "map",
  prior: Value,
  config: Value,
): Value {
  if (isNull(config) || !isKnown(config)) return config;
  const missing = (like: Value) => nullValue(like.type);
  const { type } = config;
  const before = isNull(prior) || !isKnown(prior) ? undefined : prior.data;
  if (nesting === "single" || nesting === "group") return proposedObject(block, prior, config);
  if (nesting === "map") {
    const old = before as ReadonlyMap<string, Value> | undefined;
    const entries = [...asMap(config)].map(
      ([key, v]) => [key, proposedObject(block, old?.get(key) ?? missing(v), v)] as const,
    );
    return type.kind === "map" ? mapValue(entries, type.element) : objectValue(entries);
  }
  const old = (before as readonly Value[] | undefined) ?? [];
  const objects = (config.data as readonly Value[]).map((v, i) => {
    const past = nesting === "set" ? old.find((candidate) => isSameButComputed(block, candidate, v)) : old[i];
    return proposedObject(block, past ?? missing(v), v);
  });
  if (type.kind === "set") return setValue(objects, type.element);
  return type.kind === "list" ? listValue(objects, type.element) : { ...config, data: objects };
}

function isSameButComputed(block: BlockSchema, past: Value, config: Value): boolean {
  return [...asMap(config)].every(([name, value]) => {
    if (block.attributes.get(name)?.computed && isNull(value)) return true;
    return rawEquals(asMap(past).get(name)!, value);
  });
}

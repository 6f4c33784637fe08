import { emptyValue } from "@millwright/provider/implied-type";
import type {
  AttributeSchema,
  BlockSchema,
  NestedAttributeSchema,
  NestedBlockSchema,
} from "@millwright/provider/schema";
import { rawEquals } from "@millwright/value/operations";
import type { Type } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asArray, asMap, isKnown, isNull } from "@millwright/value/value";

/**
 * The object a provider is asked to plan: the configuration, with computed attributes that it leaves out filled from the
 * prior object. Nested objects are matched by place (lists), key (maps) or likeness (sets). Values carry no marks.
 *
 * Source: what Terraform's plugin protocol calls the proposed new state.
 */
export function proposedNew(schema: BlockSchema, prior: Value, config: Value): Value {
  if (isNull(config) || !isKnown(config)) return isNull(config) ? prior : config;
  const base = isNull(prior) || !isKnown(prior) ? emptyValue(schema) : prior;
  const before = asMap(base);
  const wanted = asMap(config);
  const result = new Map<string, Value>();
  let same = true;
  for (const [name, value] of wanted) {
    const attribute = schema.attributes.get(name);
    const block = schema.blocks.get(name);
    const old = before.get(name)!;
    const next = attribute
      ? proposedAttribute(attribute, old, value)
      : block
        ? proposedBlock(block, old, value)
        : value;
    if (next !== value) same = false;
    result.set(name, next);
  }
  return same ? config : { type: objectTypeOf(config, result), data: result, marks: config.marks };
}

/** The object's type with what computed attributes of any type brought in from the prior object. */
function objectTypeOf(config: Value, members: ReadonlyMap<string, Value>): Type {
  const { type } = config;
  if (type.kind !== "object") return type;
  let differs = false;
  const attributes = new Map<string, Type>();
  for (const [name, { type: is }] of members) {
    if (type.attributes.get(name) !== is) differs = true;
    attributes.set(name, is);
  }
  return differs ? { ...type, attributes } : type;
}

function proposedAttribute(schema: AttributeSchema, prior: Value, config: Value): Value {
  if (schema.computed && isNull(config)) {
    // A nested object that was written and now is not: what the user had set cannot be kept as if it were computed.
    if (schema.optional && schema.nested && holdsUncomputed(schema.nested, prior)) return config;
    return prior;
  }
  return schema.nested ? proposedNested(nestedAsBlock(schema.nested), schema.nested.nesting, prior, config) : config;
}

function proposedBlock(schema: NestedBlockSchema, prior: Value, config: Value): Value {
  return proposedNested(schema.block, schema.nesting, prior, config);
}

function proposedNested(block: BlockSchema, nesting: NestedBlockSchema["nesting"], prior: Value, config: Value): Value {
  if (isNull(config) || !isKnown(config)) return config;
  switch (nesting) {
    case "single":
    case "group":
      return proposedNew(block, prior, config);
    case "list": {
      const before = isArrayData(prior) ? asArray(prior) : [];
      const data = asArray(config).map((value, i) =>
        i < before.length ? proposedNew(block, before[i]!, value) : value,
      );
      return { type: config.type, data, marks: config.marks };
    }
    case "map": {
      const before = prior.data instanceof Map ? asMap(prior) : new Map<string, Value>();
      const data = new Map<string, Value>();
      for (const [key, value] of asMap(config)) {
        const old = before.get(key);
        data.set(key, old ? proposedNew(block, old, value) : value);
      }
      return { type: config.type, data, marks: config.marks };
    }
    case "set": {
      const unused = isArrayData(prior) ? [...asArray(prior)] : [];
      const data = asArray(config).map((value) => {
        const at = unused.findIndex((old) => couldComeFrom(block, old, value));
        if (at < 0) return value;
        return proposedNew(block, unused.splice(at, 1)[0]!, value);
      });
      return { type: config.type, data, marks: config.marks };
    }
  }
}

function isArrayData(value: Value): boolean {
  return Array.isArray(value.data);
}

/** Whether `prior` may be what `config` became: they differ only where the provider computes what the config leaves out. */
function couldComeFrom(schema: BlockSchema, prior: Value, config: Value): boolean {
  if (rawEquals(prior, config)) return true;
  if (!(prior.data instanceof Map) || !(config.data instanceof Map)) return false;
  for (const [name, wanted] of asMap(config)) {
    const old = asMap(prior).get(name)!;
    if (rawEquals(old, wanted)) continue;
    const attribute = schema.attributes.get(name);
    if (attribute?.computed && isNull(wanted)) {
      if (attribute.optional && attribute.nested && holdsUncomputed(attribute.nested, old)) return false;
      continue;
    }
    const nested = attribute?.nested;
    const block = schema.blocks.get(name);
    if (nested && nestedCouldComeFrom(nestedAsBlock(nested), old, wanted)) continue;
    if (block && nestedCouldComeFrom(block.block, old, wanted)) continue;
    return false;
  }
  return true;
}

function nestedCouldComeFrom(block: BlockSchema, prior: Value, config: Value): boolean {
  if (Array.isArray(prior.data) && Array.isArray(config.data)) {
    const before = asArray(prior);
    const wanted = asArray(config);
    return before.length === wanted.length && wanted.every((value, i) => couldComeFrom(block, before[i]!, value));
  }
  if (prior.type.kind === "map" && prior.data instanceof Map && config.data instanceof Map) {
    const before = asMap(prior);
    const wanted = asMap(config);
    if (before.size !== wanted.size) return false;
    for (const [key, value] of wanted) {
      const old = before.get(key);
      if (!old || !couldComeFrom(block, old, value)) return false;
    }
    return true;
  }
  return couldComeFrom(block, prior, config);
}

/** Whether a nested object holds anything that only a configuration can have put there. */
function holdsUncomputed(nested: NestedAttributeSchema, value: Value): boolean {
  if (isNull(value) || !isKnown(value)) return false;
  if (Array.isArray(value.data)) return asArray(value).some((element) => objectHoldsUncomputed(nested, element));
  if (value.type.kind === "map")
    return [...asMap(value).values()].some((element) => objectHoldsUncomputed(nested, element));
  return objectHoldsUncomputed(nested, value);
}

function objectHoldsUncomputed(nested: NestedAttributeSchema, object: Value): boolean {
  if (isNull(object) || !isKnown(object)) return false;
  for (const [name, value] of asMap(object)) {
    const attribute = nested.attributes.get(name);
    if (!attribute || isNull(value)) continue;
    if (!attribute.computed) return true;
    if (attribute.nested && holdsUncomputed(attribute.nested, value)) return true;
  }
  return false;
}

const asBlocks = new WeakMap<NestedAttributeSchema, BlockSchema>();

/** A nested attribute's object as a block without blocks, which it is like in all that matters here. */
export function nestedAsBlock(nested: NestedAttributeSchema): BlockSchema {
  let block = asBlocks.get(nested);
  if (!block) asBlocks.set(nested, (block = { attributes: nested.attributes, blocks: new Map() }));
  return block;
}

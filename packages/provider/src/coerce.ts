import { convert } from "@millwright/value/convert";
import type { Path } from "@millwright/value/path";
import { hasDynamic } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  asMap,
  isKnown,
  isNull,
  listValue,
  mapValue,
  nullValue,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
} from "@millwright/value/value";
import { attributeConfigType, attributeType, emptyBlocks, impliedType, nestedBlockType } from "./implied-type.ts";
import type { AttributeSchema, BlockSchema, NestedBlockSchema } from "./schema.ts";

/** An object of the schema, or where it does not fit and why, as a phrase without a full stop. */
export type Coerced =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly path: Path; readonly problem: string };

/**
 * An object (or map) as a whole object of the block: attributes converted to their types, those that are not there null,
 * blocks that are not there empty. What the schema does not have, and a required attribute that is missing, is refused.
 *
 * Whether there are as many blocks as the schema wants is not looked at. Marks stay.
 * Source: the reference's configschema.Block.CoerceValue.
 */
export function coerceToSchema(value: Value, block: BlockSchema): Coerced {
  try {
    return { ok: true, value: coerceObject(value, block, []) };
  } catch (error) {
    if (error instanceof Misfit) return { ok: false, path: error.path, problem: error.message };
    throw error;
  }
}

/** Ends the descent at the first thing that does not fit; never leaves this file. */
class Misfit extends Error {
  readonly path: Path;

  constructor(path: Path, problem: string) {
    super(problem);
    this.path = path;
  }
}

function coerceObject(value: Value, block: BlockSchema, path: Path): Value {
  if (isNull(value)) return nullValue(impliedType(block));
  if (!isKnown(value)) return unknownValue(impliedType(block));
  if (!(value.data instanceof Map)) throw new Misfit(path, "an object is required");
  const given = asMap(value);
  for (const name of given.keys()) {
    if (!block.attributes.has(name) && !block.blocks.has(name))
      throw new Misfit(path, `unsupported attribute ${JSON.stringify(name)}`);
  }
  const attributes: [string, Value][] = [];
  for (const [name, attribute] of block.attributes) {
    attributes.push([name, coerceAttribute(attribute, given.get(name), name, path)]);
  }
  for (const [name, nested] of block.blocks) {
    attributes.push([name, coerceBlocks(nested, given.get(name), [...path, { attribute: name }])]);
  }
  const object = objectValue(attributes);
  return value.marks.size === 0 ? object : { ...object, marks: value.marks };
}

function coerceAttribute(attribute: AttributeSchema, given: Value | undefined, name: string, path: Path): Value {
  if (!given) {
    if (attribute.required) throw new Misfit(path, `attribute ${JSON.stringify(name)} is required`);
    return nullValue(attributeType(attribute));
  }
  const converted = convert(given, attributeConfigType(attribute));
  if (!converted.ok) throw new Misfit([...path, { attribute: name }, ...converted.path], converted.message);
  return converted.value;
}

function coerceBlocks(nested: NestedBlockSchema, given: Value | undefined, path: Path): Value {
  if (!given || isNull(given)) return emptyBlocks(nested);
  const { nesting, block } = nested;
  if (nesting === "single" || nesting === "group") return coerceObject(given, block, path);
  if (!isKnown(given)) return unknownValue(nestedBlockType(nested));
  const element = impliedType(block);
  if (nesting === "map") {
    if (!(given.data instanceof Map)) throw new Misfit(path, "a map is required");
    const entries = [...asMap(given)].map(
      ([key, v]) => [key, coerceObject(v, block, [...path, { index: stringValue(key) }])] as const,
    );
    return hasDynamic(element) ? objectValue(entries) : mapValue(entries, element);
  }
  if (!Array.isArray(given.data)) throw new Misfit(path, `a ${nesting} is required`);
  const objects = (given.data as readonly Value[]).map((v, i) =>
    coerceObject(v, block, [...path, { index: numberValue(i) }]),
  );
  if (nesting === "set") return setValue(objects, element);
  return hasDynamic(element) ? tupleValue(objects) : listValue(objects, element);
}

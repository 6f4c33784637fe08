import type { Chance } from "@millwright/core/ports";
import type { AttributeSchema, BlockSchema } from "@millwright/provider/schema";
import { nestedAsBlock } from "../change/proposed.ts";
import { convert } from "@millwright/value/convert";
import type { Type } from "@millwright/value/types";
import {
  asArray,
  asMap,
  boolValue,
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
  withMarks,
  type Value,
} from "@millwright/value/value";

/** A value that was given for a mocked attribute and does not fit it. */
export interface MockMisfit {
  readonly attribute: string;
  readonly message: string;
}

/** What fills the unknown parts of an object: what was given for it, and made-up values for the rest. */
export interface MockFill {
  /** An object; attributes that it lacks are made up. */
  readonly given: Value;
  readonly chance: Chance;
  readonly misfits: MockMisfit[];
}

/**
 * An object in which every attribute that its provider would compute and that has no value yet is unknown: what a mocked
 * provider plans.
 */
export function withUnknowns(schema: BlockSchema, value: Value): Value {
  return eachAttribute(schema, value, undefined, (attribute, part) =>
    attribute.computed && isNull(part) ? unknownValue(part.type) : part,
  );
}

/** The same object with its unknown parts filled. What the configuration says is kept. */
export function filled(schema: BlockSchema, value: Value, fill: MockFill): Value {
  return eachAttribute(schema, value, fill.given, (attribute, part, given, name) => {
    if (!attribute.computed || isKnown(part)) return part;
    if (given === undefined) return madeUp(part.type, fill.chance);
    const converted = convert(given, part.type);
    if (converted.ok) return converted.value;
    fill.misfits.push({ attribute: name, message: converted.message });
    return madeUp(part.type, fill.chance);
  });
}

type Replace = (attribute: AttributeSchema, part: Value, given: Value | undefined, name: string) => Value;

function eachAttribute(schema: BlockSchema, value: Value, given: Value | undefined, replace: Replace): Value {
  if (isNull(value) || !isKnown(value)) return value;
  const gifts = given && objectEntries(given);
  const data = new Map<string, Value>();
  for (const [name, part] of asMap(value)) {
    const gift = gifts?.get(name);
    const attribute = schema.attributes.get(name);
    const block = schema.blocks.get(name);
    if (attribute) {
      const nested = attribute.nested;
      const inner = replace(attribute, part, gift, name);
      data.set(name, nested ? eachElement(nestedAsBlock(nested), nested.nesting, inner, gift, replace) : inner);
    } else data.set(name, block ? eachElement(block.block, block.nesting, part, gift, replace) : part);
  }
  return withMarks(objectValue(data), value.marks);
}

// One object of given values stands for every element of a nested block.
function eachElement(
  schema: BlockSchema,
  nesting: "single" | "group" | "list" | "set" | "map",
  value: Value,
  given: Value | undefined,
  replace: Replace,
): Value {
  if (isNull(value) || !isKnown(value)) return value;
  if (nesting === "single" || nesting === "group") return eachAttribute(schema, value, given, replace);
  if (nesting === "map") {
    const entries = [...asMap(value)].map(
      ([key, element]) => [key, eachAttribute(schema, element, given, replace)] as const,
    );
    return value.type.kind === "map" ? mapValue(entries, value.type.element) : objectValue(entries);
  }
  const elements = asArray(value).map((element) => eachAttribute(schema, element, given, replace));
  if (value.type.kind === "set") return setValue(elements, value.type.element);
  return value.type.kind === "list" ? listValue(elements, value.type.element) : tupleValue(elements);
}

function objectEntries(value: Value): ReadonlyMap<string, Value> | undefined {
  const isObject = value.type.kind === "object" || value.type.kind === "map";
  return isObject && isKnown(value) && !isNull(value) ? asMap(value) : undefined;
}

const letters = "abcdefghijklmnopqrstuvwxyz0123456789";

/** A value for a computed attribute of which nothing is said: eight random letters and digits, 0, false, nothing in a collection. */
export function madeUp(type: Type, chance: Chance): Value {
  switch (type.kind) {
    case "string":
      return stringValue([...chance.bytes(8)].map((byte) => letters[byte % letters.length]).join(""));
    case "number":
      return numberValue(0);
    case "bool":
      return boolValue(false);
    case "list":
      return listValue([], type.element);
    case "set":
      return setValue([], type.element);
    case "map":
      return mapValue([], type.element);
    case "tuple":
      return tupleValue(type.elements.map((element) => madeUp(element, chance)));
    case "object":
      return objectValue([...type.attributes].map(([name, attribute]) => [name, madeUp(attribute, chance)] as const));
    default:
      return nullValue(type);
  }
}

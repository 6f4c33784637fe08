import type { Path } from "@millwright/value/path";
import type { ObjectType, Type } from "@millwright/value/types";
import {
  dynamicType,
  hasDynamic,
  isCollection,
  listType,
  mapType,
  objectType,
  setType,
  typeEquals,
} from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  emptyObject,
  emptyTuple,
  listValue,
  mapValue,
  nullValue,
  numberValue,
  objectValue,
  setValue,
} from "@millwright/value/value";
import type {
  AttributeSchema,
  BlockSchema,
  IdentitySchema,
  NestedAttributeSchema,
  NestedBlockSchema,
} from "./schema.ts";

/**
 * The type of every value of a block: an attribute a name, nested blocks by their nesting. Kept for each schema object.
 *
 * A list of blocks with `dynamic` inside is a tuple in each value, a map of such blocks an object; the implied type of
 * both is `dynamic`, as their element types differ from value to value.
 * Source: how the reference decodes a block to a value (configschema.Block.ImpliedType).
 */
export function impliedType(block: BlockSchema): ObjectType {
  const known = impliedTypes.get(block);
  if (known) return known;
  const attributes: [string, Type][] = [];
  for (const [name, attribute] of block.attributes) attributes.push([name, attributeType(attribute)]);
  for (const [name, nested] of block.blocks) attributes.push([name, nestedBlockType(nested)]);
  const type = objectType(attributes);
  impliedTypes.set(block, type);
  return type;
}

/** The type of every identity of a resource type. */
export function identityType(schema: IdentitySchema): ObjectType {
  const known = identityTypes.get(schema);
  if (known) return known;
  const type = objectType([...schema.attributes].map(([name, attribute]) => [name, attribute.type] as const));
  identityTypes.set(schema, type);
  return type;
}

/** The type of an attribute's values. */
export function attributeType(attribute: AttributeSchema): Type {
  return attribute.nested
    ? byNesting(attribute.nested.nesting, nestedObjectType(attribute.nested))
    : (attribute.type ?? dynamicType);
}

/** The type of one object of a nested attribute. */
export function nestedObjectType(nested: NestedAttributeSchema): ObjectType {
  const known = nestedTypes.get(nested);
  if (known) return known;
  const type = objectType([...nested.attributes].map(([name, attribute]) => [name, attributeType(attribute)] as const));
  nestedTypes.set(nested, type);
  return type;
}

/** The type of all blocks of one name together. */
export function nestedBlockType(nested: NestedBlockSchema): Type {
  const element = impliedType(nested.block);
  switch (nested.nesting) {
    case "single":
    case "group":
      return element;
    case "list":
      return hasDynamic(element) ? dynamicType : listType(element);
    case "map":
      return hasDynamic(element) ? dynamicType : mapType(element);
    case "set":
      return setType(element);
  }
}

/**
 * The type to convert a configured attribute to: as {@link attributeType}, but inside nested attributes whatever may be
 * left out of a configuration is marked optional, so that conversion fills it with null.
 */
export function attributeConfigType(attribute: AttributeSchema): Type {
  return attribute.nested
    ? byNesting(attribute.nested.nesting, nestedConfigType(attribute.nested))
    : (attribute.type ?? dynamicType);
}

/**
 * The type to convert a whole configured object to (as from JSON or a TypeScript stack): {@link impliedType}, with what
 * may be left out marked optional. Blocks that were left out come out null; `coerceToSchema` makes them empty.
 */
export function configType(block: BlockSchema): ObjectType {
  const attributes: [string, Type][] = [];
  const optional: string[] = [];
  for (const [name, attribute] of block.attributes) {
    attributes.push([name, attributeConfigType(attribute)]);
    if (!attribute.required) optional.push(name);
  }
  for (const [name, nested] of block.blocks) {
    attributes.push([name, nestedBlockConfigType(nested)]);
    optional.push(name);
  }
  return objectType(attributes, optional);
}

/**
 * The value of a block that is there and says nothing: attributes null, list, set and map blocks empty, a single block
 * null, a group block the empty object of its own.
 */
export function emptyValue(block: BlockSchema): Value {
  const known = emptyValues.get(block);
  if (known) return known;
  const attributes: [string, Value][] = [];
  for (const [name, attribute] of block.attributes) attributes.push([name, nullValue(attributeType(attribute))]);
  for (const [name, nested] of block.blocks) attributes.push([name, emptyBlocks(nested)]);
  const value = objectValue(attributes);
  emptyValues.set(block, value);
  return value;
}

/** The value of a nested block type of which there are no blocks. */
export function emptyBlocks(nested: NestedBlockSchema): Value {
  const element = impliedType(nested.block);
  switch (nested.nesting) {
    case "single":
      return nullValue(element);
    case "group":
      return emptyValue(nested.block);
    case "list":
      return hasDynamic(element) ? emptyTuple : listValue([], element);
    case "map":
      return hasDynamic(element) ? emptyObject : mapValue([], element);
    case "set":
      return setValue([], element);
  }
}

/** One way in which a value does not fit a schema; `problem` is a phrase without a full stop. */
export interface Misfit {
  readonly path: Path;
  readonly problem: string;
}

/** Where `value` is not of the block's {@link impliedType}; empty when it is. Null, unknown and marks are not looked at. */
export function conforms(value: Value, block: BlockSchema): readonly Misfit[] {
  const found: Misfit[] = [];
  compareTypes(value.type, impliedType(block), [], found);
  return found;
}

function compareTypes(got: Type, want: Type, path: Path, found: Misfit[]): void {
  if (want.kind === "dynamic" || got === want) return;
  if (got.kind === "object" && want.kind === "object") {
    for (const [name, type] of want.attributes) {
      const given = got.attributes.get(name);
      if (given) compareTypes(given, type, [...path, { attribute: name }], found);
      else found.push({ path, problem: `attribute ${JSON.stringify(name)} is missing` });
    }
    for (const name of got.attributes.keys()) {
      if (!want.attributes.has(name)) found.push({ path, problem: `there is no attribute ${JSON.stringify(name)}` });
    }
  } else if (got.kind === "tuple" && want.kind === "tuple" && got.elements.length === want.elements.length) {
    want.elements.forEach((type, i) =>
      compareTypes(got.elements[i]!, type, [...path, { index: numberValue(i) }], found),
    );
  } else if (isCollection(got) && isCollection(want) && got.kind === want.kind) {
    // What is said of the element type holds for every element, so the path leads to the collection.
    compareTypes(got.element, want.element, path, found);
  } else if (got.kind !== want.kind || !typeEquals(got, want)) {
    found.push({ path, problem: `${nameOf(want)} required, but got ${nameOf(got)}` });
  }
}

function nameOf(type: Type): string {
  switch (type.kind) {
    case "dynamic":
      return "any type";
    case "list":
    case "set":
    case "map":
      return `${type.kind} of ${nameOf(type.element)}`;
    default:
      return type.kind;
  }
}

const identityTypes = new WeakMap<IdentitySchema, ObjectType>();
const impliedTypes = new WeakMap<BlockSchema, ObjectType>();
const nestedTypes = new WeakMap<NestedAttributeSchema, ObjectType>();
const emptyValues = new WeakMap<BlockSchema, Value>();

function byNesting(nesting: NestedAttributeSchema["nesting"], element: Type): Type {
  switch (nesting) {
    case "single":
      return element;
    case "list":
      return listType(element);
    case "set":
      return setType(element);
    case "map":
      return mapType(element);
  }
}

function nestedConfigType(nested: NestedAttributeSchema): ObjectType {
  const attributes = [...nested.attributes];
  return objectType(
    attributes.map(([name, attribute]) => [name, attributeConfigType(attribute)] as const),
    attributes.filter(([, attribute]) => !attribute.required).map(([name]) => name),
  );
}

function nestedBlockConfigType(nested: NestedBlockSchema): Type {
  const element = configType(nested.block);
  switch (nested.nesting) {
    case "single":
    case "group":
      return element;
    case "list":
      return hasDynamic(element) ? dynamicType : listType(element);
    case "map":
      return hasDynamic(element) ? dynamicType : mapType(element);
    case "set":
      return setType(element);
  }
}

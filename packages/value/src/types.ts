/**
 * The type of a {@link Value}, as go-cty has them. A closed union; compare with {@link typeEquals}, never by identity.
 *
 * `dynamic` is the type that is not known yet. A tuple has a type a place, an object a type a name. Attributes of an
 * object are kept in the byte order of their names. `optional` names those that a type constraint lets be left out
 * (conversion fills them with null); a concrete value's own type has none.
 */
export type Type =
  | PrimitiveType
  | { readonly kind: "dynamic" }
  | { readonly kind: "list"; readonly element: Type }
  | { readonly kind: "set"; readonly element: Type }
  | { readonly kind: "map"; readonly element: Type }
  | { readonly kind: "tuple"; readonly elements: readonly Type[] }
  | ObjectType
  | { readonly kind: "capsule"; readonly name: string };

export type PrimitiveType = { readonly kind: "string" } | { readonly kind: "number" } | { readonly kind: "bool" };

export interface ObjectType {
  readonly kind: "object";
  readonly attributes: ReadonlyMap<string, Type>;
  readonly optional: ReadonlySet<string>;
}

export const stringType: Type = { kind: "string" };
export const numberType: Type = { kind: "number" };
export const boolType: Type = { kind: "bool" };
export const dynamicType: Type = { kind: "dynamic" };

export function listType(element: Type): Type {
  return { kind: "list", element };
}

export function setType(element: Type): Type {
  return { kind: "set", element };
}

export function mapType(element: Type): Type {
  return { kind: "map", element };
}

export function tupleType(elements: readonly Type[]): Type {
  return { kind: "tuple", elements };
}

const noOptional: ReadonlySet<string> = new Set();

/** An object type; `attributes` as a record or as entries, in any order. */
export function objectType(
  attributes: Readonly<Record<string, Type>> | Iterable<readonly [string, Type]>,
  optional: Iterable<string> = noOptional,
): ObjectType {
  const entries =
    Symbol.iterator in attributes ? [...(attributes as Iterable<readonly [string, Type]>)] : Object.entries(attributes);
  const attributesInOrder = sortedMap(entries);
  if (optional === noOptional) return orderedObjectType(attributesInOrder);
  const optionals = new Set(optional);
  return {
    kind: "object",
    attributes: attributesInOrder,
    optional: optionals.size === 0 ? noOptional : optionals,
  };
}

/** An object type of attributes that are in the order of {@link sortedMap} already. */
export function orderedObjectType(attributes: ReadonlyMap<string, Type>): ObjectType {
  return { kind: "object", attributes, optional: noOptional };
}

export const emptyObjectType: ObjectType = objectType({});
export const emptyTupleType: Type = tupleType([]);

/** A capsule: a value of a host program's own, opaque to expressions. */
export function capsuleType(name: string): Type {
  return { kind: "capsule", name };
}

export function isPrimitive(type: Type): type is PrimitiveType {
  return type.kind === "string" || type.kind === "number" || type.kind === "bool";
}

/** Lists, sets and maps: any number of elements of one type. */
export function isCollection(type: Type): type is Extract<Type, { readonly element: Type }> {
  return type.kind === "list" || type.kind === "set" || type.kind === "map";
}

/** Tuples and objects: a type for each place. */
export function isStructural(type: Type): type is Extract<Type, { readonly kind: "tuple" | "object" }> {
  return type.kind === "tuple" || type.kind === "object";
}

/** Whether two types are the same, optional attributes included. */
export function typeEquals(a: Type, b: Type): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case "string":
    case "number":
    case "bool":
    case "dynamic":
      return true;
    case "list":
    case "set":
    case "map":
      return typeEquals(a.element, (b as typeof a).element);
    case "tuple": {
      const other = (b as typeof a).elements;
      return a.elements.length === other.length && a.elements.every((t, i) => typeEquals(t, other[i]!));
    }
    case "object": {
      const other = b as typeof a;
      if (a.attributes.size !== other.attributes.size || a.optional.size !== other.optional.size) return false;
      for (const [name, type] of a.attributes) {
        const theirs = other.attributes.get(name);
        if (!theirs || !typeEquals(type, theirs) || a.optional.has(name) !== other.optional.has(name)) return false;
      }
      return true;
    }
    case "capsule":
      return a.name === (b as typeof a).name;
  }
}

const knownDynamic = new WeakMap<Type, boolean>();

/** Whether `dynamic` occurs anywhere in the type. */
export function hasDynamic(type: Type): boolean {
  if (isPrimitive(type) || type.kind === "capsule") return false;
  if (type.kind === "dynamic") return true;
  let result = knownDynamic.get(type);
  if (result === undefined) {
    result = isDynamicInside(type);
    knownDynamic.set(type, result);
  }
  return result;
}

function isDynamicInside(type: Type): boolean {
  switch (type.kind) {
    case "list":
    case "set":
    case "map":
      return hasDynamic(type.element);
    case "tuple":
      return type.elements.some(hasDynamic);
    case "object":
      for (const attribute of type.attributes.values()) if (hasDynamic(attribute)) return true;
      return false;
    default:
      return false;
  }
}

const stripped = new WeakMap<Type, Type>();

/** The type without optional attributes, at any depth: what values of a type constraint are of. */
export function withoutOptional(type: Type): Type {
  if (isPrimitive(type) || type.kind === "dynamic" || type.kind === "capsule") return type;
  let result = stripped.get(type);
  if (!result) {
    result = hasOptional(type) ? strip(type) : type;
    stripped.set(type, result);
  }
  return result;
}

function hasOptional(type: Type): boolean {
  switch (type.kind) {
    case "list":
    case "set":
    case "map":
      return hasOptional(type.element);
    case "tuple":
      return type.elements.some(hasOptional);
    case "object":
      return type.optional.size > 0 || [...type.attributes.values()].some(hasOptional);
    default:
      return false;
  }
}

function strip(type: Type): Type {
  switch (type.kind) {
    case "list":
    case "set":
    case "map":
      return { kind: type.kind, element: withoutOptional(type.element) };
    case "tuple":
      return tupleType(type.elements.map(withoutOptional));
    case "object":
      return objectType([...type.attributes].map(([name, attribute]) => [name, withoutOptional(attribute)] as const));
    default:
      return type;
  }
}

/** A map in the byte order of its keys: the order in which maps and objects are gone through. */
export function sortedMap<T>(entries: Iterable<readonly [string, T]>): ReadonlyMap<string, T> {
  const list: readonly (readonly [string, T])[] = Array.isArray(entries) ? entries : [...entries];
  for (let i = 1; i < list.length; i++)
    if (compareKeys(list[i - 1]![0], list[i]![0]) > 0)
      return new Map([...list].sort((a, b) => compareKeys(a[0], b[0])));
  return new Map(list);
}

/** Orders two strings by their UTF-8 bytes (which is the order of their code points). Negative, zero or positive. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above the rest of the basic plane: lift them over U+E000…U+FFFF.
    if (x >= 0xd800 && y >= 0xd800) {
      x = x >= 0xe000 ? x - 0x800 : x + 0x2000;
      y = y >= 0xe000 ? y - 0x800 : y + 0x2000;
    }
    return x - y;
  }
  return a.length - b.length;
}

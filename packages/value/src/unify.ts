import type { Certainty } from "./conversion.ts";

import type { Converted } from "./convert.ts";
import { conversionExists, convert } from "./convert.ts";
import type { ObjectType, Type } from "./types.ts";
import { dynamicType, isPrimitive, listType, mapType, objectType, tupleType, typeEquals } from "./types.ts";
import type { Value } from "./value.ts";
import { dynamicValue, withMarks } from "./value.ts";

/** The one type that several types have in common, and how a value of one of those types becomes one of it. */
export interface Unified {
  readonly type: Type;
  /** Fails only where the types have `dynamic` inside, and elements turn out to have nothing in common. */
  readonly convert: (value: Value) => Converted;
}

/**
 * The most general of the given types that values of all the others can be converted to for certain, or one made of them:
 * objects with the same attributes unify attribute by attribute, others as a map; tuples of one length place by place,
 * others as a list. With a type that is not known yet among collections, the result is not known either. Undefined where
 * there is no such type, or no type at all. Follows go-cty's `convert.Unify`.
 */
export function unify(types: readonly Type[]): Unified | undefined {
  const type = unifiedType(types, "safe");
  if (!type) return undefined;
  const unsettled = type.kind === "dynamic" && isUnsettled(types);
  if (unsettled) return { type, convert: (value) => ({ ok: true, value: withMarks(dynamicValue, value.marks) }) };
  return { type, convert: (value) => convert(value, type) };
}

/** As {@link unify}, the type alone; "unsafe" also allows conversions that some values fail (a string to a number). */
export function unifiedType(types: readonly Type[], certainty: Certainty): Type | undefined {
  const [first] = types;
  if (!first) return undefined;
  if (types.every((t) => t === first || typeEquals(t, first))) return first;
  const kinds = new Set<Type["kind"]>(types.map((t) => t.kind));
  if (kinds.has("object") && kinds.has("tuple")) return undefined;
  const untyped = kinds.delete("dynamic");
  const [kind] = kinds;
  if (kinds.size === 1 && kind && isCompound(kind)) {
    return untyped ? dynamicType : unifyKind(kind, types, certainty);
  }
  const mixed = unifyMixed(types, kinds, certainty);
  return mixed ?? mostGeneral(types, certainty);
}

type Compound = "list" | "set" | "map" | "object" | "tuple";

function isCompound(kind: Type["kind"]): kind is Compound {
  return kind === "list" || kind === "set" || kind === "map" || kind === "object" || kind === "tuple";
}

/** Whether a type not known yet stands beside compound types of one kind. */
function isUnsettled(types: readonly Type[]): boolean {
  const kinds = new Set(types.map((t) => t.kind));
  return kinds.delete("dynamic") && kinds.size === 1 && isCompound([...kinds][0]!);
}

function unifyKind(kind: Compound, types: readonly Type[], certainty: Certainty): Type | undefined {
  switch (kind) {
    case "object":
      return unifyObjects(types as readonly ObjectType[], certainty);
    case "tuple":
      return unifyTuples(types as readonly Tuple[], certainty);
    default: {
      const element = unifiedType(
        (types as readonly Collection[]).map((t) => t.element),
        certainty,
      );
      return element && reachable({ kind, element }, types, certainty);
    }
  }
}

type Collection = Extract<Type, { readonly element: Type }>;
type Tuple = Extract<Type, { readonly kind: "tuple" }>;

/** `target`, if all types convert to it. */
function reachable(target: Type, types: readonly Type[], certainty: Certainty): Type | undefined {
  return types.every((t) => conversionExists(t, target, certainty)) ? target : undefined;
}

function unifyObjects(types: readonly ObjectType[], certainty: Certainty): Type | undefined {
  const names = [...types[0]!.attributes.keys()];
  const sameNames = types.every((t) => t.attributes.size === names.length && names.every((n) => t.attributes.has(n)));
  if (!sameNames) return unifyAsMap(types, certainty);
  const attributes: [string, Type][] = [];
  for (const name of names) {
    const type = unifiedType(
      types.map((t) => t.attributes.get(name)!),
      certainty,
    );
    if (!type) return undefined;
    attributes.push([name, type]);
  }
  return reachable(objectType(attributes), types, certainty) ?? unifyAsMap(types, certainty);
}

function unifyAsMap(types: readonly ObjectType[], certainty: Certainty): Type | undefined {
  const element = unifiedType(
    types.flatMap((t) => [...t.attributes.values()]),
    certainty,
  );
  return element && reachable(mapType(element), types, certainty);
}

function unifyTuples(types: readonly Tuple[], certainty: Certainty): Type | undefined {
  const length = types[0]!.elements.length;
  if (types.some((t) => t.elements.length !== length)) return unifyAsList(types, certainty);
  const elements: Type[] = [];
  for (let i = 0; i < length; i++) {
    const type = unifiedType(
      types.map((t) => t.elements[i]!),
      certainty,
    );
    if (!type) return undefined;
    elements.push(type);
  }
  return reachable(tupleType(elements), types, certainty) ?? unifyAsList(types, certainty);
}

function unifyAsList(types: readonly Tuple[], certainty: Certainty): Type | undefined {
  const element = unifiedType(
    types.flatMap((t) => t.elements),
    certainty,
  );
  return element && reachable(listType(element), types, certainty);
}

/** Objects among maps are maps in disguise, tuples among lists lists: they are unified as such, where that is possible. */
function unifyMixed(types: readonly Type[], kinds: ReadonlySet<Type["kind"]>, certainty: Certainty): Type | undefined {
  if (kinds.size !== 2) return undefined;
  const asMaps = kinds.has("map") && kinds.has("object");
  if (!asMaps && !(kinds.has("list") && kinds.has("tuple"))) return undefined;
  const disguised = types.filter((t) => t.kind === (asMaps ? "object" : "tuple"));
  const one = asMaps ? unifyAsMap(disguised as ObjectType[], certainty) : unifyAsList(disguised as Tuple[], certainty);
  if (!one) return undefined;
  const unified = unifiedType(
    types.map((t) => (disguised.includes(t) ? one : t)),
    certainty,
  );
  return unified?.kind === one.kind ? unified : undefined;
}

/** The first of the types, more general ones first, that all the others convert to. */
function mostGeneral(types: readonly Type[], certainty: Certainty): Type | undefined {
  return byGenerality(types).find((wanted) => reachable(wanted, types, certainty));
}

/** The types with the more general of any two in front; otherwise in the order they have. */
function byGenerality(types: readonly Type[]): Type[] {
  const waitingFor = types.map((t) => types.filter((other) => compareGenerality(other, t) < 0).length);
  const order = [...types.keys()].filter((i) => waitingFor[i] === 0);
  for (const i of order) {
    for (const [j, other] of types.entries()) {
      if (compareGenerality(types[i]!, other) < 0 && --waitingFor[j]! === 0) order.push(j);
    }
  }
  return order.map((i) => types[i]!);
}

/** Negative where `a` is the more general type, positive where `b` is, zero where neither. */
function compareGenerality(a: Type, b: Type): number {
  if (a.kind === "dynamic" || b.kind === "dynamic") return Number(a.kind === "dynamic") - Number(b.kind === "dynamic");
  if (isPrimitive(a) && isPrimitive(b)) return Number(b.kind === "string") - Number(a.kind === "string");
  if (a.kind === b.kind) return compareInside(a, b);
  return generality(a, b) - generality(b, a);
}

// A tuple converts to a list and a list to a set, an object to a map, but a type of the other family to neither.
function generality(a: Type, b: Type): number {
  if (a.kind === "set" && (b.kind === "list" || b.kind === "tuple")) return 1;
  if (a.kind === "list" && b.kind === "tuple") return -1;
  return a.kind === "map" && b.kind === "object" ? -1 : 0;
}

function compareInside(a: Type, b: Type): number {
  switch (a.kind) {
    case "list":
    case "set":
    case "map":
      return compareGenerality(a.element, (b as typeof a).element);
    case "tuple":
      return compareAll(a.elements, (b as typeof a).elements);
    case "object": {
      const other = b as ObjectType;
      const names = [...a.attributes.keys()];
      if (!names.every((name) => other.attributes.has(name))) return 0;
      return compareAll([...a.attributes.values()], [...other.attributes.values()]);
    }
    default:
      return 0;
  }
}

/** The more general in one place may not be the less general in another. */
function compareAll(a: readonly Type[], b: readonly Type[]): number {
  if (a.length !== b.length) return 0;
  const orders = a.map((t, i) => Math.sign(compareGenerality(t, b[i]!)));
  if (orders.includes(-1)) return orders.includes(1) ? 0 : -1;
  return orders.includes(1) ? 1 : 0;
}

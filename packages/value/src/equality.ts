import { BigFloat } from "./number.ts";
import { compareSetElements } from "./set-order.ts";
import type { ObjectType, Type } from "./types.ts";
import { hasDynamic, typeEquals } from "./types.ts";
import type { Refinements } from "./unknown.ts";
import { Unknown } from "./unknown.ts";
import type { Value } from "./value.ts";
import { isWhollyKnown } from "./value.ts";

/**
 * Whether two values are equal, marks aside: true, false, or undefined where that is not known yet.
 *
 * Nulls are equal whatever their types; values of different types are not. A known value and an unknown one differ for
 * certain where what is known of the unknown one (not null, a prefix, bounds) excludes the known one.
 */
export function equality(a: Value, b: Value): boolean | undefined {
  if (a.data === null || b.data === null) return equalityWithNull(a, b);
  if (a.data instanceof Unknown) return b.data instanceof Unknown ? undefined : equalityWithUnknown(b, a.type, a.data);
  if (b.data instanceof Unknown) return equalityWithUnknown(a, b.type, b.data);
  if (a.type !== b.type && !typeEquals(a.type, b.type)) {
    const typesKnown = isTypeKnown(a) && isTypeKnown(b);
    return typesKnown || (!conformsTo(a.type, b.type) && !conformsTo(b.type, a.type)) ? false : undefined;
  }
  return equalityOfKnown(a, b);
}

/** Whether two elements of one set are the same element: known to be equal. Negative zero and zero are two. */
export function sameSetElement(a: Value, b: Value): boolean {
  if (a.data instanceof BigFloat && b.data instanceof BigFloat) {
    return a.data.equals(b.data) && a.data.isNegative === b.data.isNegative;
  }
  return equality(a, b) === true;
}

/** Whether values of `type` fit `constraint`, in which `dynamic` stands for anything. */
export function conformsTo(type: Type, constraint: Type): boolean {
  if (constraint.kind === "dynamic" || type === constraint) return true;
  if (type.kind !== constraint.kind) return false;
  switch (type.kind) {
    case "list":
    case "set":
    case "map":
      return conformsTo(type.element, (constraint as typeof type).element);
    case "tuple": {
      const wanted = (constraint as typeof type).elements;
      return type.elements.length === wanted.length && type.elements.every((t, i) => conformsTo(t, wanted[i]!));
    }
    case "object": {
      const wanted = (constraint as ObjectType).attributes;
      if (type.attributes.size !== wanted.size) return false;
      for (const [name, attribute] of type.attributes) {
        const want = wanted.get(name);
        if (!want || !conformsTo(attribute, want)) return false;
      }
      return true;
    }
    default:
      return typeEquals(type, constraint);
  }
}

/** How many elements a known list, set or map has at least and at most: unknown elements of a set may coincide. */
export function lengthBounds(value: Value): readonly [number, number] {
  const { data } = value;
  if (data instanceof Map) return [data.size, data.size];
  const elements = data as readonly Value[];
  const uncertain = value.type.kind === "set" && elements.length > 1 && !elements.every(isWhollyKnown);
  return [uncertain ? 1 : elements.length, elements.length];
}

function equalityWithNull(a: Value, b: Value): boolean | undefined {
  if (a.data === null && b.data === null) return true;
  const other = a.data === null ? b.data : a.data;
  return other instanceof Unknown && !other.refinements?.notNull ? undefined : false;
}

function equalityWithUnknown(known: Value, type: Type, unknown: Unknown): boolean | undefined {
  if (!conformsTo(known.type, type)) return false;
  if (unknown.refinements && excludes(unknown.refinements, known)) return false;
  return hasDynamic(type) || typeEquals(known.type, type) ? undefined : false;
}

/** Whether a known value, not null and of the right type, is outside of what the refinements allow. */
function excludes(refinements: Refinements, value: Value): boolean {
  const { data } = value;
  const { prefix, minimum, maximum, minimumLength, maximumLength } = refinements;
  if (typeof data === "string") return prefix !== undefined && !data.startsWith(prefix);
  if (data instanceof BigFloat) {
    if (minimum && data.compare(minimum.value) < (minimum.inclusive ? 0 : 1)) return true;
    return maximum !== undefined && data.compare(maximum.value) > (maximum.inclusive ? 0 : -1);
  }
  if (minimumLength === undefined && maximumLength === undefined) return false;
  const [least, most] = lengthBounds(value);
  return most < (minimumLength ?? 0) || least > (maximumLength ?? Infinity);
}

function equalityOfKnown(a: Value, b: Value): boolean | undefined {
  switch (a.type.kind) {
    case "number":
      return (a.data as BigFloat).equals(b.data as BigFloat);
    case "list":
    case "tuple":
      return equalityOfArrays(a.data as readonly Value[], b.data as readonly Value[]);
    case "set":
      return equalityOfSets(a.data as readonly Value[], b.data as readonly Value[]);
    case "map":
    case "object":
      return equalityOfMaps(a.data as ReadonlyMap<string, Value>, b.data as ReadonlyMap<string, Value>);
    case "capsule":
      return (a.data as { capsule: unknown }).capsule === (b.data as { capsule: unknown }).capsule;
    default:
      return a.data === b.data;
  }
}

// An element that is not known makes the whole not known, unless one before it differs.
function equalityOfArrays(a: readonly Value[], b: readonly Value[]): boolean | undefined {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const same = equality(a[i]!, b[i]!);
    if (same !== true) return same;
  }
  return true;
}

// The reference goes through a map in no order, so it may answer either; a known difference anywhere is the better answer.
function equalityOfMaps(a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>): boolean | undefined {
  if (a.size !== b.size) return false;
  let result: boolean | undefined = true;
  for (const [key, value] of a) {
    const other = b.get(key);
    const same = other === undefined ? false : equality(value, other);
    if (same === false) return false;
    if (same === undefined) result = undefined;
  }
  return result;
}

// The reference says "different" where elements are unknown in parts; that they may yet be equal is the truth.
function equalityOfSets(a: readonly Value[], b: readonly Value[]): boolean | undefined {
  if (a.some(isUnknown) || b.some(isUnknown)) return undefined;
  const lonely = [
    ...a.filter((v) => !setHas(b, v)).map((v) => [v, b] as const),
    ...b.filter((v) => !setHas(a, v)).map((v) => [v, a] as const),
  ];
  if (lonely.length === 0) return true;
  const mayAllMatch = lonely.every(([v, others]) => others.some((other) => equality(v, other) === undefined));
  return mayAllMatch ? undefined : false;
}

/** Whether a sorted set holds an element that is known to equal `value`. */
export function setHas(elements: readonly Value[], value: Value): boolean {
  let low = 0;
  let high = elements.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareSetElements(elements[middle]!, value) < 0) low = middle + 1;
    else high = middle;
  }
  for (let i = low; i < elements.length && compareSetElements(elements[i]!, value) === 0; i++) {
    if (sameSetElement(elements[i]!, value)) return true;
  }
  return false;
}

function isUnknown(value: Value): boolean {
  return value.data instanceof Unknown;
}

/** Whether no part of the value may still turn out to be of another type. */
function isTypeKnown(value: Value): boolean {
  const { type, data } = value;
  if (data === null) return true;
  if (data instanceof Unknown) return !hasDynamic(type);
  if (Array.isArray(data)) return (data as readonly Value[]).every(isTypeKnown);
  if (data instanceof Map) return [...(data as ReadonlyMap<string, Value>).values()].every(isTypeKnown);
  return true;
}

import { invariant } from "@millwright/core/errors";
import { equality, lengthBounds, setHas } from "./equality.ts";
import type { BigFloat } from "./number.ts";
import { bigFloat, negativeInfinity, positiveInfinity } from "./number.ts";
import { refine, refinementsOf, sameRefinements } from "./refine.ts";
import type { Type } from "./types.ts";
import { boolType, numberType, typeEquals } from "./types.ts";
import type { Refinements } from "./unknown.ts";
import { Unknown } from "./unknown.ts";
import type { Marks, Value } from "./value.ts";
import {
  boolValue,
  dynamicValue,
  falseValue,
  isMarkedDeep,
  noMarks,
  numberValue,
  stringValue,
  trueValue,
  unknownValue,
  unmarkDeep,
  withMarks,
} from "./value.ts";

/** What a comparison with unknown values gives. */
const unknownBool = unknownValue(boolType, { notNull: true });

/**
 * Whether the values are equal, as a bool value; unknown where that cannot be told yet. Nulls of all types are equal,
 * values of different types never. The result has the marks of both, at any depth; only in a comparison with null is it
 * enough to look at the values' own.
 */
export function equals(a: Value, b: Value): Value {
  const same = equality(a, b);
  const result = same === undefined ? unknownBool : boolValue(same);
  if (a.data === null || b.data === null) return withMarks(withMarks(result, a.marks), b.marks);
  return withDeepMarks(withDeepMarks(result, a), b);
}

export function notEqual(a: Value, b: Value): Value {
  return not(equals(a, b));
}

/** Whether two values are the same in everything: type, value, marks, and what is known of the unknown. */
export function rawEquals(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a.data !== b.data && (a.data === null || b.data === null)) return false;
  return sameMarks(a.marks, b.marks) && typeEquals(a.type, b.type) && sameData(a, b);
}

function sameData({ type, data: a }: Value, { data: b }: Value): boolean {
  if (a === b) return true;
  if (a instanceof Unknown || b instanceof Unknown) {
    return a instanceof Unknown && b instanceof Unknown && sameRefinements(a.refinements, b.refinements);
  }
  switch (type.kind) {
    case "number":
      return (a as BigFloat).equals(b as BigFloat);
    case "list":
    case "set":
    case "tuple": {
      const [x, y] = [a as readonly Value[], b as readonly Value[]];
      return x.length === y.length && x.every((v, i) => rawEquals(v, y[i]!));
    }
    case "map":
    case "object": {
      const [x, y] = [a as ReadonlyMap<string, Value>, b as ReadonlyMap<string, Value>];
      if (x.size !== y.size) return false;
      for (const [key, v] of x) {
        const other = y.get(key);
        if (!other || !rawEquals(v, other)) return false;
      }
      return true;
    }
    case "capsule":
      return (a as { capsule: unknown }).capsule === (b as { capsule: unknown }).capsule;
    default:
      return false;
  }
}

function sameMarks(a: Marks, b: Marks): boolean {
  return a === b || (a.size === b.size && a.isSubsetOf(b));
}

/** The sum of two numbers, not null. Undefined where there is none: infinities of opposite sign. */
export function add(a: Value, b: Value): Value | undefined {
  return arithmetic(a, b, (x, y) => x.add(y), "interval");
}

/** The difference of two numbers, not null. Undefined where there is none: an infinity less itself. */
export function subtract(a: Value, b: Value): Value | undefined {
  return arithmetic(a, b, (x, y) => x.subtract(y), "interval");
}

/** The product of two numbers, not null. Undefined where there is none: zero times infinity. */
export function multiply(a: Value, b: Value): Value | undefined {
  return arithmetic(a, b, (x, y) => x.multiply(y), "interval");
}

/** The quotient of two numbers, not null; by zero it is an infinity. Undefined for 0 ÷ 0 and ∞ ÷ ∞. */
export function divide(a: Value, b: Value): Value | undefined {
  return arithmetic(a, b, (x, y) => x.divide(y), "no bounds");
}

/** The remainder of a division cut towards zero; by zero it is the dividend. Undefined with an infinity. */
export function modulo(a: Value, b: Value): Value | undefined {
  return arithmetic(a, b, (x, y) => x.modulo(y), "no bounds");
}

export function negate(value: Value): Value {
  const number = numberOf(value);
  const result = number ? numberValue(number.negate()) : unknownNumber;
  return withMarks(result, value.marks);
}

type NumberOperation = (a: BigFloat, b: BigFloat) => BigFloat | undefined;
const unknownNumber = unknownValue(numberType, { notNull: true });

/** "interval": the bounds of an unknown result are the operation's on the bounds of its operands. */
function arithmetic(a: Value, b: Value, operate: NumberOperation, range: "interval" | "no bounds"): Value | undefined {
  const x = numberOf(a);
  const y = numberOf(b);
  let result: Value | undefined;
  if (x && y) {
    const number = operate(x, y);
    result = number && { type: numberType, data: number, marks: noMarks };
  } else {
    result = range === "interval" ? refine(unknownNumber, boundsOf(a, b, operate)) : unknownNumber;
  }
  return result && withMarks(withMarks(result, a.marks), b.marks);
}

function boundsOf(a: Value, b: Value, operate: NumberOperation): Refinements {
  if (a.type.kind === "dynamic" || b.type.kind === "dynamic") return {};
  const corners: BigFloat[] = [];
  for (const x of numberRange(a)) {
    for (const y of numberRange(b)) {
      const corner = operate(x, y);
      if (!corner) return {};
      corners.push(corner);
    }
  }
  corners.sort((x, y) => x.compare(y));
  return {
    minimum: { value: corners[0]!, inclusive: true },
    maximum: { value: corners.at(-1)!, inclusive: true },
  };
}

function numberRange(value: Value): readonly [BigFloat, BigFloat] {
  const { minimum, maximum } = refinementsOf(value);
  return [minimum?.value ?? negativeInfinity, maximum?.value ?? positiveInfinity];
}

/** The number, or undefined where it is not known; anything else is a Bug. */
function numberOf(value: Value): BigFloat | undefined {
  const { type, data } = value;
  invariant(type.kind === "number" || type.kind === "dynamic", "an operand of arithmetic is a number");
  invariant(data !== null, "an operand of arithmetic is not null");
  return data instanceof Unknown ? undefined : (data as BigFloat);
}

export function lessThan(a: Value, b: Value): Value {
  return comparison(a, b, (order) => order < 0);
}

export function lessThanOrEqual(a: Value, b: Value): Value {
  return comparison(a, b, (order) => order <= 0);
}

export function greaterThan(a: Value, b: Value): Value {
  return comparison(a, b, (order) => order > 0);
}

export function greaterThanOrEqual(a: Value, b: Value): Value {
  return comparison(a, b, (order) => order >= 0);
}

/** `holds` of the order of two numbers; also of unknown ones, where their bounds do not overlap. */
function comparison(a: Value, b: Value, holds: (order: number) => boolean): Value {
  const x = numberOf(a);
  const y = numberOf(b);
  const order = x && y ? x.compare(y) : orderOfRanges(a, b);
  const result = order === undefined ? unknownBool : boolValue(holds(order));
  return withMarks(withMarks(result, a.marks), b.marks);
}

function orderOfRanges(a: Value, b: Value): number | undefined {
  if (a.type.kind === "dynamic" || b.type.kind === "dynamic") return undefined;
  const [aLeast, aMost] = numberRange(a);
  const [bLeast, bMost] = numberRange(b);
  if (aMost.compare(bLeast) < 0) return -1;
  return aLeast.compare(bMost) > 0 ? 1 : undefined;
}

/** Logical and of two bools, not null: false as soon as one is known to be false, whatever the other will be. */
export function and(a: Value, b: Value): Value {
  const [x, y] = [boolOf(a), boolOf(b)];
  const result = x === false || y === false ? falseValue : x && y ? trueValue : unknownBool;
  return withMarks(withMarks(result, a.marks), b.marks);
}

/** Logical or of two bools, not null: true as soon as one is known to be true, whatever the other will be. */
export function or(a: Value, b: Value): Value {
  const [x, y] = [boolOf(a), boolOf(b)];
  const result = x || y ? trueValue : x === false && y === false ? falseValue : unknownBool;
  return withMarks(withMarks(result, a.marks), b.marks);
}

export function not(value: Value): Value {
  const flag = boolOf(value);
  return withMarks(flag === undefined ? unknownBool : boolValue(!flag), value.marks);
}

function boolOf(value: Value): boolean | undefined {
  const { type, data } = value;
  invariant(type.kind === "bool" || type.kind === "dynamic", "an operand of logic is a bool");
  invariant(data !== null, "an operand of logic is not null");
  return data instanceof Unknown ? undefined : (data as boolean);
}

const largestLength = bigFloat(2n ** 63n - 1n);

/**
 * How many elements a list, set, map, tuple or object has, not null. A tuple's and an object's length is that of its
 * type; of an unknown collection, and of a set with unknown elements, only bounds are known.
 */
export function lengthOf(value: Value): Value {
  return withMarks(bareLength(value), value.marks);
}

function bareLength(value: Value): Value {
  const { type, data } = value;
  if (type.kind === "tuple") return numberValue(type.elements.length);
  if (type.kind === "object") return numberValue(type.attributes.size);
  invariant(data !== null, "a null has no length");
  if (data instanceof Unknown) {
    const { minimumLength = 0, maximumLength } = data.refinements ?? {};
    return lengthBetween(
      bigFloat(minimumLength),
      maximumLength === undefined ? largestLength : bigFloat(maximumLength),
    );
  }
  invariant(type.kind === "list" || type.kind === "set" || type.kind === "map", "only what has elements has a length");
  const [least, most] = lengthBounds(value);
  return least === most ? numberValue(least) : lengthBetween(bigFloat(least), bigFloat(most));
}

function lengthBetween(least: BigFloat, most: BigFloat): Value {
  return refine(unknownNumber, {
    minimum: { value: least, inclusive: true },
    maximum: { value: most, inclusive: true },
  });
}

/**
 * An element of a list or tuple by its number, or of a map by its string, with the marks of both; unknown where either
 * is. An element that is not there, and any other type, is a Bug: ask {@link hasIndex} first.
 */
export function index(value: Value, key: Value): Value {
  return withMarks(withMarks(bareIndex(value, key), value.marks), key.marks);
}

function bareIndex({ type, data }: Value, key: Value): Value {
  if (type.kind === "dynamic") return dynamicValue;
  invariant(
    type.kind === "list" || type.kind === "map" || type.kind === "tuple",
    "only lists, tuples and maps have an index",
  );
  const keyKind = type.kind === "map" ? "string" : "number";
  invariant(key.type.kind === keyKind || key.type.kind === "dynamic", "maps are asked by string, lists by number");
  if (key.type.kind === "dynamic" || key.data instanceof Unknown) {
    return type.kind === "tuple" ? dynamicValue : unknownValue(type.element);
  }
  const place = type.kind === "map" ? key.data : numberOf(key)?.toSafeInteger();
  if (data instanceof Unknown)
    return unknownValue(type.kind === "tuple" ? type.elements[place as number]! : type.element);
  const element =
    type.kind === "map"
      ? (data as ReadonlyMap<string, Value>).get(place as string)
      : (data as readonly Value[])[place as number];
  invariant(element, "the element that is asked for is there");
  return element;
}

/** Whether a list, tuple or map has an element of that key. A key of the wrong type is just not there. */
export function hasIndex(value: Value, key: Value): Value {
  return withMarks(withMarks(bareHasIndex(value, key), value.marks), key.marks);
}

function bareHasIndex({ type, data }: Value, key: Value): Value {
  if (type.kind === "dynamic" || key.type.kind === "dynamic") return unknownBool;
  invariant(
    type.kind === "list" || type.kind === "map" || type.kind === "tuple",
    "only lists, tuples and maps have an index",
  );
  if (key.type.kind !== (type.kind === "map" ? "string" : "number")) return falseValue;
  if (key.data instanceof Unknown) return unknownBool;
  if (key.data === null) return falseValue;
  if (type.kind === "map") {
    return data instanceof Unknown
      ? unknownBool
      : boolValue((data as ReadonlyMap<string, Value>).has(key.data as string));
  }
  if (type.kind === "list" && data instanceof Unknown) return unknownBool;
  const length = type.kind === "tuple" ? type.elements.length : (data as readonly Value[]).length;
  const place = numberOf(key)!.toSafeInteger();
  return boolValue(place !== undefined && place >= 0 && place < length);
}

/** An attribute of an object, with the object's marks; unknown where the object is. One that its type has not is a Bug. */
export function getAttribute(value: Value, name: string): Value {
  const { type, data, marks } = value;
  if (type.kind === "dynamic") return withMarks(dynamicValue, marks);
  invariant(type.kind === "object", "only objects have attributes");
  const attribute: Type | undefined = type.attributes.get(name);
  invariant(attribute, `the object has an attribute "${name}"`);
  if (data instanceof Unknown) return withMarks(unknownValue(attribute), marks);
  invariant(data !== null, "a null has no attributes");
  return withMarks((data as ReadonlyMap<string, Value>).get(name)!, marks);
}

/** Whether a set, not null, has an element that equals `element`. A value of another type is just not in it. */
export function hasElement(set: Value, element: Value): Value {
  const { type, data } = set;
  invariant(type.kind === "set", "only sets are asked for elements");
  invariant(data !== null, "a null has no elements");
  const [bare, marks] = unmarkDeep(element);
  let result: Value;
  if (data instanceof Unknown || bare.data instanceof Unknown) result = unknownBool;
  else if (!typeEquals(type.element, bare.type)) result = falseValue;
  else if (setHas(data as readonly Value[], bare)) result = trueValue;
  else result = (data as readonly Value[]).every((v) => equality(v, bare) === false) ? falseValue : unknownBool;
  return withMarks(withMarks(result, set.marks), marks);
}

/**
 * The keys and elements of a known list, set, tuple, map or object, not null, in order: numbers for lists and tuples,
 * strings for maps and objects, of a set each element itself. The marks of `value` itself are left to the caller.
 */
export function* elementsOf(value: Value): Generator<readonly [key: Value, element: Value]> {
  const { data, type } = value;
  if (data instanceof Map) {
    for (const [key, element] of data as ReadonlyMap<string, Value>) yield [stringValue(key), element];
    return;
  }
  invariant(Array.isArray(data), "only known collections have elements to go through");
  let i = 0;
  for (const element of data as readonly Value[]) {
    yield [type.kind === "set" ? element : numberValue(i++), element];
  }
}

function withDeepMarks(result: Value, value: Value): Value {
  return isMarkedDeep(value) ? withMarks(result, unmarkDeep(value)[1]) : result;
}

import { invariant } from "@millwright/core/errors";
import { sameSetElement } from "./equality.ts";
import type { BigFloat } from "./number.ts";
import { bigFloat } from "./number.ts";
import { refine } from "./refine.ts";
import { compareSetElements, sortSetElements } from "./set-order.ts";
import type { Type } from "./types.ts";
import {
  boolType,
  dynamicType,
  numberType,
  orderedObjectType,
  sortedMap,
  stringType,
  tupleType,
  typeEquals,
} from "./types.ts";
import type { Refinements } from "./unknown.ts";
import { Unknown } from "./unknown.ts";

/**
 * A dynamic value, as go-cty has them: immutable, of one {@link Type}, known, null or unknown, and perhaps marked.
 *
 * Where `data` is null the value is null; where it is an {@link Unknown} it is not known yet (with what is known of it as
 * refinements). Otherwise, by the kind of `type`: string → string (NFC); number → BigFloat; bool → boolean; list, tuple →
 * array; set → array in set order without repeats; map, object → Map in key order; capsule → `{ capsule }`.
 * `marks` are those of the value itself, not of what is inside it.
 */
export interface Value {
  readonly type: Type;
  readonly data: Data;
  readonly marks: Marks;
}

export type Data =
  | null
  | Unknown
  | string
  | boolean
  | BigFloat
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | { readonly capsule: unknown };

/** What clings to a value and to all that is computed from it: {@link sensitive}, {@link ephemeral}, or a host's own word. */
export type Mark = string;
export type Marks = ReadonlySet<Mark>;

export const sensitive: Mark = "sensitive";
export const ephemeral: Mark = "ephemeral";
export const noMarks: Marks = new Set();

export const trueValue: Value = { type: boolType, data: true, marks: noMarks };
export const falseValue: Value = { type: boolType, data: false, marks: noMarks };
/** A value of which not even the type is known. */
export const dynamicValue: Value = { type: dynamicType, data: new Unknown(undefined), marks: noMarks };

/** A known string; normalised to NFC as the reference does. */
export function stringValue(text: string): Value {
  return { type: stringType, data: text.normalize("NFC"), marks: noMarks };
}

/** A known number from a JavaScript number, a BigInt, or a {@link BigFloat}. */
export function numberValue(number: number | bigint | BigFloat): Value {
  const data = typeof number === "object" ? number : bigFloat(number);
  return { type: numberType, data, marks: noMarks };
}

export function boolValue(flag: boolean): Value {
  return flag ? trueValue : falseValue;
}

export function nullValue(type: Type): Value {
  let value = nulls.get(type);
  if (!value) {
    value = { type, data: null, marks: noMarks };
    nulls.set(type, value);
  }
  return value;
}

const nulls = new WeakMap<Type, Value>();

/**
 * An unknown value of `type`, with what is known of it; a known one, where that leaves one value only (see `refine`). An
 * unknown `dynamic` carries no refinements.
 */
export function unknownValue(type: Type, refinements?: Refinements): Value {
  if (type.kind === "dynamic") return dynamicValue;
  const value: Value = { type, data: plainUnknown, marks: noMarks };
  return refinements ? refine(value, refinements) : value;
}

const plainUnknown = new Unknown(undefined);

/** A list; `element` is needed where there are no elements. All elements are of one type (convert them first). */
export function listValue(elements: readonly Value[], element?: Type): Value {
  const type = elementType(elements, element);
  return { type: { kind: "list", element: type }, data: allOf(elements, type), marks: noMarks };
}

/**
 * A set: elements in set order, without repeats. Marks of elements move to the set itself, as a set cannot hold marked
 * ones; where an element is unknown, the set's length is not known, though the set is.
 */
export function setValue(elements: readonly Value[], element?: Type): Value {
  let marks: Set<Mark> | undefined;
  let plain = elements;
  if (elements.some((v) => isMarkedDeep(v))) {
    const found = new Set<Mark>();
    plain = elements.map((v) => strip(v, found));
    marks = found;
  }
  const type = elementType(plain, element);
  const data = withoutRepeats(sortSetElements(allOf(plain, type)));
  return { type: { kind: "set", element: type }, data, marks: marks ?? noMarks };
}

/** A map; `element` is needed where there are no entries. All values are of one type (convert them first). */
export function mapValue(entries: Iterable<readonly [string, Value]>, element?: Type): Value {
  const data = sortedMap(normalKeys(entries));
  const values = [...data.values()];
  const type = elementType(values, element);
  const uniform = allOf(values, type);
  const retyped = uniform === values ? data : new Map([...data.keys()].map((key, i) => [key, uniform[i]!]));
  return { type: { kind: "map", element: type }, data: retyped, marks: noMarks };
}

export function tupleValue(elements: readonly Value[]): Value {
  return { type: tupleType(elements.map((v) => v.type)), data: elements, marks: noMarks };
}

export function objectValue(attributes: Readonly<Record<string, Value>> | Iterable<readonly [string, Value]>): Value {
  const entries =
    Symbol.iterator in attributes ? (attributes as Iterable<readonly [string, Value]>) : Object.entries(attributes);
  const data = sortedMap(normalKeys(entries));
  const types = new Map<string, Type>();
  data.forEach((v, name) => types.set(name, v.type));
  return { type: orderedObjectType(types), data, marks: noMarks };
}

/** Keys and names are strings of the language too, so they are in NFC. */
function normalKeys(entries: Iterable<readonly [string, Value]>): Iterable<readonly [string, Value]> {
  const normal: (readonly [string, Value])[] = [];
  for (const entry of entries) {
    const key = entry[0].normalize("NFC");
    normal.push(key === entry[0] ? entry : [key, entry[1]]);
  }
  return normal;
}

export function capsuleValue(type: Type, capsule: unknown): Value {
  invariant(type.kind === "capsule", "a capsule value has a capsule type");
  return { type, data: { capsule }, marks: noMarks };
}

export const emptyObject: Value = objectValue([]);
export const emptyTuple: Value = tupleValue([]);

export function isNull(value: Value): boolean {
  return value.data === null;
}

/** Whether the value itself is known (null is); parts of it may be unknown. */
export function isKnown(value: Value): boolean {
  return !(value.data instanceof Unknown);
}

/** Whether the value and everything inside it is known. */
export function isWhollyKnown(value: Value): boolean {
  const { data } = value;
  if (data instanceof Unknown) return false;
  if (Array.isArray(data)) return data.every(isWhollyKnown);
  if (data instanceof Map) {
    for (const v of data.values()) if (!isWhollyKnown(v)) return false;
  }
  return true;
}

/** The text of a known, non-null string. Throws a Bug otherwise: check first. */
export function asString(value: Value): string {
  invariant(typeof value.data === "string", "asString takes a known string");
  return value.data;
}

/** The number of a known, non-null number value. */
export function asNumber(value: Value): BigFloat {
  invariant(value.type.kind === "number" && value.data !== null && isKnown(value), "asNumber takes a known number");
  return value.data as BigFloat;
}

export function asBool(value: Value): boolean {
  invariant(typeof value.data === "boolean", "asBool takes a known bool");
  return value.data;
}

/** The elements of a known, non-null list, set or tuple. */
export function asArray(value: Value): readonly Value[] {
  invariant(Array.isArray(value.data), "asArray takes a known list, set or tuple");
  return value.data as readonly Value[];
}

/** The entries of a known, non-null map or object, in key order. */
export function asMap(value: Value): ReadonlyMap<string, Value> {
  invariant(value.data instanceof Map, "asMap takes a known map or object");
  return value.data;
}

/** The same value with these marks added. */
export function withMarks(value: Value, marks: Iterable<Mark>): Value {
  let all: Set<Mark> | undefined;
  for (const mark of marks) {
    if (value.marks.has(mark)) continue;
    all ??= new Set(value.marks);
    all.add(mark);
  }
  return all ? { type: value.type, data: value.data, marks: all } : value;
}

export function mark(value: Value, ...marks: readonly Mark[]): Value {
  return withMarks(value, marks);
}

export function hasMark(value: Value, mark: Mark): boolean {
  return value.marks.has(mark);
}

/** The value without its own marks (what is inside keeps its own), and those marks. */
export function unmark(value: Value): readonly [Value, Marks] {
  if (value.marks.size === 0) return [value, noMarks];
  return [{ type: value.type, data: value.data, marks: noMarks }, value.marks];
}

/** The value without any mark at any depth, and all marks that were found. */
export function unmarkDeep(value: Value): readonly [Value, Marks] {
  if (!isMarkedDeep(value)) return [value, noMarks];
  const found = new Set<Mark>();
  return [strip(value, found), found];
}

/** Whether the value or anything inside it is marked (with `mark`, where given). */
export function isMarkedDeep(value: Value, mark?: Mark): boolean {
  if (mark === undefined ? value.marks.size > 0 : value.marks.has(mark)) return true;
  const { data } = value;
  if (Array.isArray(data)) return data.some((v) => isMarkedDeep(v, mark));
  if (data instanceof Map) {
    for (const v of data.values()) if (isMarkedDeep(v, mark)) return true;
  }
  return false;
}

function strip(value: Value, found: Set<Mark>): Value {
  for (const mark of value.marks) found.add(mark);
  const { data } = value;
  if (Array.isArray(data)) {
    return { type: value.type, data: (data as readonly Value[]).map((v) => strip(v, found)), marks: noMarks };
  }
  if (data instanceof Map) {
    const bare = new Map<string, Value>();
    for (const [key, v] of data as ReadonlyMap<string, Value>) bare.set(key, strip(v, found));
    return { type: value.type, data: bare, marks: noMarks };
  }
  return { type: value.type, data, marks: noMarks };
}

/** The one type of all elements, the given one or the first that is not dynamic. */
function elementType(elements: readonly Value[], given: Type | undefined): Type {
  if (given) return given;
  let type: Type | undefined;
  for (const v of elements) {
    if (v.type.kind !== "dynamic") return v.type;
    type = v.type;
  }
  invariant(type, "an empty collection needs its element type");
  return type;
}

/** The elements, of which those of no type yet (a null, an unknown) get the type of the others. */
function allOf(elements: readonly Value[], type: Type): readonly Value[] {
  let retyped = false;
  for (const v of elements) {
    if (v.type === type) continue;
    if (v.type.kind === "dynamic") retyped = true;
    else invariant(typeEquals(v.type, type), "the elements of a collection are of one type");
  }
  if (!retyped) return elements;
  return elements.map((v) => (v.type.kind === "dynamic" ? { type, data: v.data, marks: v.marks } : v));
}

function withoutRepeats(sorted: readonly Value[]): readonly Value[] {
  const kept: Value[] = [];
  for (const v of sorted) {
    if (!isRepeat(kept, v)) kept.push(v);
  }
  return kept;
}

// Equal elements are neighbours, or stand among others that the set order cannot tell apart.
function isRepeat(kept: readonly Value[], v: Value): boolean {
  for (let i = kept.length - 1; i >= 0; i--) {
    if (sameSetElement(kept[i]!, v)) return true;
    if (compareSetElements(kept[i]!, v) !== 0) return false;
  }
  return false;
}

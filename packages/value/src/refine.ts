import { clustersOf } from "@millwright/core/clusters";
import { invariant } from "@millwright/core/errors";
import { lengthBounds } from "./equality.ts";
import type { BigFloat } from "./number.ts";
import type { Type } from "./types.ts";
import { isCollection } from "./types.ts";
import type { Refinements } from "./unknown.ts";
import { Unknown } from "./unknown.ts";
import type { Value } from "./value.ts";
import { listValue, mapValue, noMarks, setValue, unknownValue } from "./value.ts";

type Bound = NonNullable<Refinements["minimum"]>;

/**
 * The value with more known of it: what was known before holds on, of two bounds the tighter one.
 *
 * A known value comes back as it is, and so does an unknown one of unknown type. Where what is known leaves one value
 * only (equal bounds of a number, no elements), that value comes back; a list of known length becomes a known list of
 * unknown elements. A prefix is taken as it is: where more text may combine with its end, use {@link refinePrefix}.
 * Refinements that exclude each other, or exclude a known null, are a Bug.
 */
export function refine(value: Value, refinements: Refinements): Value {
  const { data, type, marks } = value;
  if (!(data instanceof Unknown)) {
    invariant(data !== null || !refinements.notNull, "a null cannot be refined to be not null");
    return value;
  }
  if (type.kind === "dynamic") return value;
  const before = data.refinements;
  const merged = merge(type, before, refinements);
  if (merged === before) return value;
  const collapsed = merged.notNull ? onlyValue(type, merged) : undefined;
  return collapsed ? { ...collapsed, marks } : { type, data: new Unknown(merged), marks };
}

/** Refines an unknown string to begin with `text`, less what further text could still change: see {@link safePrefix}. */
export function refinePrefix(value: Value, text: string): Value {
  const prefix = safePrefix(text);
  return prefix === "" ? value : refine(value, { prefix });
}

/** Whether the value, known or not, cannot be null. */
export function definitelyNotNull({ data }: Value): boolean {
  return data instanceof Unknown ? data.refinements?.notNull === true : data !== null;
}

/** What is known of a value: of an unknown one its refinements, of a known one (not null) as much as refinements can say. */
export function refinementsOf(value: Value): Refinements {
  const { data, type } = value;
  if (data instanceof Unknown) return data.refinements ?? nothing;
  if (data === null) return nothing;
  if (typeof data === "string") return { notNull: true, prefix: data };
  if (type.kind === "number") {
    const bound: Bound = { value: data as BigFloat, inclusive: true };
    return { notNull: true, minimum: bound, maximum: bound };
  }
  if (!isCollection(type)) return justNotNull;
  const [minimumLength, maximumLength] = lengthBounds(value);
  return minimumLength === maximumLength ? { notNull: true, minimumLength, maximumLength } : justNotNull;
}

const nothing: Refinements = {};
const justNotNull: Refinements = { notNull: true };

/**
 * The part of `text` (in NFC) that stays as it is whatever text follows: all but the last grapheme cluster, which a
 * combining character could still change, unless that is a delimiter that nothing combines with.
 */
export function safePrefix(text: string): string {
  const normal = text.normalize("NFC");
  if (normal === "") return "";
  const last = [...clustersOf(normal.slice(-longestCluster))].at(-1)!;
  if (delimiters.includes(last.segment)) return normal;
  return normal.slice(0, normal.length - last.segment.length);
}

const longestCluster = 64;
const delimiters = [..."-_:;/\\,.(){}[]|?!~ \t@#$%^&*+\"'"];

/** `before` itself where nothing is added to it. */
function merge(type: Type, before: Refinements | undefined, added: Refinements): Refinements {
  const old = before ?? nothing;
  const notNull = old.notNull || added.notNull || false;
  let merged: Refinements;
  if (type.kind === "string") {
    merged = { ...(notNull && justNotNull), ...prefixOf(old, added) };
  } else if (type.kind === "number") {
    merged = { ...(notNull && justNotNull), ...boundsOf(old, added) };
  } else if (isCollection(type)) {
    merged = { ...(notNull && justNotNull), ...lengthsOf(old, added) };
  } else {
    merged = notNull ? justNotNull : nothing;
  }
  return before && sameRefinements(merged, before) ? before : merged;
}

function prefixOf(old: Refinements, added: Refinements): Refinements {
  const a = old.prefix ?? "";
  const b = (added.prefix ?? "").normalize("NFC");
  invariant(a.startsWith(b) || b.startsWith(a), "a string cannot begin in two ways");
  const prefix = a.length >= b.length ? a : b;
  return prefix === "" ? nothing : { prefix };
}

function boundsOf(old: Refinements, added: Refinements): Refinements {
  const minimum = tighter(old.minimum, finite(added.minimum), 1);
  const maximum = tighter(old.maximum, finite(added.maximum), -1);
  const gap = minimum && maximum ? maximum.value.compare(minimum.value) : 1;
  const meet = gap > 0 || (gap === 0 && minimum?.inclusive === maximum?.inclusive);
  invariant(meet, "a number's lower bound is not above its upper one");
  return { ...(minimum && { minimum }), ...(maximum && { maximum }) };
}

function finite(bound: Bound | undefined): Bound | undefined {
  return bound?.value.isFinite ? bound : undefined;
}

function tighter(a: Bound | undefined, b: Bound | undefined, direction: number): Bound | undefined {
  if (!a || !b) return a ?? b;
  const order = a.value.compare(b.value) * direction;
  if (order === 0) return a.inclusive ? b : a;
  return order > 0 ? a : b;
}

function lengthsOf(old: Refinements, added: Refinements): Refinements {
  const least = Math.max(old.minimumLength ?? 0, added.minimumLength ?? 0);
  const most = Math.min(old.maximumLength ?? Infinity, added.maximumLength ?? Infinity);
  invariant(least <= most, "a collection's least length is not above its greatest");
  return { ...(least > 0 && { minimumLength: least }), ...(most < Infinity && { maximumLength: most }) };
}

/** Whether the same is known by both. */
export function sameRefinements(a: Refinements | undefined, b: Refinements | undefined): boolean {
  if (a === b) return true;
  const x = a ?? nothing;
  const y = b ?? nothing;
  return (
    (x.notNull ?? false) === (y.notNull ?? false) &&
    (x.prefix ?? "") === (y.prefix ?? "") &&
    sameBound(x.minimum, y.minimum) &&
    sameBound(x.maximum, y.maximum) &&
    (x.minimumLength ?? 0) === (y.minimumLength ?? 0) &&
    x.maximumLength === y.maximumLength
  );
}

function sameBound(a: Bound | undefined, b: Bound | undefined): boolean {
  if (!a || !b) return a === b;
  return a.inclusive === b.inclusive && a.value.equals(b.value);
}

/** A list is not made of unknown elements beyond this, as its length may come from outside. */
const longestPlaceholder = 100_000;

/** The one value, or the one list or set of unknown elements, that a value not null can be. */
function onlyValue(type: Type, { minimum, maximum, minimumLength, maximumLength }: Refinements): Value | undefined {
  if (type.kind === "number") {
    const one = minimum?.inclusive && maximum?.inclusive && minimum.value.equals(maximum.value);
    return one ? { type, data: minimum.value, marks: noMarks } : undefined;
  }
  const length = minimumLength ?? 0;
  if (!isCollection(type) || length !== maximumLength || length > longestPlaceholder) return undefined;
  const elements = () => new Array<Value>(length).fill(unknownValue(type.element));
  if (type.kind === "list") return listValue(elements(), type.element);
  if (type.kind === "set") return length <= 1 ? setValue(elements(), type.element) : undefined;
  return length === 0 ? mapValue([], type.element) : undefined;
}

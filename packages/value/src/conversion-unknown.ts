import { refine } from "./refine.ts";
import type { Type } from "./types.ts";
import { hasDynamic, isCollection, listType, mapType, objectType, setType, tupleType } from "./types.ts";
import { unifiedType } from "./unify.ts";
import type { Refinements, Unknown } from "./unknown.ts";
import type { Value } from "./value.ts";
import { unknownValue } from "./value.ts";

/** An unknown value converted: unknown still, of the new type, with what is known of its length. */
export function convertUnknown({ type: from, data }: Value, to: Type): Value {
  const known = (data as Unknown).refinements ?? {};
  const value = unknownValue(settledType(from, to));
  return refine(value, { ...(known.notNull && { notNull: true }), ...lengthsAfter(from, to, known) });
}

/** What is known of the number of elements once a value has been converted. */
function lengthsAfter(from: Type, to: Type, known: Refinements): Refinements {
  if (from.kind === "object" && to.kind === "map") return exactly(from.attributes.size);
  if (from.kind === "tuple" && to.kind === "list") return exactly(from.elements.length);
  if (from.kind === "tuple" && to.kind === "set") {
    return { minimumLength: Math.min(1, from.elements.length), maximumLength: from.elements.length };
  }
  if (!isCollection(from) || !isCollection(to)) return {};
  const { minimumLength = 0, maximumLength } = known;
  return {
    // Elements that become equal in a set are one, but never none.
    minimumLength: to.kind === "set" ? Math.min(1, minimumLength) : minimumLength,
    ...(maximumLength !== undefined && { maximumLength }),
  };
}

function exactly(length: number): Refinements {
  return { minimumLength: length, maximumLength: length };
}

/** The type of the result where there is no value to ask: `to`, with what `from` says in the place of `dynamic`. */
export function settledType(from: Type, to: Type): Type {
  if (from.kind === "dynamic" || !hasDynamic(to)) return to;
  switch (to.kind) {
    case "dynamic":
      return from;
    case "map":
      return mapType(settledElement(from, to.element));
    case "set":
      return setType(settledElement(from, to.element));
    case "list":
      return listType(settledElement(from, to.element));
    case "tuple":
      return tupleType(to.elements.map((t, i) => (from.kind === "tuple" ? settledType(from.elements[i]!, t) : t)));
    case "object":
      return objectType([...to.attributes].map(([name, type]) => [name, settledAttribute(from, name, type)] as const));
    default:
      return to;
  }
}

function settledElement(from: Type, to: Type): Type {
  if (isCollection(from)) return settledType(from.element, to);
  const types = from.kind === "tuple" ? from.elements : from.kind === "object" ? [...from.attributes.values()] : [];
  const common = unifiedType(types, "unsafe");
  return common ? settledType(common, to) : to;
}

function settledAttribute(from: Type, name: string, to: Type): Type {
  if (from.kind === "map") return settledType(from.element, to);
  const had = from.kind === "object" ? from.attributes.get(name) : undefined;
  return had ? settledType(had, to) : to;
}

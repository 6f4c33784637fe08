import { conversionExists } from "./convert.ts";
import { friendlyNameForConstraint } from "./friendly.ts";
import type { ObjectType, Type } from "./types.ts";
import { isCollection, isStructural, typeEquals } from "./types.ts";

/**
 * Why a value of type `got` does not fit `wanted`, as a clause that starts in lower case: `string required`,
 * `attribute "x" is required`, `element 0: string required`.
 */
export function mismatch(got: Type, wanted: Type): string {
  if (got.kind === "object" && wanted.kind === "object") return mismatchOfObjects(got, wanted);
  const required = `${friendlyNameForConstraint(wanted)} required`;
  if (!isCollection(wanted)) return required;
  if (isStructural(got)) {
    if ((got.kind === "tuple") === (wanted.kind === "map")) return required;
    if (wanted.element.kind === "dynamic") return `all ${wanted.kind} elements must have the same type`;
    return mismatchOfElements(got, wanted.element);
  }
  if (!isCollection(got) || (got.kind === "map") !== (wanted.kind === "map")) return required;
  return `incorrect ${wanted.kind} element type: ${mismatch(got.element, wanted.element)}`;
}

/** Missing attributes go first, all in one sentence; else one attribute that does not fit. */
function mismatchOfObjects(got: ObjectType, wanted: ObjectType): string {
  const missing = [...wanted.attributes.keys()].filter(
    (name) => !got.attributes.has(name) && !wanted.optional.has(name),
  );
  if (missing.length > 0) return requiredAttributes(missing.map((name) => JSON.stringify(name)));
  for (const certainty of ["unsafe", "safe"] as const) {
    for (const [name, type] of wanted.attributes) {
      const had = got.attributes.get(name);
      if (!had || typeEquals(had, type) || conversionExists(had, type, certainty)) continue;
      return `attribute ${JSON.stringify(name)}: ${mismatch(had, type)}`;
    }
  }
  return "incorrect object attributes";
}

function requiredAttributes(names: readonly string[]): string {
  if (names.length === 1) return `attribute ${names[0]} is required`;
  if (names.length === 2) return `attributes ${names[0]} and ${names[1]} are required`;
  return `attributes ${names.slice(0, -1).join(", ")}, and ${names.at(-1)} are required`;
}

function mismatchOfElements(got: Extract<Type, { readonly kind: "tuple" | "object" }>, wanted: Type): string {
  const elements: Iterable<readonly [string | number, Type]> =
    got.kind === "tuple" ? got.elements.entries() : got.attributes.entries();
  for (const [key, type] of elements) {
    if (typeEquals(type, wanted) || conversionExists(type, wanted, "unsafe")) continue;
    return `element ${JSON.stringify(key)}: ${mismatch(type, wanted)}`;
  }
  return `all elements must be ${friendlyNameForConstraint(wanted)}`;
}

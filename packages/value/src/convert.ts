import type { Certainty } from "./conversion.ts";
import { conversion, Failure } from "./conversion.ts";
import { mismatch } from "./mismatch.ts";
import type { Path } from "./path.ts";
import type { Type } from "./types.ts";
import { typeEquals, withoutOptional } from "./types.ts";
import type { Value } from "./value.ts";

/** A converted value, or where inside of the given one the conversion failed, and why, as a clause in lower case. */
export type Converted =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly path: Path; readonly message: string };

/**
 * The value as one of type `type`, by the rules of go-cty's `convert`.
 *
 * Primitives go to string and back where the text allows it; a tuple becomes a list or set, an object a map, a list a set,
 * and the reverse; an object loses the attributes that are not asked for, and gets null for optional ones that it lacks.
 * Where `type` has `dynamic`, the value's own type stands, though the elements of a collection get one common type.
 * Null and unknown stay what they are, with the new type; marks stay.
 */
export function convert(value: Value, type: Type): Converted {
  if (typeEquals(value.type, withoutOptional(type))) return { ok: true, value };
  const convertIt = conversion(value.type, type, "unsafe");
  if (!convertIt) return { ok: false, path: [], message: mismatch(value.type, type) };
  const result = convertIt(value);
  return result instanceof Failure
    ? { ok: false, path: result.path, message: result.message }
    : { ok: true, value: result };
}

/** Whether values of type `from` convert to `to`: "safe" all of them, "unsafe" perhaps, by what they are. */
export function conversionExists(from: Type, to: Type, certainty: Certainty): boolean {
  return conversion(from, to, certainty) !== undefined;
}

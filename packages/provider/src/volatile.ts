import { rawEquals } from "@millwright/value/operations";
import { asMap, isKnown, isNull, objectValue, type Value } from "@millwright/value/value";
import type { BlockSchema } from "./schema.ts";

/** Whether two objects are the same but for what changes by itself, as a status does. Marks are no part of either. */
export function sameButVolatile(before: Value, after: Value, { attributes }: BlockSchema): boolean {
  const names = [...attributes].filter(([, { volatile }]) => volatile).map(([name]) => name);
  if (names.length === 0 || [before, after].some((value) => isNull(value) || !isKnown(value)))
    return rawEquals(before, after);
  const then = asMap(before);
  const alike = objectValue(
    [...asMap(after)].map(([name, value]) => [name, names.includes(name) ? then.get(name)! : value]),
  );
  return rawEquals(before, alike);
}

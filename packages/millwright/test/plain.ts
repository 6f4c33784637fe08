import type { Value } from "@millwright/value/value";
import { asNumber, unmarkDeep } from "@millwright/value/value";

/** A known value as JavaScript has it, secrets included. */
export function toPlainJson(marked: Value): unknown {
  const [value] = unmarkDeep(marked);
  const { data } = value;
  if (Array.isArray(data)) return data.map(toPlainJson);
  if (data instanceof Map)
    return Object.fromEntries(
      [...(data as ReadonlyMap<string, Value>)].map(([key, inner]) => [key, toPlainJson(inner)]),
    );
  return value.type.kind === "number" && data !== null ? Number(asNumber(value).toText()) : data;
}

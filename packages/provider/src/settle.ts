import type { Value } from "@millwright/value/value";
import {
  isKnown,
  isWhollyKnown,
  listValue,
  mapValue,
  nullValue,
  objectValue,
  setValue,
  tupleValue,
} from "@millwright/value/value";

/** The value with null wherever something is not known: what can be recorded of an object that is there only in part. */
export function nullWhereUnknown(value: Value): Value {
  if (isWhollyKnown(value)) return value;
  if (!isKnown(value)) return nullValue(value.type);
  const { type, data } = value;
  const inside = Array.isArray(data) ? (data as readonly Value[]).map(nullWhereUnknown) : [];
  const entries =
    data instanceof Map
      ? [...(data as ReadonlyMap<string, Value>)].map(([key, v]) => [key, nullWhereUnknown(v)] as const)
      : [];
  switch (type.kind) {
    case "list":
      return listValue(inside, type.element);
    case "set":
      return setValue(inside, type.element);
    case "tuple":
      return tupleValue(inside);
    case "map":
      return mapValue(entries, type.element);
    case "object":
      return objectValue(entries);
    default:
      return value;
  }
}

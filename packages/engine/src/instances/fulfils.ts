import { rawEquals } from "@millwright/value/operations";
import { asArray, asMap, isKnown, isNull, isWhollyKnown, unmarkDeep, type Value } from "@millwright/value/value";

/** Whether a value is what was planned: equal wherever that was known. */
export function fulfils(planned: Value, now: Value): boolean {
  return matches(unmarkDeep(planned)[0], unmarkDeep(now)[0]);
}

function matches(planned: Value, now: Value): boolean {
  if (!isKnown(planned)) return true;
  if (!isKnown(now) || isNull(planned) || isNull(now)) return rawEquals(planned, now);
  switch (planned.type.kind) {
    case "object":
    case "map": {
      if (now.type.kind !== planned.type.kind) return false;
      const [before, after] = [asMap(planned), asMap(now)];
      return before.size === after.size && [...before].every(([key, value]) => matchesAt(value, after.get(key)));
    }
    case "list":
    case "tuple": {
      if (now.type.kind !== planned.type.kind) return false;
      const [before, after] = [asArray(planned), asArray(now)];
      return before.length === after.length && before.every((value, i) => matchesAt(value, after[i]));
    }
    // Elements of a set have no place of their own: with unknown ones among them only their number is told.
    case "set":
      return now.type.kind === "set" && (rawEquals(planned, now) || hasUnknown(planned));
    default:
      return rawEquals(planned, now);
  }
}

function matchesAt(planned: Value, now: Value | undefined): boolean {
  return now !== undefined && matches(planned, now);
}

function hasUnknown(set: Value): boolean {
  return asArray(set).some((element) => !isWhollyKnown(element));
}

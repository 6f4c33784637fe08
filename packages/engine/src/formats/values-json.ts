import { numberToPlain } from "@millwright/value/plain-json";
import { asArray, asMap, asNumber, isKnown, isNull, sensitive, type Value } from "@millwright/value/value";

/** The known part of a value as plain JSON, as Terraform's JSON formats have it; undefined where it is unknown itself. */
export function knownPlain(value: Value): unknown {
  if (!isKnown(value)) return undefined;
  const { data } = value;
  if (data === null || typeof data === "string" || typeof data === "boolean") return data;
  if (data instanceof Map) {
    const entries: [string, unknown][] = [];
    for (const [key, inner] of asMap(value)) if (isKnown(inner)) entries.push([key, knownPlain(inner)]);
    return Object.fromEntries(entries);
  }
  if (Array.isArray(data)) return asArray(value).map((inner) => knownPlain(inner) ?? null);
  return numberToPlain(asNumber(value));
}

/** Where a value is unknown: true, false, or the same for what is inside it; parts of objects that are known are left out. */
export function unknownPlain(value: Value): unknown {
  if (!isKnown(value)) return true;
  return inside(value, unknownPlain);
}

/** Where a value is sensitive, in the same form. */
export function sensitivePlain(value: Value): unknown {
  if (value.marks.has(sensitive)) return true;
  if (!isKnown(value)) {
    const { kind } = value.type;
    if (kind === "list" || kind === "set" || kind === "tuple") return [];
    return kind === "map" || kind === "object" ? {} : false;
  }
  return inside(value, sensitivePlain);
}

function inside(value: Value, of: (value: Value) => unknown): unknown {
  if (isNull(value)) return false;
  if (Array.isArray(value.data)) return asArray(value).map(of);
  if (!(value.data instanceof Map)) return false;
  const entries: [string, unknown][] = [];
  for (const [key, inner] of asMap(value)) {
    const answer = of(inner);
    if (answer !== false) entries.push([key, answer]);
  }
  return Object.fromEntries(entries);
}

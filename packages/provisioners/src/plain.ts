import { asArray, asMap, asString, isKnown, isNull, type Value } from "@millwright/value/value";

/** A text attribute of an object; undefined where it is null or not known. */
export function text(object: Value, name: string): string | undefined {
  const value = part(object, name);
  return value && asString(value);
}

/** A list of texts; null elements and unknown ones are left out. Undefined where the list is null or not known. */
export function texts(object: Value, name: string): readonly string[] | undefined {
  const value = part(object, name);
  return value && asArray(value).flatMap((one) => (isKnown(one) && !isNull(one) ? [asString(one)] : []));
}

/** A map of texts, without null elements. */
export function textMap(object: Value, name: string): Readonly<Record<string, string>> {
  const value = part(object, name);
  const entries = value ? [...asMap(value)] : [];
  return Object.fromEntries(
    entries.flatMap(([key, one]) => (isKnown(one) && !isNull(one) ? [[key, asString(one)]] : [])),
  );
}

/** A flag; undefined where it is null or not known. */
export function flag(object: Value, name: string): boolean | undefined {
  const value = part(object, name);
  return value && value.data === true;
}

/** Whether an attribute was given, be it with a value that is not known yet. */
export function isGiven(object: Value, name: string): boolean {
  const value = asMap(object).get(name);
  return value !== undefined && !(isKnown(value) && isNull(value));
}

function part(object: Value, name: string): Value | undefined {
  const value = asMap(object).get(name);
  return value && isKnown(value) && !isNull(value) ? value : undefined;
}

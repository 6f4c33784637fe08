import { Bug } from "@millwright/core/errors";
import { bigFloat } from "@millwright/value/number";
import type { ObjectType, Type } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  asBool,
  asMap,
  asNumber,
  asString,
  boolValue,
  isKnown,
  isNull,
  listValue,
  mapValue,
  nullValue,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
} from "@millwright/value/value";

/**
 * What authors of providers hold in their hands: plain data. `null` is null, `undefined` is unknown, a list, set or tuple is
 * an array, a map or object a record, a value of type `dynamic` the {@link Value} itself.
 */
export type Plain =
  | undefined
  | null
  | string
  | number
  | boolean
  | readonly unknown[]
  | { readonly [name: string]: unknown };

/** A value as plain data, by its schema's `type` (which says where `dynamic` is). */
export function toPlain(value: Value, type: Type): unknown {
  if (type.kind === "dynamic") return value;
  if (!isKnown(value)) return undefined;
  if (isNull(value)) return null;
  switch (type.kind) {
    case "string":
      return asString(value);
    case "number":
      return asNumber(value).toNumber();
    case "bool":
      return asBool(value);
    case "list":
    case "set":
      return elements(value).map((v) => toPlain(v, type.element));
    case "tuple":
      return elements(value).map((v, i) => toPlain(v, type.elements[i]!));
    case "map":
      return Object.fromEntries(Array.from(asMap(value), ([key, v]) => [key, toPlain(v, type.element)]));
    case "object":
      return Object.fromEntries(
        Array.from(asMap(value), ([name, v]) => [name, toPlain(v, type.attributes.get(name)!)]),
      );
    case "capsule":
      throw new Bug("a capsule cannot reach a provider");
  }
}

/** Where plain data is being read, for messages: `consul_keys create: key[0].path`. */
export type Whereabouts = readonly [what: string, ...steps: (string | number)[]];

/**
 * Plain data as a value of `type`. Where it says the same as `like` (a planned or prior value), `like` itself comes out: a
 * number keeps the digits that JavaScript cannot hold. Attributes of objects that are not there take those of `like`,
 * else null.
 *
 * Data that does not fit is the provider's mistake: a Bug that names the place.
 */
export function fromPlain(data: unknown, type: Type, where: Whereabouts, like?: Value): Value {
  if (type.kind === "dynamic") return dynamicFromPlain(data, where);
  if (data === undefined) return like && !isKnown(like) ? like : unknownValue(type);
  if (data === null) return nullValue(type);
  const old = like && isKnown(like) && !isNull(like) ? like : undefined;
  switch (type.kind) {
    case "string":
      return stringValue(typeof data === "string" ? data : misfit(where, "a string", data));
    case "number":
      return numberFromPlain(
        typeof data === "number" || typeof data === "bigint" ? data : misfit(where, "a number", data),
        old,
      );
    case "bool":
      return boolValue(typeof data === "boolean" ? data : misfit(where, "a boolean", data));
    case "list":
      return listValue(
        arrayOf(data, where).map((v, i) => fromPlain(v, type.element, [...where, i], old && elements(old)[i])),
        type.element,
      );
    case "set":
      return setValue(
        arrayOf(data, where).map((v, i) => likeInSet(v, type.element, [...where, i], old)),
        type.element,
      );
    case "tuple":
      return tupleValue(
        type.elements.map((t, i) => fromPlain(arrayOf(data, where)[i], t, [...where, i], old && elements(old)[i])),
      );
    case "map":
      return mapValue(
        Object.entries(recordOf(data, where)).map(
          ([key, v]) => [key, fromPlain(v, type.element, [...where, key], old && asMap(old).get(key))] as const,
        ),
        type.element,
      );
    case "object":
      return objectFromPlain(recordOf(data, where), type, where, old);
    case "capsule":
      throw new Bug("a capsule cannot come from a provider");
  }
}

function objectFromPlain(
  data: Readonly<Record<string, unknown>>,
  type: ObjectType,
  where: Whereabouts,
  like: Value | undefined,
): Value {
  for (const name of Object.keys(data)) {
    if (!type.attributes.has(name)) throw new Bug(`${placeOf([...where, name])}: there is no such attribute`);
  }
  const attributes: [string, Value][] = [];
  for (const [name, t] of type.attributes) {
    const old = like && asMap(like).get(name);
    const value = Object.hasOwn(data, name) ? fromPlain(data[name], t, [...where, name], old) : (old ?? nullValue(t));
    attributes.push([name, value]);
  }
  return objectValue(attributes);
}

/** An element of a set has no place of its own, so the element of the old set that says the same is looked for. */
function likeInSet(data: unknown, element: Type, where: Whereabouts, like: Value | undefined): Value {
  const plain = JSON.stringify(data);
  const same = like && elements(like).find((v) => JSON.stringify(toPlain(v, element)) === plain);
  return fromPlain(data, element, where, same);
}

function numberFromPlain(data: number | bigint, like: Value | undefined): Value {
  if (like && typeof data === "number" && asNumber(like).toNumber() === data) return like;
  // A fraction is taken by its decimal text, as a state file is read, so that it computes the same in every later run.
  const exact = typeof data === "bigint" || Number.isInteger(data);
  return numberValue(exact ? data : bigFloat(String(data)));
}

function dynamicFromPlain(data: unknown, where: Whereabouts): Value {
  if (typeof data === "object" && data !== null && "type" in data && "data" in data && "marks" in data)
    return data as Value;
  return misfit(where, "a Value", data);
}

function elements(value: Value): readonly Value[] {
  return value.data as readonly Value[];
}

function arrayOf(data: unknown, where: Whereabouts): readonly unknown[] {
  return Array.isArray(data) ? data : misfit(where, "an array", data);
}

function recordOf(data: unknown, where: Whereabouts): Readonly<Record<string, unknown>> {
  return typeof data === "object" && data !== null && !Array.isArray(data)
    ? (data as Record<string, unknown>)
    : misfit(where, "an object", data);
}

function misfit(where: Whereabouts, expected: string, data: unknown): never {
  const got = Array.isArray(data)
    ? "an array"
    : data === null
      ? "null"
      : data === undefined
        ? "nothing"
        : `a ${typeof data}`;
  throw new Bug(`${placeOf(where)}: expected ${expected}, got ${got}`);
}

function placeOf([what, ...steps]: Whereabouts): string {
  const path = steps.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
  return path === "" ? what : `${what}: ${path.replace(/^\./, "")}`;
}

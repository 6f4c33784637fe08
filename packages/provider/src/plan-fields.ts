import { rawEquals } from "@millwright/value/operations";
import type { Path, PathStep } from "@millwright/value/path";
import type { Type } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  asMap,
  isKnown,
  isNull,
  isWhollyKnown,
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
import { fromPlain, toPlain } from "./codec.ts";
import type { Attribute, Field, Fields } from "./fields.ts";

import { fieldsInside } from "./schema-of-fields.ts";

/** The three objects that a plan is made from; see the protocol's PlanCall. */
export interface PlanInputs {
  readonly config: Value;
  readonly prior: Value;
  readonly proposed: Value;
}

/**
 * The proposed object with what the fields themselves decide: defaults where the configuration is silent, write-only
 * attributes null, and, when anything is to change, computed attributes unknown unless they are stable.
 *
 * Objects inside sets have no place by which to find their configuration; there a null stands for silence.
 */
export function planFields(fields: Fields, { config, prior, proposed }: PlanInputs): Value {
  const filled = fillDefaults(fields, config, proposed);
  if (!isNull(prior) && rawEquals(filled, prior)) return filled;
  return loosenComputed(fields, config, filled, prior);
}

/**
 * The attributes whose change needs a new object. `everything` is for resources that cannot be updated: each attribute that
 * can be configured counts.
 */
export function replacingPaths(fields: Fields, prior: Value, planned: Value, everything: boolean): readonly Path[] {
  const found: Path[] = [];
  collectReplacing(fields, prior, planned, { everything, at: [], found });
  return found;
}

function fillDefaults(fields: Fields, config: Value, proposed: Value): Value {
  return mapFields(fields, [proposed, config], (field, name, [value, configured]) => {
    const inner = fieldsInside(field);
    if (field.kind === "attribute") {
      if (isWriteOnly(field)) return isNull(value) ? value : nullValue(value.type);
      if (field.presence === "defaulted" && isNull(configured)) return defaultValue(field, name, value.type);
    }
    return inner ? mapNested(field, [value, configured], (v, c) => fillDefaults(inner, c ?? v, v)) : value;
  });
}

function loosenComputed(fields: Fields, config: Value, planned: Value, prior: Value): Value {
  return mapFields(fields, [planned, config, prior], (field, _name, [value, configured, old]) => {
    if (
      field.kind === "attribute" &&
      (field.presence === "computed" || field.presence === "inferred") &&
      isNull(configured)
    ) {
      const settled = field.options.stable === true && !isNull(old);
      return settled
        ? value
        : unknownValue(typeOf(field, value), field.options.nullable ? undefined : { notNull: true });
    }
    const inner = fieldsInside(field);
    if (!inner) return value;
    return mapNested(field, [value, configured, old], (v, c, p) =>
      loosenComputed(inner, c ?? v, v, p ?? nullValue(v.type)),
    );
  });
}

interface Replacing {
  readonly everything: boolean;
  readonly at: readonly PathStep[];
  readonly found: Path[];
}

function collectReplacing(fields: Fields, prior: Value, planned: Value, { everything, at, found }: Replacing): void {
  for (const [name, field] of Object.entries(fields)) {
    const old = attributeOf(prior, name);
    const now = attributeOf(planned, name);
    if (!old || !now || rawEquals(old, now)) continue;
    const path = [...at, { attribute: name }];
    if (replacesAsWhole(field, old, now, everything)) found.push(path);
    else collectInside(field, old, now, { everything, at: path, found });
  }
}

function replacesAsWhole(field: Field, old: Value, now: Value, everything: boolean): boolean {
  if (field.kind === "block") return everything || field.options.replaceOnChange === true;
  if (field.presence === "computed") return field.options.replaceOnChange === true;
  const rule = field.options.replaceOnChange;
  if (typeof rule !== "function") return everything || rule === true;
  if (!isWhollyKnown(now)) return true;
  const change = { prior: toPlain(old, old.type), planned: toPlain(now, now.type) };
  return rule(change as { readonly prior: never; readonly planned: never });
}

function collectInside(field: Field, old: Value, now: Value, { everything, at, found }: Replacing): void {
  const inner = fieldsInside(field);
  if (!inner || !hasReplacing(inner)) return;
  const before = objectsOf(field, old);
  const after = objectsOf(field, now);
  if (!before || !after || !haveSameKeys(field, before, after)) {
    found.push(at);
    return;
  }
  if (nestingOf(field) === "set") {
    if (!rawEquals(replacingPart(inner, before), replacingPart(inner, after))) found.push(at);
    return;
  }
  for (const [key, object] of after) {
    collectReplacing(inner, before.get(key)!, object, { everything, at: [...at, ...stepTo(key)], found });
  }
}

/** In a set no object is the counterpart of another: what counts there are the objects themselves. */
function haveSameKeys(field: Field, before: ReadonlyMap<Key, Value>, after: ReadonlyMap<Key, Value>): boolean {
  return (
    nestingOf(field) === "set" || (before.size === after.size && [...after.keys()].every((key) => before.has(key)))
  );
}

function hasReplacing(fields: Fields): boolean {
  return Object.values(fields).some((field) => {
    const inner = fieldsInside(field);
    return Boolean(field.options.replaceOnChange) || (inner !== undefined && hasReplacing(inner));
  });
}

/** Of objects in a set: the attributes whose change counts, without those whose change does not. */
function replacingPart(fields: Fields, objects: ReadonlyMap<Key, Value>): Value {
  const names = Object.entries(fields).filter(([, field]) => {
    const inner = fieldsInside(field);
    return Boolean(field.options.replaceOnChange) || (inner !== undefined && hasReplacing(inner));
  });
  const parts = [...objects.values()].map((object) =>
    objectValue(names.map(([name]) => [name, attributeOf(object, name)!] as const)),
  );
  return parts.length === 0 ? tupleValue([]) : setValue(parts);
}

/** The key of one nested object: its index, its label, or {@link only} where there is one object without a key. */
type Key = number | string | typeof only;
const only = Symbol("only");

function stepTo(key: Key): readonly PathStep[] {
  if (typeof key === "symbol") return [];
  return [{ index: typeof key === "number" ? numberValue(key) : stringValue(key) }];
}

/** Nested objects by key; undefined where they are not known. No object at all is an empty map. */
function objectsOf(field: Field, value: Value): ReadonlyMap<Key, Value> | undefined {
  if (!isKnown(value)) return undefined;
  if (isNull(value)) return new Map();
  switch (nestingOf(field)) {
    case "single":
    case "group":
      return new Map([[only, value]]);
    case "list":
    case "set":
      return new Map((value.data as readonly Value[]).map((v, i) => [i, v]));
    case "map":
      return asMap(value);
  }
}

function nestingOf(field: Field): "single" | "group" | "list" | "set" | "map" {
  return field.kind === "block" ? field.nesting : (field.type.nested?.nesting ?? "single");
}

/**
 * Goes through an object attribute by attribute; the others are looked up by name, null where they have none. The object
 * itself comes back when no attribute changes.
 */
function mapFields(
  fields: Fields,
  [object, ...others]: readonly [Value, ...Value[]],
  change: (field: Field, name: string, values: readonly [Value, Value, Value]) => Value,
): Value {
  if (!isKnown(object) || isNull(object)) return object;
  let isSame = true;
  const attributes: [string, Value][] = [];
  for (const [name, value] of asMap(object)) {
    const field = fields[name];
    const [second, third] = others.map((other) => attributeOf(other, name) ?? nullValue(value.type));
    const changed = field
      ? change(field, name, [value, second ?? nullValue(value.type), third ?? nullValue(value.type)])
      : value;
    isSame &&= changed === value;
    attributes.push([name, changed]);
  }
  return isSame ? object : objectValue(attributes);
}

/** Goes through nested objects one by one; the others are found by the same key, and not at all in sets. */
function mapNested(
  field: Field,
  [value, ...others]: readonly [Value, ...Value[]],
  change: (value: Value, second: Value | undefined, third: Value | undefined) => Value,
): Value {
  const objects = objectsOf(field, value);
  if (!objects || isNull(value)) return value;
  const nesting = nestingOf(field);
  const counterparts = nesting === "set" ? [] : others.map((other) => objectsOf(field, other));
  const changed = [...objects].map(([key, object]) => {
    const [second, third] = counterparts.map((c) => c?.get(key));
    return [key, change(object, second, third)] as const;
  });
  return changed.every(([key, object]) => object === objects.get(key)) ? value : rebuild(value, changed);
}

function rebuild(value: Value, objects: readonly (readonly [Key, Value])[]): Value {
  const values = objects.map(([, object]) => object);
  switch (value.type.kind) {
    case "list":
      return listValue(values, value.type.element);
    case "set":
      return setValue(values, value.type.element);
    case "tuple":
      return tupleValue(values);
    case "map":
      return mapValue(
        objects.map(([key, object]) => [String(key), object] as const),
        value.type.element,
      );
    default:
      return values.length === 1 && objects[0]![0] === only
        ? values[0]!
        : objectValue(objects.map(([key, object]) => [String(key), object] as const));
  }
}

function attributeOf(object: Value, name: string): Value | undefined {
  return isKnown(object) && !isNull(object) ? asMap(object).get(name) : undefined;
}

function isWriteOnly({ presence }: Attribute): boolean {
  return presence === "writeOnly" || presence === "requiredWriteOnly";
}

function defaultValue(attribute: Attribute, name: string, type: Type): Value {
  const declared = attribute.type.nested ? type : attribute.type.type;
  return fromPlain(attribute.options.default, declared, [`default of ${name}`]);
}

function typeOf(attribute: Attribute, value: Value): Type {
  return attribute.type.nested ? value.type : attribute.type.type;
}

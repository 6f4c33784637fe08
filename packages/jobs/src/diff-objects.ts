import { createHash } from "node:crypto";
import type { DiffContext } from "./diff.ts";
import { networkShape } from "./resources.ts";
import { checkShape, identityShape, serviceShape } from "./service.ts";
import type { AnyRecord, Field, Shape } from "./shape.ts";
import { apiName, fieldsOf } from "./shape.ts";
import { artifactShape, templateShape } from "./task.ts";

export type Difference = "Added" | "Deleted" | "Edited" | "None";

export interface FieldDiff {
  readonly Type: Difference;
  readonly Name: string;
  readonly Old: string;
  readonly New: string;
  readonly Annotations: readonly string[] | null;
}

export interface ObjectDiff {
  readonly Type: Difference;
  readonly Name: string;
  readonly Fields: readonly FieldDiff[] | null;
  readonly Objects: readonly ObjectDiff[] | null;
}

export function isChanged({ Type }: { readonly Type: Difference }): boolean {
  return Type !== "None";
}

/** The API writes an empty list as null. */
export function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}

/** The plain fields and maps of two objects, by name. */
export function fieldDiffs(
  shape: Shape,
  old: AnyRecord | undefined,
  now: AnyRecord | undefined,
  context: DiffContext,
): readonly FieldDiff[] {
  return flatDiffs(flatFields(shape, old), flatFields(shape, now), context);
}

type Flat = ReadonlyMap<string, string>;

function flatDiffs(old: Flat, now: Flat, context: DiffContext): readonly FieldDiff[] {
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort()
    .flatMap((name) => fieldDiff(name, old.get(name) ?? "", now.get(name) ?? "", context));
}

function fieldDiff(name: string, old: string, now: string, context: DiffContext): readonly FieldDiff[] {
  if (old === now && context === "changes") return [];
  const type = old === now ? "None" : old === "" ? "Added" : now === "" ? "Deleted" : "Edited";
  return [{ Type: type, Name: name, Old: old, New: now, Annotations: null }];
}

function flatFields(shape: Shape, record: AnyRecord | undefined): Flat {
  const flat = new Map<string, string>();
  if (!record) return flat;
  for (const [property, field] of fieldsOf(shape)) {
    if (field.options.outOfDiff) continue;
    const name = apiName(property, field);
    const value = record[property];
    switch (field.kind) {
      case "text":
      case "whole":
      case "number":
      case "flag":
      case "duration":
        if (value !== null) flat.set(name, String(value));
        break;
      case "map":
        for (const [key, entry] of Object.entries(value as AnyRecord))
          flat.set(`${name}[${key}]`, field.options.isSecret ? hidden(String(entry)) : String(entry));
        break;
      default:
        break;
    }
  }
  return flat;
}

/** What stands for a secret: another one for another secret, and nothing that it could be guessed by. */
function hidden(secret: string): string {
  return `(hidden, ${createHash("sha256").update(secret).digest("hex").slice(0, 4)})`;
}

/** A value of any depth by the paths into it: `args[0]`, `port_map[0][http]`, `labels[a]`. */
function flatPaths(value: unknown, path: string, flat: Map<string, string>): Map<string, string> {
  if (Array.isArray(value)) {
    value.forEach((element, i) => flatPaths(element, `${path}[${i}]`, flat));
  } else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) flatPaths(inner, path === "" ? key : `${path}[${key}]`, flat);
  } else {
    flat.set(path, value === null ? "nil" : String(value));
  }
  return flat;
}

/** What is inside of two objects that is no plain field, in the order of the shape. */
export function objectDiffs(
  shape: Shape,
  old: AnyRecord | undefined,
  now: AnyRecord | undefined,
  context: DiffContext,
): readonly ObjectDiff[] {
  return fieldsOf(shape).flatMap(([property, field]) => {
    if (field.options.outOfDiff) return [];
    return innerDiffs(apiName(property, field), field, old?.[property], now?.[property], context);
  });
}

function innerDiffs(
  name: string,
  field: Field,
  old: unknown,
  now: unknown,
  context: DiffContext,
): readonly ObjectDiff[] {
  switch (field.kind) {
    case "texts":
      return setDiff(name, textsIn(old), textsIn(now), context);
    case "free":
    case "lists":
      return freeDiff(name, old as AnyRecord | undefined, now as AnyRecord | undefined, context);
    case "object":
      return objectDiff(field.shape, recordIn(old), recordIn(now), context);
    case "objects":
      return pairsOf(field.shape, recordsIn(old), recordsIn(now))
        .flatMap(([before, after]) => objectDiff(field.shape, before, after, context))
        .sort(byType);
    default:
      return [];
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const order: readonly Difference[] = ["Edited", "Added", "Deleted", "None"];

function byType(a: ObjectDiff, b: ObjectDiff): number {
  return order.indexOf(a.Type) - order.indexOf(b.Type);
}

/** What differs between two objects; nothing where they are the same. */
function objectDiff(
  shape: Shape,
  old: AnyRecord | undefined,
  now: AnyRecord | undefined,
  context: DiffContext,
): readonly ObjectDiff[] {
  if (!old && !now) return [];
  const fields = fieldDiffs(shape, old, now, context);
  const objects = objectDiffs(shape, old, now, context);
  if (old && now && ![...fields, ...objects].some(isChanged)) return [];
  const type = !old ? "Added" : !now ? "Deleted" : "Edited";
  return [{ Type: type, Name: shape.title, Fields: orNull(fields), Objects: orNull(objects) }];
}

/** Lists in which the order says nothing. */
function setDiff(
  name: string,
  old: readonly string[],
  now: readonly string[],
  context: DiffContext,
): readonly ObjectDiff[] {
  const texts = new Set([...old, ...now]);
  const fields = [...texts]
    .flatMap((text) => fieldDiff(name, old.includes(text) ? text : "", now.includes(text) ? text : "", context))
    .sort((a, b) => (a.Old === b.Old ? compare(a.New, b.New) : compare(a.Old, b.Old)));
  if (fields.length === 0) return [];
  const types = new Set(fields.map(({ Type }) => Type));
  const [added, deleted] = [types.has("Added"), types.has("Deleted")];
  const type = added && deleted ? "Edited" : added ? "Added" : deleted ? "Deleted" : "None";
  return [{ Type: type, Name: name, Fields: fields, Objects: null }];
}

function freeDiff(name: string, old: AnyRecord = {}, now: AnyRecord = {}, context: DiffContext): readonly ObjectDiff[] {
  const fields = flatDiffs(flatPaths(old, "", new Map()), flatPaths(now, "", new Map()), context);
  if (!fields.some(isChanged)) return [];
  const type = Object.keys(old).length === 0 ? "Added" : Object.keys(now).length === 0 ? "Deleted" : "Edited";
  return [{ Type: type, Name: name, Fields: fields, Objects: null }];
}

/** An old and a new object that are two versions of one thing; either may be missing. */
export type Pair<T> = readonly [old: T | undefined, now: T | undefined];

/** What an object of a list is known by from one version to the next; else it is its whole content. */
const keys: ReadonlyMap<Shape, (record: AnyRecord, place: number) => string> = new Map<
  Shape,
  (record: AnyRecord, place: number) => string
>([
  [checkShape, ({ name }) => String(name)],
  [templateShape, ({ destination }) => String(destination)],
  [artifactShape, ({ destination }) => String(destination)],
  [identityShape, ({ name }) => String(name)],
  [networkShape, (_record, place) => String(place)],
]);

function pairsOf(shape: Shape, old: readonly AnyRecord[], now: readonly AnyRecord[]): readonly Pair<AnyRecord>[] {
  if (shape === serviceShape) return pairsByLikeness(old, now);
  const { label } = shape;
  if (label !== undefined) return pairsBy((record) => String(record[label]), old, now);
  return pairsBy(keys.get(shape) ?? ((record) => JSON.stringify(record)), old, now);
}

/** Pairs by a key, those of the old list first. Of several with one key each is paired with one. */
export function pairsBy<T>(
  keyOf: (one: T, place: number) => string,
  old: readonly T[],
  now: readonly T[],
): readonly Pair<T>[] {
  const left = Map.groupBy(now.entries(), ([place, one]) => keyOf(one, place));
  const pairs = old.map((one, place): Pair<T> => [one, left.get(keyOf(one, place))?.shift()?.[1]]);
  const added = [...left.values()].flat().map(([, one]): Pair<T> => [undefined, one]);
  return [...pairs, ...added];
}

/** Services have no name of their own that stays: a name counts most, then the port, then the place in the list. */
function pairsByLikeness(old: readonly AnyRecord[], now: readonly AnyRecord[]): readonly Pair<AnyRecord>[] {
  if (old.length === 1 && now.length === 1) return [[old[0], now[0]]];
  const left = new Map(now.entries());
  const pairs = old.map((one, place): Pair<AnyRecord> => {
    const [best] = [...left]
      .map(([at, other]) => ({ at, score: likeness(one, other) + (at === place ? 1 : 0) }))
      .filter(({ score }) => score >= 3)
      .sort((a, b) => b.score - a.score);
    if (!best) return [one, undefined];
    const other = left.get(best.at);
    left.delete(best.at);
    return [one, other];
  });
  return [...pairs, ...[...left.values()].map((one): Pair<AnyRecord> => [undefined, one])];
}

function likeness(a: AnyRecord, b: AnyRecord): number {
  return (a["name"] === b["name"] ? 3 : 0) + (a["port"] === b["port"] ? 2 : 0);
}

function textsIn(value: unknown): readonly string[] {
  return (value ?? []) as readonly string[];
}

function recordIn(value: unknown): AnyRecord | undefined {
  return (value ?? undefined) as AnyRecord | undefined;
}

function recordsIn(value: unknown): readonly AnyRecord[] {
  return (value ?? []) as readonly AnyRecord[];
}

import type { MapKey, TemplateRecord, TemplateValue } from "./value.ts";
import { Channel, FunctionValue, SizedInteger, Struct, TypedList, TypedMap } from "./value.ts";

/** A value that was read out of a list or map of `interface {}`: Go knows it by that type, until a pipeline ends. */
export class Boxed {
  readonly inner: TemplateValue;

  constructor(inner: TemplateValue) {
    this.inner = inner;
  }
}

/** What the evaluation handles; `undefined` is no value at all (Go's zero `reflect.Value`). Null is always boxed. */
export type Operand = Exclude<TemplateValue, null> | Boxed | undefined;

export type Kind =
  | "invalid"
  | "interface"
  | "bool"
  | "int"
  | "uint"
  | "float"
  | "string"
  | "list"
  | "map"
  | "struct"
  | "chan"
  | "func";

export function kindOf(operand: Operand): Kind {
  switch (typeof operand) {
    case "undefined":
      return "invalid";
    case "boolean":
      return "bool";
    case "string":
      return "string";
    case "bigint":
      return "int";
    case "number":
      return "float";
  }
  if (operand instanceof Boxed) return "interface";
  if (operand instanceof SizedInteger) return operand.type.startsWith("u") ? "uint" : "int";
  if (Array.isArray(operand) || operand instanceof TypedList) return "list";
  if (operand instanceof Struct) return "struct";
  if (operand instanceof Channel) return "chan";
  return operand instanceof FunctionValue ? "func" : "map";
}

const plainTypes: Readonly<Record<Kind, string>> = {
  invalid: "<nil>",
  interface: "interface {}",
  bool: "bool",
  int: "int",
  uint: "uint",
  float: "float64",
  string: "string",
  list: "[]interface {}",
  map: "map[string]interface {}",
  struct: "struct {}",
  chan: "chan",
  func: "func",
};

/** Go's name of the operand's type. */
export function typeOf(operand: Operand): string {
  const hasOwnType =
    operand instanceof SizedInteger ||
    operand instanceof TypedList ||
    operand instanceof TypedMap ||
    operand instanceof Struct ||
    operand instanceof Channel ||
    operand instanceof FunctionValue;
  return hasOwnType ? operand.type : plainTypes[kindOf(operand)];
}

/** A value as it comes out of a function or the data: null is boxed, all else is of its own type. */
export function operandOf(value: TemplateValue): Operand {
  return value === null ? new Boxed(null) : value;
}

/** The value in a box; no value for nil. */
export function unbox(operand: Operand): Exclude<TemplateValue, null> | undefined {
  if (!(operand instanceof Boxed)) return operand;
  return operand.inner ?? undefined;
}

/** The operand as data: nil where there is no value. */
export function valueOf(operand: Operand): TemplateValue {
  return unbox(operand) ?? null;
}

export function elementsOf(list: readonly TemplateValue[] | TypedList): readonly TemplateValue[] {
  return list instanceof TypedList ? list.elements : list;
}

/** An element as Go reads it out of a list of that type. */
export function elementOf(container: TemplateValue, element: TemplateValue): Operand {
  const isTyped = container instanceof TypedList || container instanceof TypedMap;
  const isInterface = !isTyped || container.type.endsWith("]interface {}");
  return element === null || isInterface ? new Boxed(element) : element;
}

export type MapValue = ReadonlyMap<string, TemplateValue> | TemplateRecord | TypedMap;

export function isMap(value: TemplateValue | undefined): value is MapValue {
  return value !== null && value !== undefined && kindOf(value) === "map";
}

export function isList(value: TemplateValue | undefined): value is readonly TemplateValue[] | TypedList {
  return Array.isArray(value) || value instanceof TypedList;
}

/** Undefined for a key that is not there. */
export function mapGet(map: MapValue, key: MapKey): TemplateValue | undefined {
  if (map instanceof TypedMap) return map.entries.get(key);
  if (typeof key !== "string") return undefined;
  if (map instanceof Map) return map.get(key);
  return Object.hasOwn(map, key) ? (map as TemplateRecord)[key] : undefined;
}

export function mapSize(map: MapValue): number {
  if (map instanceof TypedMap) return map.entries.size;
  return map instanceof Map ? map.size : Object.keys(map).length;
}

/** The type of a map's keys: `string` but for typed maps that say otherwise. */
export function keyTypeOf(map: MapValue): string {
  return map instanceof TypedMap ? (/^map\[([^\]]*)\]/.exec(map.type)?.[1] ?? "string") : "string";
}

/** In the order of their keys, as Go goes through a map: false before true, numbers by size, text by its bytes. */
export function sortedEntries(map: MapValue): [MapKey, TemplateValue][] {
  const entries: [MapKey, TemplateValue][] =
    map instanceof TypedMap
      ? [...map.entries]
      : map instanceof Map
        ? [...(map as ReadonlyMap<string, TemplateValue>)]
        : Object.entries(map as TemplateRecord);
  return entries.sort(([a], [b]) => compareKeys(a, b));
}

const keyOrder = ["boolean", "bigint", "number", "string"];

function compareKeys(a: MapKey, b: MapKey): number {
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a !== typeof b) return keyOrder.indexOf(typeof a) - keyOrder.indexOf(typeof b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The order of the UTF-8 bytes, which is that of the code points. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above all others.
    return weight(x) - weight(y);
  }
  return a.length - b.length;
}

function weight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Whether an action such as `if` takes the operand as true: it is not the zero of its type. */
export function isTrue(operand: Operand): boolean {
  const value = unbox(operand);
  if (value instanceof SizedInteger) return value.value !== 0n;
  if (isList(value)) return elementsOf(value).length > 0;
  if (isMap(value)) return mapSize(value) > 0;
  switch (typeof value) {
    case "undefined":
    case "string":
      return !!value;
    case "boolean":
      return value;
    case "bigint":
      return value !== 0n;
    case "number":
      return value !== 0;
    default:
      return true;
  }
}

/** The number of an operand of one of the integer types. */
export function integerOf(operand: Operand): bigint | undefined {
  if (operand instanceof SizedInteger) return operand.value;
  return typeof operand === "bigint" ? operand : undefined;
}

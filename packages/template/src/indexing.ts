import { ExecutionFault } from "./fault.ts";
import type { MapValue, Operand } from "./operand.ts";
import {
  Boxed,
  elementOf,
  elementsOf,
  integerOf,
  isList,
  isMap,
  keyTypeOf,
  kindOf,
  mapGet,
  mapSize,
  operandOf,
  typeOf,
  unbox,
} from "./operand.ts";
import { pointedTo } from "./print.ts";
import type { MapKey } from "./value.ts";
import { SizedInteger, TypedList, TypedMap } from "./value.ts";

/** Go's `index`: `x[1][2]` for `index x 1 2`. A string has its UTF-8 bytes. */
export function indexInto(first: Operand, indexes: readonly Operand[]): Operand {
  if (unbox(first) === undefined) throw new ExecutionFault("index of untyped nil");
  let item: Operand = unbox(first);
  for (const given of indexes) {
    const container = unbox(item);
    if (container === undefined) throw new ExecutionFault("index of nil pointer");
    const index = unbox(given);
    if (isMap(container)) item = indexMap(container, index);
    else if (isList(container)) {
      const elements = elementsOf(container);
      const at = position(index, elements.length);
      if (at === elements.length) throw new ExecutionFault("reflect: slice index out of range");
      item = elementOf(container, elements[at]!);
    } else if (typeof container === "string") {
      const bytes = Buffer.from(container);
      const at = position(index, bytes.length);
      if (at === bytes.length) throw new ExecutionFault("reflect: string index out of range");
      item = new SizedInteger(BigInt(bytes[at]!), "uint8");
    } else throw new ExecutionFault(`can't index item of type ${typeOf(pointedTo(container))}`);
  }
  return item;
}

/**
 * Go's `slice`: `x[1:2]` for `slice x 1 2`. A string is cut between UTF-8 bytes. An index read straight out of a list or
 * map is refused, as Go refuses it: only `index` looks into an interface.
 */
export function sliceOf(first: Operand, indexes: readonly Operand[]): Operand {
  const item = unbox(first);
  if (item === undefined) throw new ExecutionFault("slice of untyped nil");
  if (indexes.length > 3) throw new ExecutionFault(`too many slice indexes: ${indexes.length}`);
  if (typeof item === "string") {
    if (indexes.length === 3) throw new ExecutionFault("cannot 3-index slice a string");
    const bytes = Buffer.from(item);
    const [start, end] = bounds(indexes, bytes.length);
    return bytes.subarray(start, end).toString();
  }
  if (!isList(item)) throw new ExecutionFault(`can't slice item of type ${typeOf(pointedTo(item))}`);
  const elements = elementsOf(item);
  const [start, end] = bounds(indexes, elements.length);
  const cut = elements.slice(start, end);
  return item instanceof TypedList ? new TypedList(cut, item.type) : cut;
}

/** Go's `len`; a string's is that of its UTF-8 bytes. */
export function lengthOf(operand: Operand): bigint {
  if (operand === undefined) throw new ExecutionFault("reflect: call of reflect.Value.Type on zero Value");
  const item = unbox(operand);
  if (item === undefined) throw new ExecutionFault("len of nil pointer");
  if (typeof item === "string") return BigInt(Buffer.byteLength(item));
  if (isList(item)) return BigInt(elementsOf(item).length);
  if (isMap(item)) return BigInt(mapSize(item));
  if (kindOf(item) === "chan") return 0n;
  throw new ExecutionFault(`len of type ${typeOf(pointedTo(item))}`);
}

function indexMap(map: MapValue, index: Operand): Operand {
  const found = mapGet(map, mapKey(map, index));
  if (found !== undefined) return elementOf(map, found);
  return map instanceof TypedMap ? operandOf(map.zero) : new Boxed(null);
}

function mapKey(map: MapValue, index: Operand): MapKey {
  const type = keyTypeOf(map);
  const integer = integerOf(index);
  if (index === undefined && type !== "interface {}") {
    throw new ExecutionFault(`value is nil; should be of type ${type}`);
  }
  if (integer !== undefined && (type === "int" || type === "interface {}")) return integer;
  const isKey = typeof index === "string" || typeof index === "boolean" || typeof index === "number";
  if (isKey && (typeOf(index) === type || type === "interface {}")) return index;
  throw new ExecutionFault(`value has type ${typeOf(index)}; should be ${type}`);
}

function position(index: Operand, capacity: number): number {
  if (index === undefined) throw new ExecutionFault("cannot index slice/array with nil");
  const at = integerOf(index);
  if (at === undefined) throw new ExecutionFault(`cannot index slice/array with type ${typeOf(index)}`);
  if (at < 0n || at > BigInt(capacity)) throw new ExecutionFault(`index out of range: ${at}`);
  return Number(at);
}

function bounds(indexes: readonly Operand[], length: number): readonly [number, number] {
  const [start = 0, end = length, limit = length] = indexes.map((index) => position(index, length));
  if (start > end) throw new ExecutionFault(`invalid slice index: ${start} > ${end}`);
  if (end > limit) throw new ExecutionFault(`invalid slice index: ${end} > ${limit}`);
  return [start, end];
}

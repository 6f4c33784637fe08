import { emptyBlocks } from "@millwright/provider/implied-type";
import type { BlockSchema, NestedBlockSchema } from "@millwright/provider/schema";
import type { Value } from "@millwright/value/value";
import { asArray, asMap, isKnown, isNull, listValue, mapValue, objectValue, setValue } from "@millwright/value/value";

/**
 * The object with what providers of the older type system leave out: nested blocks that are null or unknown, where none should be
 * an empty collection. Without that a read would differ from what was stored, and be drift.
 * Source: how the reference takes in what was read.
 */
export function normalized(value: Value, schema: BlockSchema): Value {
  if (schema.blocks.size === 0 || isNull(value) || !isKnown(value) || value.type.kind !== "object") return value;
  const parts = asMap(value);
  const changed = new Map<string, Value>();
  for (const [name, nested] of schema.blocks) {
    const before = parts.get(name);
    if (!before) continue;
    const after = normalizedBlocks(before, nested);
    if (after !== before) changed.set(name, after);
  }
  if (changed.size === 0) return value;
  return objectValue([...parts].map(([name, part]) => [name, changed.get(name) ?? part]));
}

function normalizedBlocks(value: Value, nested: NestedBlockSchema): Value {
  if (isNull(value) || !isKnown(value)) return nested.nesting === "single" ? value : emptyBlocks(nested);
  const { block } = nested;
  const { type } = value;
  if (type.kind === "object" && (nested.nesting === "single" || nested.nesting === "group"))
    return normalized(value, block);
  // Blocks of differing types are of no older provider.
  if (type.kind === "map") {
    const entries = [...asMap(value)].map(([key, part]) => [key, normalized(part, block)] as const);
    return entries.some(([key, part]) => part !== asMap(value).get(key)) ? mapValue(entries, type.element) : value;
  }
  if (type.kind !== "list" && type.kind !== "set") return value;
  const elements = asArray(value).map((part) => normalized(part, block));
  if (elements.every((part, i) => part === asArray(value)[i])) return value;
  return type.kind === "set" ? setValue(elements, type.element) : listValue(elements, type.element);
}

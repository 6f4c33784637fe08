import type {
  AttributeSchema,
  BlockSchema,
  NestedAttributeSchema,
  NestedBlockSchema,
} from "@millwright/provider/schema";
import { rawEquals } from "@millwright/value/operations";
import type { Path, PathStep } from "@millwright/value/path";
import { formatPath } from "@millwright/value/path";
import type { Value } from "@millwright/value/value";
import { asArray, asMap, isKnown, isNull, nullValue, numberValue, stringValue } from "@millwright/value/value";
import type { DiffContext, DiffLine, Entry, Shown, Symbol } from "./lines.ts";
import { blankLine, closingLine, entryLines, hiddenLines, noteLine, withTail } from "./lines.ts";
import { quoted } from "./literal.ts";
import { alignSequences } from "./sequences.ts";
import { diffWith, isHidden, symbolOf, type ValueDiff, valueDiff } from "./value-diff.ts";

/**
 * The lines inside a resource's braces: what changes, attribute by attribute, with what does not change counted and left out.
 * A null `before` is a new object, a null `after` one that goes.
 */
export function diffObject(before: Value, after: Value, schema: BlockSchema, context: DiffContext): DiffLine[] {
  return blockLines(before, after, schema, [], 1, context);
}

/** What becomes of one value that stands for itself: an output's. */
export function diffValue(before: Value, after: Value, context: DiffContext): Shown {
  return ending(valueDiff(before, after, [], 0, context), context);
}

function blockLines(
  before: Value,
  after: Value,
  schema: BlockSchema,
  path: Path,
  depth: number,
  context: DiffContext,
): DiffLine[] {
  if (isHidden(before) || isHidden(after)) return [noteLine(depth, "(sensitive content)")];
  const lines = attributeLines(schema.attributes, before, after, path, depth, context);
  let unchanged = 0;
  for (const [name, block] of sortedEntries(schema.blocks)) {
    const at = [...path, { attribute: name }];
    const result = nestedBlocks(name, block, member(before, name), member(after, name), at, depth, context);
    unchanged += result.unchanged;
    if (result.lines.length > 0) lines.push(...(lines.length > 0 ? [blankLine] : []), ...result.lines);
  }
  const hidden = hiddenLines(depth, unchanged, "block");
  return [...lines, ...(lines.length > 0 && hidden.length > 0 ? [blankLine] : []), ...hidden];
}

function attributeLines(
  attributes: ReadonlyMap<string, AttributeSchema>,
  before: Value,
  after: Value,
  path: Path,
  depth: number,
  context: DiffContext,
): DiffLine[] {
  const entries: Entry[] = [];
  let unchanged = 0;
  const whole = isNull(before) || isNull(after);
  for (const [name, attribute] of sortedEntries(attributes)) {
    const [old, next] = [member(before, name), member(after, name)];
    // A write-only value is in no plan: that it may be given is all there is to say, and only of a new object.
    if (attribute.writeOnly) {
      if (isNull(before)) entries.push({ name, symbol: "+", head: "(write-only attribute)", body: [] });
      continue;
    }
    if (isNull(old) && isNull(next)) continue;
    const shown = attributeDiff(attribute)(old, next, [...path, { attribute: name }], depth, context);
    const always = depth === 1 && (name === "id" || name === "name" || name === "tags");
    if (shown.symbol === " " && !whole && !always && !context.everything) unchanged++;
    else entries.push({ name, ...ending(shown, context) });
  }
  return [...entryLines(entries, depth), ...hiddenLines(depth, unchanged, "attribute")];
}

function ending(shown: Shown, { style }: DiffContext): Shown {
  return shown.symbol === "-" ? withTail(shown, style.dim(" -> null")) : shown;
}

function attributeDiff({ nested }: AttributeSchema): ValueDiff {
  if (!nested) return valueDiff;
  const object = nestedObjectDiff(nested);
  if (nested.nesting === "single") return object;
  return (before, after, path, depth, context) => diffWith(object, before, after, path, depth, context);
}

/** What becomes of an object that is an attribute's value and has a schema of its own. */
function nestedObjectDiff({ attributes }: NestedAttributeSchema): ValueDiff {
  return (before, after, path, depth, context) => {
    const hidden = isHidden(before) || isHidden(after);
    if (hidden || !isKnown(before) || !isKnown(after)) return valueDiff(before, after, path, depth, context);
    const symbol = symbolOf(before, after);
    const forced = context.forces.has(formatPath(path)) ? ` ${context.style.red("# forces replacement")}` : "";
    const inside = attributeLines(attributes, before, after, path, depth + 1, context);
    if (inside.length === 0) return { symbol, head: `{}${forced}`, body: [] };
    return { symbol, head: `{${forced}`, body: [...inside, closingLine(depth, "}")] };
  };
}

function nestedBlocks(
  name: string,
  schema: NestedBlockSchema,
  before: Value,
  after: Value,
  path: Path,
  depth: number,
  context: DiffContext,
): { readonly lines: DiffLine[]; readonly unchanged: number } {
  const whole = symbolOf(before, after);
  if (isHidden(before) || isHidden(after)) {
    if (whole === " " && !context.everything) return { lines: [], unchanged: 1 };
    const content = noteLine(depth + 1, "(sensitive content)");
    return { lines: [{ depth, symbol: whole, text: `${name} {` }, content, closingLine(depth, "}")], unchanged: 0 };
  }
  if (!isKnown(after)) {
    const symbol: Symbol = blockPairs(schema, before, nullValue(before.type)).length > 0 ? "~" : "+";
    return { lines: [{ depth, symbol, text: `${name} ${context.style.dim("(known after apply)")}` }], unchanged: 0 };
  }
  const lines: DiffLine[] = [];
  let unchanged = 0;
  for (const { label, old, next, step } of blockPairs(schema, before, after)) {
    const symbol = symbolOf(old, next);
    if (symbol === " " && !context.everything) {
      unchanged++;
      continue;
    }
    const at: Path = step ? [...path, step] : path;
    const forced = context.forces.has(formatPath(at)) || context.forces.has(formatPath(path));
    const note = forced ? ` ${context.style.red("# forces replacement")}` : "";
    const inside = blockLines(old, next, schema.block, at, depth + 1, context);
    const header = `${name}${label === undefined ? "" : ` ${quoted(label)}`} {`;
    if (inside.length === 0) lines.push({ depth, symbol, text: `${header}}${note}` });
    else lines.push({ depth, symbol, text: `${header}${note}` }, ...inside, closingLine(depth, "}"));
  }
  return { lines, unchanged };
}

interface BlockPair {
  readonly label?: string;
  readonly old: Value;
  readonly next: Value;
  readonly step?: PathStep;
}

function blockPairs(schema: NestedBlockSchema, before: Value, after: Value): BlockPair[] {
  if (schema.nesting === "single" || schema.nesting === "group") {
    return isNull(before) && isNull(after) ? [] : [{ old: before, next: after }];
  }
  if (before.data instanceof Map || after.data instanceof Map) {
    const old = before.data instanceof Map ? asMap(before) : new Map<string, Value>();
    const next = after.data instanceof Map ? asMap(after) : new Map<string, Value>();
    return [...new Set([...old.keys(), ...next.keys()])].sort().map((label) => {
      const a = old.get(label) ?? nullValue(next.get(label)!.type);
      return { label, old: a, next: next.get(label) ?? nullValue(a.type), step: { index: stringValue(label) } };
    });
  }
  const old = Array.isArray(before.data) ? asArray(before) : [];
  const next = Array.isArray(after.data) ? asArray(after) : [];
  return alignSequences(old, next, rawEquals, schema.nesting === "list").map(({ from, to }) => {
    const a = from === undefined ? nullValue(next[to!]!.type) : old[from]!;
    const b = to === undefined ? nullValue(a.type) : next[to]!;
    const index = schema.nesting === "set" ? (isNull(b) ? a : b) : numberValue(to ?? from ?? 0);
    return { old: a, next: b, step: { index } };
  });
}

function member(object: Value, name: string): Value {
  if (object.data instanceof Map) return asMap(object).get(name) ?? nullOfMember(object, name);
  return nullOfMember(object, name);
}

function nullOfMember(object: Value, name: string): Value {
  const type = object.type.kind === "object" ? object.type.attributes.get(name) : undefined;
  return nullValue(type ?? { kind: "dynamic" });
}

function sortedEntries<T>(map: ReadonlyMap<string, T>): (readonly [string, T])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

import type { BlockSchema, NestedBlockSchema } from "@millwright/provider/schema";
import { rawEquals } from "@millwright/value/operations";
import type { Path, PathStep } from "@millwright/value/path";
import { formatPath } from "@millwright/value/path";
import type { Value } from "@millwright/value/value";
import {
  asArray,
  asMap,
  isKnown,
  isNull,
  nullValue,
  numberValue,
  sensitive,
  stringValue,
} from "@millwright/value/value";
import { align } from "./align.ts";
import { alignSequences } from "./sequences.ts";
import type { Style } from "./style.ts";
import { multilineDiff } from "./text-diff.ts";
import { literal, mapKey } from "./literal.ts";

/** What happens to one line: made, gone, changed, or as it was. */
export type Symbol = "+" | "-" | "~" | " " | "-/+" | "+/-" | "<=";

/** What all parts of one object's diff share. */
export interface DiffContext {
  readonly style: Style;
  /** Paths that force a replacement, as `formatPath` prints them. */
  readonly forces: ReadonlySet<string>;
  /** Shows what does not change as well: an object as it is. */
  readonly everything?: true;
}

/** One line of a diff: its depth below the resource, what happens to it, and its text. */
export interface DiffLine {
  readonly depth: number;
  readonly symbol: Symbol;
  readonly text: string;
  /** Set for a closing bracket, which stands under the text of its opening line. */
  readonly closing?: true;
}

/**
 * The lines inside a resource's braces: what changes, attribute by attribute, with what does not change counted and left out.
 * A null `before` is a new object, a null `after` one that goes.
 */
export function diffObject(before: Value, after: Value, schema: BlockSchema, context: DiffContext): DiffLine[] {
  return blockLines(before, after, schema, [], 1, context);
}

function blockLines(
  before: Value,
  after: Value,
  schema: BlockSchema,
  path: Path,
  depth: number,
  context: DiffContext,
): DiffLine[] {
  if (hidden(before) || hidden(after))
    return [
      note(depth, "At least one attribute in this block is (or was) sensitive, so its contents will not be displayed."),
    ];
  const attributes: Entry[] = [];
  let unchanged = 0;
  const whole = isNull(before) || isNull(after);
  for (const [name, attribute] of sortedEntries(schema.attributes)) {
    const [old, next] = [member(before, name), member(after, name)];
    const at: Path = [...path, { attribute: name }];
    if (isNull(old) && isNull(next) && !attribute.writeOnly) continue;
    if (attribute.writeOnly) {
      if (isNull(before) || isNull(after)) attributes.push({ name, ...writeOnly(isNull(after) ? "-" : "+") });
      continue;
    }
    const shown = valueDiff(old, next, at, depth, context);
    const always = depth === 1 && (name === "id" || name === "name" || name === "tags");
    if (shown.symbol === " " && !whole && !always && !context.everything) unchanged++;
    else attributes.push({ name, ...shown });
  }
  const lines = entryLines(attributes, depth);
  if (unchanged > 0) lines.push(note(depth, `(${unchanged} unchanged attribute${unchanged === 1 ? "" : "s"} hidden)`));
  let hiddenBlocks = 0;
  for (const [name, block] of sortedEntries(schema.blocks)) {
    const result = nestedBlocks(
      name,
      block,
      member(before, name),
      member(after, name),
      [...path, { attribute: name }],
      depth,
      context,
    );
    hiddenBlocks += result.unchanged;
    if (result.lines.length > 0) lines.push(blank, ...result.lines);
  }
  if (hiddenBlocks > 0)
    lines.push(blank, note(depth, `(${hiddenBlocks} unchanged block${hiddenBlocks === 1 ? "" : "s"} hidden)`));
  return lines;
}

const blank: DiffLine = { depth: 0, symbol: " ", text: "" };

function note(depth: number, text: string): DiffLine {
  return { depth, symbol: " ", text: `# ${text}` };
}

function writeOnly(symbol: Symbol): Shown {
  return { symbol, head: "(write-only attribute)", body: [] };
}

/** What becomes of one value that stands for itself: an output's. */
export function diffValue(before: Value, after: Value, context: DiffContext): Shown {
  return valueDiff(before, after, [], 0, context);
}

/** One name and what becomes of its value: `head` follows the equals sign, `body` are the lines below it. */
export interface Shown {
  readonly symbol: Symbol;
  readonly head: string;
  readonly body: readonly DiffLine[];
}

interface Entry extends Shown {
  readonly name: string;
}

function entryLines(entries: readonly Entry[], depth: number): DiffLine[] {
  const names = align(entries.map((entry) => entry.name));
  return entries.flatMap(({ symbol, head, body }, i) => [{ depth, symbol, text: `${names[i]!} = ${head}` }, ...body]);
}

function valueDiff(before: Value, after: Value, path: Path, depth: number, context: DiffContext): Shown {
  const forced = context.forces.has(formatPath(path)) ? ` ${context.style.red("# forces replacement")}` : "";
  const same = rawEquals(before, after);
  const symbol: Symbol = same ? " " : isNull(before) ? "+" : isNull(after) ? "-" : "~";
  const tail = symbol === "-" ? context.style.dim(" -> null") : "";
  const one = (head: string): Shown => ({ symbol, head: `${head}${forced}`, body: [] });
  if (hidden(before) || hidden(after)) return one(`(sensitive value)${tail}`);
  if (!isKnown(after)) {
    const unknown = context.style.dim("(known after apply)");
    return one(isNull(before) ? unknown : `${literal(before)} ${context.style.yellow("->")} ${unknown}`);
  }
  const bracket = bracketsOf(isNull(after) ? before : after);
  const comparable = isNull(before) || isNull(after) || bracketsOf(before) === bracketsOf(after);
  if (bracket && comparable) {
    const inside =
      bracket === "{"
        ? mapLines(before, after, path, depth + 1, context)
        : listLines(before, after, path, depth + 1, context);
    const [open, close] = bracket === "{" ? ["{", "}"] : ["[", "]"];
    if (inside.length === 0) return one(`${open}${close}${tail}`);
    return {
      symbol,
      head: `${open}${forced}`,
      body: [...inside, { depth, symbol: " ", text: `${close}${tail}`, closing: true }],
    };
  }
  const text = multilineDiff(before, after, symbol, depth, context.style);
  if (text) return { symbol, head: `${text.head}${forced}`, body: text.body };
  if (symbol === "~") return one(`${literal(before)} ${context.style.yellow("->")} ${literal(after)}`);
  return one(`${literal(symbol === "-" ? before : after)}${tail}`);
}

function hidden(value: Value): boolean {
  return value.marks.has(sensitive);
}

function bracketsOf(value: Value): "{" | "[" | undefined {
  if (value.data instanceof Map) return "{";
  return Array.isArray(value.data) ? "[" : undefined;
}

function mapLines(before: Value, after: Value, path: Path, depth: number, context: DiffContext): DiffLine[] {
  const old = before.data instanceof Map ? asMap(before) : new Map<string, Value>();
  const next = after.data instanceof Map ? asMap(after) : new Map<string, Value>();
  const isMap = (isNull(after) ? before : after).type.kind === "map";
  const entries: Entry[] = [];
  let unchanged = 0;
  for (const key of [...new Set([...old.keys(), ...next.keys()])].sort()) {
    const a = old.get(key) ?? nullValue(next.get(key)!.type);
    const b = next.get(key) ?? nullValue(a.type);
    if (!isMap && isNull(a) && isNull(b)) continue;
    const step: PathStep = isMap ? { index: stringValue(key) } : { attribute: key };
    const shown = valueDiff(a, b, [...path, step], depth, context);
    if (shown.symbol === " " && !isNull(before) && !isNull(after) && !context.everything) unchanged++;
    else entries.push({ name: isMap ? mapKey(key) : key, ...presence(shown, old.has(key), next.has(key), isMap) });
  }
  const lines = entryLines(entries, depth);
  if (unchanged > 0)
    lines.push(
      note(depth, `(${unchanged} unchanged ${isMap ? "element" : "attribute"}${unchanged === 1 ? "" : "s"} hidden)`),
    );
  return lines;
}

// A map's element may be null and there, or not there at all: it is its key that comes and goes.
function presence(shown: Shown, was: boolean, is: boolean, isMap: boolean): Shown {
  if (!isMap || was === is) return shown;
  return { ...shown, symbol: was ? "-" : "+" };
}

function listLines(before: Value, after: Value, path: Path, depth: number, context: DiffContext): DiffLine[] {
  const old = Array.isArray(before.data) ? asArray(before) : [];
  const next = Array.isArray(after.data) ? asArray(after) : [];
  const lines: DiffLine[] = [];
  const isSet = (isNull(after) ? before : after).type.kind === "set";
  let run = 0;
  const flush = () => {
    if (run > 0) lines.push(note(depth, `(${run} unchanged element${run === 1 ? "" : "s"} hidden)`));
    run = 0;
  };
  for (const { from, to } of alignSequences(old, next, rawEquals, !isSet)) {
    const a = from === undefined ? undefined : old[from]!;
    const b = to === undefined ? undefined : next[to]!;
    const index = to ?? from ?? 0;
    const shown = valueDiff(
      a ?? nullValue(b!.type),
      b ?? nullValue(a!.type),
      [...path, { index: numberValue(index) }],
      depth,
      context,
    );
    if (a && b && shown.symbol === " " && !context.everything) {
      run++;
      continue;
    }
    flush();
    const symbol: Symbol = !a ? "+" : !b ? "-" : shown.symbol;
    const closing = shown.body.at(-1)?.closing
      ? { ...shown.body.at(-1)!, text: `${shown.body.at(-1)!.text.replace(/ -> null$/, "")},` }
      : undefined;
    if (closing) lines.push({ depth, symbol, text: shown.head }, ...shown.body.slice(0, -1), closing);
    else lines.push({ depth, symbol, text: `${shown.head.replace(/ -> null$/, "")},` }, ...shown.body);
  }
  flush();
  return lines;
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
  if (hidden(before) || hidden(after)) {
    const text = `${name} {`;
    const symbol: Symbol = isNull(before) ? "+" : isNull(after) ? "-" : "~";
    return {
      lines: [
        { depth, symbol, text },
        note(
          depth + 1,
          "At least one attribute in this block is (or was) sensitive, so its contents will not be displayed.",
        ),
        close(depth),
      ],
      unchanged: 0,
    };
  }
  if (!isKnown(after)) return { lines: [{ depth, symbol: "+", text: `${name} (known after apply)` }], unchanged: 0 };
  const lines: DiffLine[] = [];
  let unchanged = 0;
  for (const { label, old, next, step } of blockPairs(schema, before, after)) {
    if (rawEquals(old, next) && !context.everything) {
      unchanged++;
      continue;
    }
    const at: Path = step ? [...path, step] : path;
    const symbol: Symbol = isNull(old) ? "+" : isNull(next) ? "-" : rawEquals(old, next) ? " " : "~";
    const forced = context.forces.has(formatPath(at)) ? ` ${context.style.red("# forces replacement")}` : "";
    const header = `${name}${label === undefined ? "" : ` ${JSON.stringify(label)}`} {${forced}`;
    lines.push(
      { depth, symbol, text: header },
      ...blockLines(old, next, schema.block, at, depth + 1, context),
      close(depth),
    );
  }
  return { lines, unchanged };
}

function close(depth: number): DiffLine {
  return { depth, symbol: " ", text: "}", closing: true };
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
    return { old: a, next: b, step: { index: numberValue(to ?? from ?? 0) } };
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

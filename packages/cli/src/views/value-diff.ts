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
  unmarkDeep,
} from "@millwright/value/value";
import { jsonDiff } from "./json-diff.ts";
import type { DiffContext, DiffLine, Entry, Shown, Symbol } from "./lines.ts";
import { arrow, closingLine, entryLines, hiddenLines } from "./lines.ts";
import { literal, mapKey, objectKey } from "./literal.ts";
import { alignSequences } from "./sequences.ts";
import { multilineDiff } from "./text-diff.ts";

/** Shows what becomes of one value. Null on one side is a value that comes or goes. */
export type ValueDiff = (before: Value, after: Value, path: Path, depth: number, context: DiffContext) => Shown;

/** What becomes of a value whose parts have no schema of their own. */
export const valueDiff: ValueDiff = (before, after, path, depth, context) =>
  diffWith(valueDiff, before, after, path, depth, context);

/** What becomes of a value, with the elements of its lists, sets and maps shown by `element`. */
export function diffWith(
  element: ValueDiff,
  before: Value,
  after: Value,
  path: Path,
  depth: number,
  context: DiffContext,
): Shown {
  const shown = contents(element, before, after, path, depth, context);
  if (!context.forces.has(formatPath(path))) return shown;
  return { ...shown, head: `${shown.head} ${context.style.red("# forces replacement")}` };
}

function contents(
  element: ValueDiff,
  before: Value,
  after: Value,
  path: Path,
  depth: number,
  context: DiffContext,
): Shown {
  const symbol = symbolOf(before, after);
  if (isHidden(before) || isHidden(after)) return hiddenDiff(before, after, symbol, context);
  const { style } = context;
  const gone = (): Shown => contents(element, before, nullValue(before.type), path, depth, context);
  if (!isKnown(after)) {
    const unknown: Shown = { symbol: "+", head: style.dim("(known after apply)"), body: [] };
    return isNull(before) ? unknown : arrow(gone(), unknown, style);
  }
  const [old, next] = [shapeOf(before), shapeOf(after)];
  if (old !== undefined && next !== undefined && old !== next) {
    return arrow(gone(), contents(element, nullValue(after.type), after, path, depth, context), style);
  }
  switch (next ?? old) {
    case "map":
      return bracketed("{", mapLines(element, before, after, path, depth + 1, context), "}", symbol, depth);
    case "list":
      return bracketed("[", listLines(element, before, after, path, depth + 1, context), "]", symbol, depth);
    default:
      return scalarDiff(before, after, symbol, depth, context);
  }
}

function scalarDiff(before: Value, after: Value, symbol: Symbol, depth: number, context: DiffContext): Shown {
  const text =
    jsonDiff(
      before,
      after,
      symbol,
      depth,
      (a, b, d) => valueDiff(a, b, [], d, { ...context, forces: none }),
      context,
    ) ?? multilineDiff(before, after, symbol, depth, context.style);
  if (text) return text;
  if (symbol === "~") {
    const head = `${literal(before)} ${context.style.yellow("->")} ${literal(after)}`;
    return { symbol, head, body: [] };
  }
  return { symbol, head: literal(symbol === "-" ? before : after), body: [] };
}

const none: ReadonlySet<string> = new Set();

/** What happens to a value, the marks on it included. */
export function symbolOf(before: Value, after: Value): Symbol {
  if (rawEquals(before, after)) return " ";
  return isNull(before) ? "+" : isNull(after) ? "-" : "~";
}

/** Whether nothing of a value may be shown. */
export function isHidden(value: Value): boolean {
  return value.marks.has(sensitive);
}

// What only becomes sensitive, or stops being so, is a change of the state and of nothing else.
function hiddenDiff(before: Value, after: Value, symbol: Symbol, { style }: DiffContext): Shown {
  const shown: Shown = { symbol, head: "(sensitive value)", body: [] };
  if (symbol !== "~" || isHidden(before) === isHidden(after) || !isKnown(after)) return shown;
  const note = isHidden(after) ? "becomes sensitive" : "is no longer sensitive";
  const same = rawEquals(unmarkDeep(before)[0], unmarkDeep(after)[0]) ? ", with the same value" : "";
  return { ...shown, head: `${shown.head} ${style.dim(`# ${note}${same}`)}` };
}

function shapeOf(value: Value): "map" | "list" | "scalar" | undefined {
  if (isNull(value) || !isKnown(value)) return undefined;
  if (value.data instanceof Map) return "map";
  return Array.isArray(value.data) ? "list" : "scalar";
}

function bracketed(open: string, inside: readonly DiffLine[], close: string, symbol: Symbol, depth: number): Shown {
  if (inside.length === 0) return { symbol, head: `${open}${close}`, body: [] };
  return { symbol, head: open, body: [...inside, closingLine(depth, close)] };
}

function mapLines(
  element: ValueDiff,
  before: Value,
  after: Value,
  path: Path,
  depth: number,
  context: DiffContext,
): DiffLine[] {
  const old = mapOf(before);
  const next = mapOf(after);
  const isMap = (isNull(after) ? before : after).type.kind === "map";
  const entries: Entry[] = [];
  let unchanged = 0;
  for (const key of [...new Set([...old.keys(), ...next.keys()])].sort()) {
    const a = old.get(key) ?? nullValue(next.get(key)!.type);
    const b = next.get(key) ?? nullValue(a.type);
    const step: PathStep = isMap ? { index: stringValue(key) } : { attribute: key };
    const shown = presence(element(a, b, [...path, step], depth, context), old.has(key), next.has(key));
    if (shown.symbol === " " && !context.everything) unchanged++;
    else entries.push({ name: isMap ? mapKey(key) : objectKey(key), ...shown });
  }
  return [...entryLines(entries, depth), ...hiddenLines(depth, unchanged, isMap ? "element" : "attribute")];
}

function mapOf(value: Value): ReadonlyMap<string, Value> {
  return value.data instanceof Map ? asMap(value) : new Map();
}

// A member may be null and there, or not there at all: it is its key that comes and goes.
function presence(shown: Shown, was: boolean, is: boolean): Shown {
  if (was === is) return shown;
  return { ...shown, symbol: was ? "-" : "+" };
}

function listLines(
  element: ValueDiff,
  before: Value,
  after: Value,
  path: Path,
  depth: number,
  context: DiffContext,
): DiffLine[] {
  const old = Array.isArray(before.data) ? asArray(before) : [];
  const next = Array.isArray(after.data) ? asArray(after) : [];
  const isSet = (isNull(after) ? before : after).type.kind === "set";
  const rows = alignSequences(old, next, rawEquals, !isSet);
  const changed = rows.map(
    ({ from, to }) => from === undefined || to === undefined || !rawEquals(old[from]!, next[to]!),
  );
  const lines: DiffLine[] = [];
  let run = 0;
  for (const [i, { from, to }] of rows.entries()) {
    const a = from === undefined ? nullValue(next[to!]!.type) : old[from]!;
    const b = to === undefined ? nullValue(a.type) : next[to]!;
    const step: PathStep = { index: isSet ? (isNull(b) ? a : b) : numberValue(to ?? from ?? 0) };
    const shown = element(a, b, [...path, step], depth, context);
    // One neighbour on each side of a change says where in the list it is; a set has no places.
    const neighbour = !isSet && shown.body.length === 0 && changed.slice(Math.max(0, i - 1), i + 2).includes(true);
    if (!changed[i] && !context.everything && !neighbour) {
      run++;
      continue;
    }
    lines.push(...hiddenLines(depth, run, "element"));
    run = 0;
    const symbol: Symbol = from === undefined ? "+" : to === undefined ? "-" : shown.symbol;
    const { head, body } = commaAfter(shown);
    lines.push({ depth, symbol, text: head }, ...body);
  }
  return [...lines, ...hiddenLines(depth, run, "element")];
}

// The comma stands before a remark, so that the line still reads as an element.
function commaAfter(shown: Shown): Shown {
  const last = shown.body.at(-1);
  if (last) return { ...shown, body: [...shown.body.slice(0, -1), { ...last, text: `${last.text},` }] };
  return { ...shown, head: `${shown.head},` };
}

import { isNull, type Value } from "@millwright/value/value";
import type { DiffLine, Shown, Symbol } from "./lines.ts";
import { closingLine, hiddenLines, noteLine } from "./lines.ts";
import { escapeControls } from "./literal.ts";
import { alignSequences } from "./sequences.ts";
import type { Style } from "./style.ts";

/**
 * Texts of several lines, as a here document in which changed lines are marked; undefined where neither side is one.
 * Unchanged lines far from a change are counted and left out.
 */
export function multilineDiff(
  before: Value,
  after: Value,
  symbol: Symbol,
  depth: number,
  style: Style,
): Shown | undefined {
  const old = linesOf(before);
  const next = linesOf(after);
  if (!old || !next || (!old.several && !next.several)) return undefined;
  const body = [...changedLines(old.lines, next.lines, symbol, depth + 1)];
  if (symbol === "~" && old.lines.length > 0 && old.ended !== next.ended) {
    const what = next.ended ? "the text ends with a new line now" : "the text no longer ends with a new line";
    body.push(noteLine(depth + 1, `(${what})`));
  }
  const marker = style.dim((next.lines.length > 0 ? next : old).ended ? "" : " # without a new line at the end");
  return { symbol, head: `<<-EOT${symbol === "~" ? "" : marker}`, body: [...body, closingLine(depth, "EOT")] };
}

function* changedLines(
  old: readonly string[],
  next: readonly string[],
  symbol: Symbol,
  depth: number,
): Generator<DiffLine> {
  const rows = alignSequences(old, next, (a, b) => a === b, false);
  const changed = rows.map(({ from, to }) => from === undefined || to === undefined);
  let skipped = 0;
  for (const [i, { from, to }] of rows.entries()) {
    if (symbol === "~" && !changed.slice(Math.max(0, i - 3), i + 4).includes(true)) {
      skipped++;
      continue;
    }
    yield* hiddenLines(depth, skipped, "line");
    skipped = 0;
    const mark: Symbol = symbol !== "~" ? " " : from === undefined ? "+" : to === undefined ? "-" : " ";
    yield { depth, symbol: mark, text: escapeControls((to === undefined ? old[from!] : next[to]) ?? "") };
  }
  yield* hiddenLines(depth, skipped, "line");
}

interface Lines {
  readonly lines: readonly string[];
  readonly several: boolean;
  readonly ended: boolean;
}

function linesOf(value: Value): Lines | undefined {
  if (isNull(value)) return { lines: [], several: false, ended: false };
  if (typeof value.data !== "string") return undefined;
  const lines = value.data.split("\n");
  const ended = lines.length > 1 && lines.at(-1) === "";
  if (ended) lines.pop();
  return { lines, several: value.data.includes("\n"), ended };
}

import { isNull, type Value } from "@millwright/value/value";
import type { DiffLine, Symbol } from "./diff.ts";
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
): { readonly head: string; readonly body: readonly DiffLine[] } | undefined {
  const old = linesOf(before);
  const next = linesOf(after);
  if (!old || !next || (old.length < 2 && next.length < 2)) return undefined;
  const tail = symbol === "-" ? style.dim(" -> null") : "";
  const lines: DiffLine[] = [];
  const aligned = alignSequences(old, next, (a, b) => a === b, false);
  const changed = aligned.map(({ from, to }) => from === undefined || to === undefined);
  let skipped = 0;
  aligned.forEach(({ from, to }, i) => {
    const near = symbol !== "~" || changed.slice(Math.max(0, i - 3), i + 4).includes(true);
    if (!near) {
      skipped++;
      return;
    }
    if (skipped > 0)
      lines.push({
        depth: depth + 1,
        symbol: " ",
        text: style.dim(`# (${skipped} unchanged line${skipped === 1 ? "" : "s"} hidden)`),
      });
    skipped = 0;
    const mark: Symbol = symbol !== "~" ? " " : from === undefined ? "+" : to === undefined ? "-" : " ";
    lines.push({ depth: depth + 1, symbol: mark, text: (to === undefined ? old[from!] : next[to]) ?? "" });
  });
  if (skipped > 0)
    lines.push({
      depth: depth + 1,
      symbol: " ",
      text: style.dim(`# (${skipped} unchanged line${skipped === 1 ? "" : "s"} hidden)`),
    });
  return { head: "<<-EOT", body: [...lines, { depth, symbol: " ", text: `EOT${tail}`, closing: true }] };
}

function linesOf(value: Value): string[] | undefined {
  if (isNull(value)) return [];
  if (typeof value.data !== "string") return undefined;
  const lines = value.data.split("\n");
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  return value.data.includes("\n") ? [...lines, ...(lines.length === 1 ? [""] : [])] : lines;
}

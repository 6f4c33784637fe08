import { clustersOf } from "@millwright/core/clusters";
import type { Piece, TextPiece } from "./template-pieces.ts";
import { isWhiteSpace } from "./white-space.ts";

/**
 * Takes the indentation that all lines of a `<<-` heredoc share away from each of them. Only text counts, not what an
 * interpolation gives; a line of nothing but white space does not count, and one that begins with a sequence has none.
 */
export function removeIndentation(pieces: readonly Piece[]): void {
  const indented: TextPiece[] = [];
  let shared = Number.POSITIVE_INFINITY;
  let atLineStart = true;
  for (const piece of pieces) {
    if (piece.kind !== "text") {
      if (atLineStart) shared = 0;
      atLineStart = false;
      continue;
    }
    const endsLine = piece.value.endsWith("\n");
    if (atLineStart) {
      const spaces = leadingWhiteSpace(piece.value);
      if (spaces < piece.value.length || !endsLine) {
        shared = Math.min(shared, graphemeCount(piece.value.slice(0, spaces)));
        indented.push(piece);
      }
    }
    atLineStart = endsLine;
  }
  if (shared === 0) return;
  for (const piece of indented) {
    const cut = graphemesLength(piece.value, shared);
    piece.value = piece.value.slice(cut);
    piece.start += cut;
  }
}

function leadingWhiteSpace(text: string): number {
  let i = 0;
  while (i < text.length && isWhiteSpace(text.charCodeAt(i))) i++;
  return i;
}

function graphemeCount(whiteSpace: string): number {
  if (/^[ \t]*$/.test(whiteSpace)) return whiteSpace.length;
  return [...clustersOf(whiteSpace)].length;
}

/** How many units the first `count` graphemes of a text take that begins with as many of white space. */
function graphemesLength(text: string, count: number): number {
  // A character that combines with the last space would be taken away with it, as the reference does.
  if (/^[ \t]*$/.test(text.slice(0, count)) && !(text.charCodeAt(count) >= 0x300)) return count;
  let length = 0;
  for (const { segment } of clustersOf(text)) {
    if (count-- === 0) break;
    length += segment.length;
  }
  return length;
}

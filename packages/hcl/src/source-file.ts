import type { Position, SourceRange } from "@millwright/core/source";

/**
 * A source text with its name, and the way from UTF-16 offsets to {@link Position}s.
 * `firstPosition` is where the text begins in a larger file (1,1,0 for a file of its own).
 */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
  position(offset: number): Position;
}

/** The line, column and byte range of a node. */
export function rangeOf(node: { readonly file: SourceFile; readonly start: number; readonly end: number }): SourceRange {
  return { filename: node.file.name, start: node.file.position(node.start), end: node.file.position(node.end) };
}

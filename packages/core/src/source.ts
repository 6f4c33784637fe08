/**
 * A place in a source text, as HCL counts it.
 *
 * `line` and `column` start at 1; `column` counts grapheme clusters (Unicode UAX 29); `byte` starts at 0 and counts
 * UTF-8 bytes from the start of the file.
 */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly byte: number;
}

/** A half-open stretch of one source file: `start` is inside, `end` is the first position behind it. */
export interface SourceRange {
  readonly filename: string;
  readonly start: Position;
  readonly end: Position;
}

/** The first position of any file. */
export const startOfFile: Position = { line: 1, column: 1, byte: 0 };

/** The empty range at the very start of a file; for faults that belong to a whole file. */
export function wholeFile(filename: string): SourceRange {
  return { filename, start: startOfFile, end: startOfFile };
}

/** `main.tf:3,5-12` (one line) or `main.tf:3,5-4,2`, the form the reference prints. */
export function formatRange(range: SourceRange): string {
  const { filename, start, end } = range;
  if (start.line === end.line) return `${filename}:${start.line},${start.column}-${end.column}`;
  return `${filename}:${start.line},${start.column}-${end.line},${end.column}`;
}

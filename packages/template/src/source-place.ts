import type { Position, SourceRange } from "@millwright/core/source";
import { countGraphemes } from "@millwright/text/graphemes";
import type { TemplateSource } from "./template.ts";

/** The range between two UTF-16 offsets of a source. */
export function rangeIn(source: TemplateSource, start: number, end: number): SourceRange {
  return { filename: source.filename, start: positionAt(source.text, start), end: positionAt(source.text, end) };
}

/** A place as Go's messages write it: `name:line:column`, the column in bytes and from zero. */
export function placeAt({ name, text }: TemplateSource, at: number): string {
  const lineStart = lineStartBefore(text, at);
  return `${name}:${lineNumber(text, lineStart)}:${Buffer.byteLength(text.slice(lineStart, at))}`;
}

function positionAt(text: string, at: number): Position {
  const lineStart = lineStartBefore(text, at);
  return {
    line: lineNumber(text, lineStart),
    column: countGraphemes(text.slice(lineStart, at)) + 1,
    byte: Buffer.byteLength(text.slice(0, at)),
  };
}

function lineNumber(text: string, lineStart: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < lineStart; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

function lineStartBefore(text: string, at: number): number {
  return at === 0 ? 0 : text.lastIndexOf("\n", at - 1) + 1;
}

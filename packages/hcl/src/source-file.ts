import { isAscii, isUtf8 } from "node:buffer";
import { clustersOf } from "@millwright/core/clusters";
import type { Position, SourceRange } from "@millwright/core/source";
import { startOfFile } from "@millwright/core/source";

/**
 * A source text with its name, and the way from UTF-16 offsets to {@link Position}s.
 *
 * A byte order mark is not part of `text`, but counts in `byte` (as in the reference). A byte that is not UTF-8 stands in
 * `text` as U+FFFD, and its offset in `brokenBytes`.
 */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
  /** Whether a UTF-8 byte order mark stands before `text`. */
  readonly byteOrderMark: boolean;
  /** Offsets in `text` of characters that stand for one byte which is not UTF-8, ascending. */
  readonly brokenBytes: readonly number[];
  position(offset: number): Position;
}

/**
 * A source file from its bytes or its text. `firstPosition` is where the text begins in a larger file.
 * Nothing is counted until a position is asked for; a lone surrogate in a string becomes U+FFFD.
 */
export function sourceFile(
  name: string,
  source: string | Uint8Array,
  firstPosition: Position = startOfFile,
): SourceFile {
  if (typeof source === "string") {
    const byteOrderMark = source.charCodeAt(0) === 0xfeff;
    const text = byteOrderMark ? source.slice(1) : source;
    return new CountedFile(name, text.isWellFormed() ? text : text.toWellFormed(), byteOrderMark, [], firstPosition);
  }
  const byteOrderMark = source[0] === 0xef && source[1] === 0xbb && source[2] === 0xbf;
  const bytes = byteOrderMark ? source.subarray(3) : source;
  if (isUtf8(bytes)) return new CountedFile(name, utf8Text(bytes), byteOrderMark, [], firstPosition);
  const { text, brokenBytes } = decodeBroken(bytes);
  return new CountedFile(name, text, byteOrderMark, brokenBytes, firstPosition);
}

/**
 * A text that was taken out of `outer` and perhaps changed on the way (a JSON string's content): positions are those of
 * the place in `outer` that `outerOffset` gives.
 */
export function embeddedFile(outer: SourceFile, text: string, outerOffset: (offset: number) => number): SourceFile {
  return {
    name: outer.name,
    text,
    byteOrderMark: false,
    brokenBytes: [],
    position: (offset) => outer.position(outerOffset(offset)),
  };
}

/** The line, column and byte range of a node. */
export function rangeOf(node: {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
}): SourceRange {
  return { filename: node.file.name, start: node.file.position(node.start), end: node.file.position(node.end) };
}

/** The range between two offsets of a file. */
export function rangeBetween(file: SourceFile, start: number, end: number): SourceRange {
  return { filename: file.name, start: file.position(start), end: file.position(end) };
}

const newline = 0x0a;
const checkpointShift = 8;
/** Below this no character joins with its neighbour into one grapheme cluster (but for CR LF, which ends a line). */
const firstCombining = 0x300;

class CountedFile implements SourceFile {
  readonly name: string;
  readonly text: string;
  readonly byteOrderMark: boolean;
  readonly brokenBytes: readonly number[];
  readonly #first: Position;
  #lineStarts: Uint32Array | undefined;
  /** The byte of every 256th offset; undefined where each character is one byte. */
  #checkpoints: Uint32Array | undefined;
  /** Where the clusters of a line start, for lines that need it and were asked for; null where each unit is one. */
  readonly #clusters = new Map<number, Uint32Array | null>();

  constructor(name: string, text: string, byteOrderMark: boolean, brokenBytes: readonly number[], first: Position) {
    this.name = name;
    this.text = text;
    this.byteOrderMark = byteOrderMark;
    this.brokenBytes = brokenBytes;
    this.#first = byteOrderMark ? { ...first, byte: first.byte + 3 } : first;
  }

  position(offset: number): Position {
    const lineStarts = this.#lines();
    const index = lastAtMost(lineStarts, offset);
    const column = this.#column(index, lineStarts, offset);
    const first = this.#first;
    return {
      line: first.line + index,
      column: index === 0 ? first.column + column : 1 + column,
      byte: first.byte + this.#byte(offset),
    };
  }

  #lines(): Uint32Array {
    if (this.#lineStarts) return this.#lineStarts;
    const { text } = this;
    const starts = [0];
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
    this.#lineStarts = Uint32Array.from(starts);
    if (/[^\0-\x7f]/.test(text)) this.#checkpoints = byteCheckpoints(text, this.brokenBytes);
    return this.#lineStarts;
  }

  #byte(offset: number): number {
    const checkpoints = this.#checkpoints;
    if (!checkpoints) return offset;
    const checkpoint = offset >>> checkpointShift;
    const from = checkpoint << checkpointShift;
    return (
      checkpoints[checkpoint]! + byteLength(this.text, from, offset) - 2 * brokenWithin(this.brokenBytes, from, offset)
    );
  }

  #column(line: number, lineStarts: Uint32Array, offset: number): number {
    const start = lineStarts[line]!;
    if (!this.#checkpoints) return offset - start;
    let clusters = this.#clusters.get(line);
    if (clusters === undefined) {
      clusters = clusterStarts(this.text.slice(start, lineStarts[line + 1] ?? this.text.length));
      this.#clusters.set(line, clusters);
    }
    return clusters ? lastAtMost(clusters, offset - start - 1) + 1 : offset - start;
  }
}

function utf8Text(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString(isAscii(bytes) ? "latin1" : "utf8");
}

/** Takes each byte that no UTF-8 sequence holds as a character of its own. */
function decodeBroken(bytes: Uint8Array): { text: string; brokenBytes: number[] } {
  const brokenBytes: number[] = [];
  const pieces: string[] = [];
  let length = 0;
  let runStart = 0;
  const endRun = (end: number) => {
    if (end === runStart) return;
    const run = utf8Text(bytes.subarray(runStart, end));
    pieces.push(run);
    length += run.length;
  };
  let i = 0;
  while (i < bytes.length) {
    const width = sequenceLength(bytes, i);
    if (width > 0) {
      i += width;
      continue;
    }
    endRun(i);
    brokenBytes.push(length);
    pieces.push("\ufffd");
    length++;
    i++;
    runStart = i;
  }
  endRun(i);
  return { text: pieces.join(""), brokenBytes };
}

/** How many bytes the UTF-8 sequence at `i` has; 0 where there is none (overlong forms and surrogates included). */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const lead = bytes[i]!;
  if (lead < 0x80) return 1;
  const width = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || i + width > bytes.length) return 0;
  return isUtf8(bytes.subarray(i, i + width)) ? width : 0;
}

function byteCheckpoints(text: string, brokenBytes: readonly number[]): Uint32Array {
  const step = 1 << checkpointShift;
  const checkpoints = new Uint32Array((text.length >>> checkpointShift) + 1);
  let bytes = 0;
  let broken = 0;
  for (let i = 1; i < checkpoints.length; i++) {
    const end = i * step;
    bytes += byteLength(text, end - step, end);
    while (broken < brokenBytes.length && brokenBytes[broken]! < end) {
      bytes -= 2;
      broken++;
    }
    checkpoints[i] = bytes;
  }
  return checkpoints;
}

/** UTF-8 bytes between two offsets. Each half of a surrogate pair counts two, so that the sum holds at any cut. */
function byteLength(text: string, start: number, end: number): number {
  let bytes = end - start;
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

function brokenWithin(brokenBytes: readonly number[], start: number, end: number): number {
  if (brokenBytes.length === 0) return 0;
  return lastAtMost(brokenBytes, end - 1) - lastAtMost(brokenBytes, start - 1);
}

function clusterStarts(line: string): Uint32Array | null {
  let i = 0;
  while (i < line.length && line.charCodeAt(i) < firstCombining) i++;
  if (i === line.length) return null;
  return Uint32Array.from(
    clustersOf(line.charCodeAt(line.length - 1) === newline ? line.slice(0, -1) : line),
    (s) => s.index,
  );
}

/** The index of the last element that is at most `value`, in an ascending list; -1 where there is none. */
function lastAtMost(ascending: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

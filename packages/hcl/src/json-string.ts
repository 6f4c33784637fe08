import type { Expression } from "./ast.ts";
import type { Span } from "./cursor.ts";
import { parseTemplate } from "./parse.ts";
import type { SourceFile } from "./source-file.ts";
import { embeddedFile } from "./source-file.ts";

export interface DecodedString {
  readonly text: string;
  /** The offset behind the closing quote, or where the string stops to be one. */
  readonly end: number;
  readonly hasEscapes: boolean;
  readonly closed: boolean;
  readonly faults: readonly StringFault[];
}

export interface StringFault {
  readonly subject: Span;
  readonly detail: string;
}

const quote = 0x22;
const backslash = 0x5c;

/** What the JSON string stands for whose opening quote is at `start`. */
export function decodeJsonString(source: string, start: number): DecodedString {
  let i = start + 1;
  let hasEscapes = false;
  for (; i < source.length; i++) {
    const c = source.charCodeAt(i);
    if (c === quote || c < 0x20) break;
    if (c === backslash) {
      hasEscapes = true;
      if (source.charCodeAt(i + 1) >= 0x20) i++;
    }
  }
  const raw = Math.min(i, source.length);
  const closed = source.charCodeAt(raw) === quote;
  const end = closed ? raw + 1 : raw;
  const faults: StringFault[] = [];
  const text = hasEscapes ? unescape(source, start + 1, raw, faults) : source.slice(start + 1, raw);
  if (!closed) faults.push({ subject: { start, end }, detail: whyUnclosed(raw < source.length) });
  return { text, end, hasEscapes, closed, faults };
}

function whyUnclosed(atControlCharacter: boolean): string {
  if (!atControlCharacter) return 'The closing quote (") of this string is missing.';
  return 'This string is not closed on its line. Perhaps its closing quote (") is missing; a newline in it is written \\n, a tab \\t.';
}

/**
 * The text of a string as a template, whose positions are those inside of the string in `file`, escapes accounted for. A
 * template with faults is an invalid expression that holds them.
 */
export function templateInString(file: SourceFile, place: Span, text: string, hasEscapes: boolean): Expression {
  const first = place.start + 1;
  let offsets: Uint32Array | undefined;
  const inner = embeddedFile(file, text, (offset) => {
    if (!hasEscapes) return first + offset;
    offsets ??= sourceOffsets(file.text, first, text.length);
    return offsets[offset]!;
  });
  const { value, diagnostics } = parseTemplate(inner);
  return diagnostics.length === 0 ? value : { kind: "invalid", file, ...place, diagnostics };
}

function unescape(source: string, start: number, end: number, faults: StringFault[]): string {
  const raw = source.slice(start, end);
  let text = "";
  let from = 0;
  for (let at = raw.indexOf("\\"); at >= 0; at = raw.indexOf("\\", from)) {
    text += raw.slice(from, at);
    const { value, length } = readEscape(source, start + at, end, faults);
    text += value;
    from = at + length;
  }
  return (text + raw.slice(from)).toWellFormed();
}

interface Escape {
  readonly value: string;
  readonly length: number;
}

const simpleEscapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

function readEscape(source: string, at: number, end: number, faults: StringFault[]): Escape {
  const selector = at + 1 < end ? String.fromCodePoint(source.codePointAt(at + 1)!) : "";
  const simple = simpleEscapes.get(selector);
  if (simple !== undefined) return { value: simple, length: 2 };
  if (selector === "u") {
    const digits = /^[0-9a-fA-F]{0,4}/.exec(source.slice(at + 2, Math.min(end, at + 6)))?.[0] ?? "";
    const length = 2 + digits.length;
    if (digits.length === 4) return { value: String.fromCharCode(Number.parseInt(digits, 16)), length };
    const detail = "The escape \\u takes exactly four hexadecimal digits.";
    faults.push({ subject: { start: at, end: at + length }, detail });
    return { value: source.slice(at, at + length), length };
  }
  const length = 1 + selector.length;
  const detail =
    'JSON has no such escape. Its escapes are \\", \\\\, \\/, \\b, \\f, \\n, \\r, \\t and \\uNNNN; write \\\\ for a backslash.';
  faults.push({ subject: { start: at, end: at + length }, detail });
  return { value: selector, length };
}

/** Where each unit of a decoded string, and its end, is in the source; `first` is the offset behind the opening quote. */
function sourceOffsets(source: string, first: number, length: number): Uint32Array {
  const offsets = new Uint32Array(length + 1);
  let at = first;
  for (let i = 0; i < length; ) {
    const escape = source.charCodeAt(at) === backslash ? readEscape(source, at, source.length, []) : undefined;
    const units = escape ? escape.value.length : 1;
    for (let unit = 0; unit < units; unit++) offsets[i++] = at;
    at += escape ? escape.length : 1;
  }
  offsets[length] = at;
  return offsets;
}

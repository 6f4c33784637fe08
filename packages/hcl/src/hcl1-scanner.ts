import type { SourceFile } from "./source-file.ts";

/** What a token of HCL 1 is. Comments and white space, newlines included, are between tokens. */
export type Hcl1TokenKind =
  | "end"
  | "identifier"
  | "string"
  | "heredoc"
  | "number"
  | "boolean"
  | "assign"
  | "comma"
  | "openBrace"
  | "closeBrace"
  | "openBracket"
  | "closeBracket"
  | "invalid";

export interface Hcl1Token {
  readonly kind: Hcl1TokenKind;
  readonly start: number;
  readonly end: number;
  /** Whether a line ended between the token before and this one. */
  readonly isFirstOnLine: boolean;
}

/** Is told what is wrong with a token, at its place. */
export type TellFault = (summary: string, detail: string, start: number, end: number) => void;

const identifier = /[\p{L}_][\p{L}\p{Nd}_.-]*/uy;
/** A number takes what follows it of letters, digits and dots, so that a wrong one is a single token. */
const number = /(?:-?[0-9]|\.[0-9])(?:[0-9A-Za-z_.]|(?<=[eE])[+-])*/y;
const integer = /^-?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/;
const fraction = /^-?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)$/;
const heredocOpening = /<<(-?)([\p{L}\p{Nd}_]+)\r?\n/uy;

const symbols: ReadonlyMap<string, Hcl1TokenKind> = new Map([
  ["=", "assign"],
  [",", "comma"],
  ["{", "openBrace"],
  ["}", "closeBrace"],
  ["[", "openBracket"],
  ["]", "closeBracket"],
]);

/**
 * Splits a text into tokens of HCL 1, the grammar of these tools before 2019. Takes any text, in time linear in its
 * length; what is not of the grammar becomes `invalid` tokens, and is told.
 */
export class Hcl1Scanner {
  readonly #text: string;
  readonly #broken: ReadonlySet<number>;
  readonly #tell: TellFault;
  #at = 0;
  /** Set once an interpolation ran to the end of the file, so that not every string after it is searched that far. */
  #lostBrace = false;

  constructor(file: SourceFile, tell: TellFault) {
    this.#text = file.text;
    this.#broken = new Set(file.brokenBytes);
    this.#tell = tell;
  }

  next(): Hcl1Token {
    const isFirstOnLine = this.#skipSpace();
    const start = this.#at;
    const kind = start >= this.#text.length ? "end" : this.#token(start);
    return { kind, start, end: this.#at, isFirstOnLine };
  }

  /** Goes past spaces, newlines and comments; says whether a newline was among them. */
  #skipSpace(): boolean {
    const text = this.#text;
    let sawNewline = this.#at === 0;
    for (; this.#at < text.length; this.#at++) {
      const c = text[this.#at]!;
      if (c === "\n") sawNewline = true;
      else if (c === "#" || text.startsWith("//", this.#at)) this.#skipTo("\n", 0);
      else if (text.startsWith("/*", this.#at)) sawNewline = this.#skipComment() || sawNewline;
      else if (c !== " " && c !== "\t" && c !== "\r") break;
    }
    return sawNewline;
  }

  /** To one character before what ends a comment, or past the end. */
  #skipTo(end: string, from: number): void {
    const found = this.#text.indexOf(end, this.#at + from);
    this.#at = found < 0 ? this.#text.length : found + end.length - 2;
  }

  #skipComment(): boolean {
    const start = this.#at;
    const end = this.#text.indexOf("*/", start + 2);
    if (end < 0) this.#tell("Unclosed comment", "This comment has no end: write */ behind it.", start, start + 2);
    this.#at = end < 0 ? this.#text.length : end + 1;
    return this.#text.slice(start, this.#at).includes("\n");
  }

  #token(start: number): Hcl1TokenKind {
    const c = this.#text[start]!;
    const symbol = symbols.get(c);
    if (symbol !== undefined) {
      this.#at++;
      return symbol;
    }
    if (c === '"') return this.#string(start);
    if (c === "<") return this.#heredoc(start);
    if (this.#match(number)) return this.#number(start);
    if (this.#match(identifier)) {
      const word = this.#text.slice(start, this.#at);
      return word === "true" || word === "false" ? "boolean" : "identifier";
    }
    this.#at += String.fromCodePoint(this.#text.codePointAt(start)!).length;
    const detail = this.#broken.has(start)
      ? "This byte is not UTF-8. Choose UTF-8 in your editor and save the file again."
      : "This character has no meaning here. Text is written in double quotes.";
    this.#tell("Invalid character", detail, start, this.#at);
    return "invalid";
  }

  #match(form: RegExp): boolean {
    form.lastIndex = this.#at;
    if (!form.test(this.#text)) return false;
    this.#at = form.lastIndex;
    return true;
  }

  #number(start: number): Hcl1TokenKind {
    const text = this.#text.slice(start, this.#at);
    if (integer.test(text) || fraction.test(text)) return "number";
    const detail = "A number is decimal (42, -1.5, 2e3), hexadecimal (0x1f) or octal (017).";
    this.#tell("Invalid number", detail, start, this.#at);
    return "invalid";
  }

  /** A string ends at its quote; those within `${…}` belong to that, and newlines are only allowed there. */
  #string(start: number): Hcl1TokenKind {
    const text = this.#text;
    let braces = 0;
    for (let i = start + 1; i < text.length; i++) {
      const c = text[i]!;
      if (c === "\n" && (braces === 0 || this.#lostBrace)) break;
      if (c === '"' && braces === 0) {
        this.#at = i + 1;
        return "string";
      }
      if (c === "\\" && text[i + 1] !== "\n") i++;
      else if (braces === 0 && c === "$" && text[i + 1] === "{") {
        braces = 1;
        i++;
      } else if (braces > 0 && c === "{") braces++;
      else if (braces > 0 && c === "}") braces--;
      if (i >= text.length - 1) this.#lostBrace = true;
    }
    const lineEnd = text.indexOf("\n", start);
    this.#at = lineEnd < 0 ? text.length : lineEnd;
    const detail = "This string has no closing quote on its line. For text of several lines use a heredoc, <<EOF.";
    this.#tell("Unclosed string", detail, start, this.#at);
    return "invalid";
  }

  #heredoc(start: number): Hcl1TokenKind {
    const text = this.#text;
    heredocOpening.lastIndex = start;
    const opening = heredocOpening.exec(text);
    if (!opening) {
      this.#at = text.startsWith("<<", start) ? start + 2 : start + 1;
      const detail =
        "Text of several lines begins with << and a name at the end of its line, <<EOF, and ends with that name.";
      this.#tell("Invalid heredoc", detail, start, this.#at);
      return "invalid";
    }
    for (let lineStart = heredocOpening.lastIndex; ; ) {
      const lineEnd = text.indexOf("\n", lineStart);
      if (lineEnd < 0) break;
      if (isMarkerLine(text, lineStart, lineEnd, opening[2]!)) {
        this.#at = lineEnd + 1;
        return "heredoc";
      }
      lineStart = lineEnd + 1;
    }
    this.#at = text.length;
    const detail = `This text does not end: write ${opening[2]!} alone on a line behind it, with a newline after it.`;
    this.#tell("Unclosed heredoc", detail, start, start + opening[0].trimEnd().length);
    return "invalid";
  }
}

/** Whether a line is nothing but the name, with space before it. */
function isMarkerLine(text: string, start: number, end: number, marker: string): boolean {
  let last = end;
  while (text[last - 1] === "\r") last--;
  if (last - marker.length < start || !text.startsWith(marker, last - marker.length)) return false;
  for (let i = start; i < last - marker.length; i++) if (!" \t\r\v\f".includes(text[i]!)) return false;
  return true;
}

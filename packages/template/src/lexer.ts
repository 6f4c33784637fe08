import { sprintf } from "@millwright/text/printf";
import { quote } from "@millwright/text/quote";
import type { Token, TokenKind } from "./tokens.ts";
import { isKeyword } from "./tokens.ts";

export interface Delimiters {
  readonly left: string;
  readonly right: string;
}

/** Makes tokens of a template's text, one at a time; behind an error there is only the end. */
export class Lexer {
  readonly #input: string;
  readonly #delimiters: Delimiters;
  readonly #lineStarts: readonly number[];
  #at = 0;
  #start = 0;
  #isInAction = false;
  #parentheses = 0;
  #hasFailed = false;

  constructor(input: string, delimiters: Delimiters) {
    this.#input = input;
    this.#delimiters = delimiters;
    this.#lineStarts = lineStartsOf(input);
  }

  next(): Token {
    if (this.#hasFailed) return { kind: "eof", at: 0, value: "EOF", line: 1 };
    return this.#isInAction ? this.#action() : this.#text();
  }

  #text(): Token {
    for (;;) {
      const { left } = this.#delimiters;
      const found = this.#input.indexOf(left, this.#at);
      if (found < 0) {
        this.#at = this.#input.length;
        return this.#token(this.#at > this.#start ? "text" : "eof");
      }
      if (found > this.#at) {
        const isTrimmed = this.#hasLeftTrim(found + left.length);
        const end = isTrimmed ? trimmedEnd(this.#input, this.#start, found) : found;
        if (end > this.#start) {
          this.#at = end;
          const token = this.#token("text");
          this.#at = found;
          this.#start = found;
          return token;
        }
        this.#at = found;
        this.#start = found;
      }
      const token = this.#leftDelimiter();
      if (token) return token;
    }
  }

  /** Undefined behind a comment, where text goes on. */
  #leftDelimiter(): Token | undefined {
    this.#at += this.#delimiters.left.length;
    const marker = this.#hasLeftTrim(this.#at) ? 2 : 0;
    if (this.#input.startsWith("/*", this.#at + marker)) {
      this.#at += marker;
      this.#start = this.#at;
      return this.#comment();
    }
    const token = this.#token("leftDelimiter");
    this.#isInAction = true;
    this.#at += marker;
    this.#start = this.#at;
    this.#parentheses = 0;
    return token;
  }

  #comment(): Token | undefined {
    const end = this.#input.indexOf("*/", this.#at + 2);
    if (end < 0) return this.#fail("unclosed comment");
    this.#at = end + 2;
    const delimiter = this.#rightDelimiterHere();
    if (!delimiter) return this.#fail("comment ends before closing delimiter");
    this.#passRightDelimiter(delimiter);
    return undefined;
  }

  #action(): Token {
    const delimiter = this.#rightDelimiterHere();
    if (delimiter) {
      if (this.#parentheses > 0) return this.#fail("unclosed left paren");
      return this.#rightDelimiter(delimiter);
    }
    const code = this.#input.codePointAt(this.#at);
    if (code === undefined) return this.#fail("unclosed action");
    const character = String.fromCodePoint(code);
    if (isSpace(character)) return this.#space();
    switch (character) {
      case "=":
        return this.#take("assign", 1);
      case ":":
        if (this.#input[this.#at + 1] === "=") return this.#take("declare", 2);
        return this.#fail("expected :=");
      case "|":
        return this.#take("pipe", 1);
      case '"':
        return this.#quoted("string", '"', "unterminated quoted string");
      case "'":
        return this.#quoted("charConstant", "'", "unterminated character constant");
      case "`":
        return this.#rawString();
      case "$":
        return this.#fieldOrVariable("variable");
      case "(":
        this.#parentheses++;
        return this.#take("leftParenthesis", 1);
      case ")":
        if (this.#parentheses === 0) return this.#fail("unexpected right paren");
        this.#parentheses--;
        return this.#take("rightParenthesis", 1);
    }
    if (character === "." && !/[0-9]/.test(this.#input[this.#at + 1] ?? "0")) return this.#fieldOrVariable("field");
    if (/[.+\-0-9]/.test(character)) return this.#number();
    if (isAlphaNumeric(character)) return this.#identifier();
    if (/^[ -~]$/.test(character)) return this.#take("character", 1);
    return this.#fail(sprintf("unrecognized character in action: %#U", [{ kind: "integer", value: BigInt(code) }]));
  }

  #space(): Token {
    const spaces = this.#match(/[ \t\r\n]+/y)!;
    const lastSpace = this.#at + spaces.length - 1;
    // The last space may belong to a closing delimiter with a trim marker.
    const isMarker =
      this.#input[lastSpace + 1] === "-" && this.#input.startsWith(this.#delimiters.right, lastSpace + 2);
    if (!isMarker) return this.#take("space", spaces.length);
    if (spaces.length === 1) return this.#rightDelimiter({ isTrimming: true });
    return this.#take("space", spaces.length - 1);
  }

  #quoted(kind: TokenKind, mark: string, complaint: string): Token {
    const body = mark === '"' ? /"(?:[^"\\\n]|\\[^\n])*"/suy : /'(?:[^'\\\n]|\\[^\n])*'/suy;
    const found = this.#match(body);
    return found === undefined ? this.#fail(complaint) : this.#take(kind, found.length);
  }

  #rawString(): Token {
    const end = this.#input.indexOf("`", this.#at + 1);
    if (end < 0) return this.#fail("unterminated raw quoted string");
    return this.#take("rawString", end + 1 - this.#at);
  }

  #fieldOrVariable(kind: "field" | "variable"): Token {
    const mark = this.#at;
    this.#at++;
    if (!this.#isTerminated()) this.#at += this.#match(/[\p{L}\p{Nd}_]*/uy)!.length;
    if (!this.#isTerminated()) return this.#badCharacter();
    const isAlone = this.#at === mark + 1;
    return this.#token(isAlone && kind === "field" ? "dot" : kind);
  }

  #identifier(): Token {
    this.#at += this.#match(/[\p{L}\p{Nd}_]+/uy)!.length;
    if (!this.#isTerminated()) return this.#badCharacter();
    const word = this.#input.slice(this.#start, this.#at);
    if (isKeyword(word)) return this.#token(word);
    return this.#token(word === "true" || word === "false" ? "bool" : "identifier");
  }

  #number(): Token {
    if (!this.#scanNumber()) return this.#badNumber();
    if (!/[+-]/.test(this.#input[this.#at] ?? "")) return this.#token("number");
    if (!this.#scanNumber() || this.#input[this.#at - 1] !== "i") return this.#badNumber();
    return this.#token("complex");
  }

  /** Passes what looks like a number; whether it is one is the parser's to say. */
  #scanNumber(): boolean {
    const form =
      /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;
    this.#at += this.#match(form)!.length;
    const code = this.#input.codePointAt(this.#at);
    if (code === undefined || !isAlphaNumeric(String.fromCodePoint(code))) return true;
    this.#at += String.fromCodePoint(code).length;
    return false;
  }

  #badNumber(): Token {
    return this.#fail(`bad number syntax: ${quote(this.#input.slice(this.#start, this.#at))}`);
  }

  #badCharacter(): Token {
    const code = BigInt(this.#input.codePointAt(this.#at)!);
    return this.#fail(sprintf("bad character %#U", [{ kind: "integer", value: code }]));
  }

  /** Whether a word may end here. */
  #isTerminated(): boolean {
    const character = this.#input[this.#at];
    if (character === undefined || /[ \t\r\n.,|:()]/.test(character)) return true;
    return this.#input.startsWith(this.#delimiters.right, this.#at);
  }

  #hasLeftTrim(at: number): boolean {
    return this.#input[at] === "-" && isSpace(this.#input[at + 1] ?? "");
  }

  #rightDelimiterHere(): { readonly isTrimming: boolean } | undefined {
    const { right } = this.#delimiters;
    const hasMarker = isSpace(this.#input[this.#at] ?? "") && this.#input[this.#at + 1] === "-";
    if (hasMarker && this.#input.startsWith(right, this.#at + 2)) return { isTrimming: true };
    return this.#input.startsWith(right, this.#at) ? { isTrimming: false } : undefined;
  }

  #rightDelimiter({ isTrimming }: { readonly isTrimming: boolean }): Token {
    if (isTrimming) {
      this.#at += 2;
      this.#start = this.#at;
    }
    const token = this.#take("rightDelimiter", this.#delimiters.right.length);
    if (isTrimming) this.#passSpaces();
    this.#isInAction = false;
    return token;
  }

  #passRightDelimiter({ isTrimming }: { readonly isTrimming: boolean }): void {
    this.#at += (isTrimming ? 2 : 0) + this.#delimiters.right.length;
    this.#start = this.#at;
    if (isTrimming) this.#passSpaces();
  }

  #passSpaces(): void {
    this.#at += this.#match(/[ \t\r\n]*/y)!.length;
    this.#start = this.#at;
  }

  #match(form: RegExp): string | undefined {
    form.lastIndex = this.#at;
    return form.exec(this.#input)?.[0];
  }

  #take(kind: TokenKind, length: number): Token {
    this.#at += length;
    return this.#token(kind);
  }

  #token(kind: TokenKind): Token {
    const at = this.#start;
    this.#start = this.#at;
    return { kind, at, value: this.#input.slice(at, this.#at), line: this.#lineOf(at) };
  }

  #fail(complaint: string): Token {
    this.#hasFailed = true;
    return { kind: "error", at: this.#start, value: complaint, line: this.#lineOf(this.#start) };
  }

  #lineOf(at: number): number {
    let low = 0;
    let high = this.#lineStarts.length;
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if (this.#lineStarts[middle]! <= at) low = middle;
      else high = middle;
    }
    return low + 1;
  }
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function trimmedEnd(text: string, start: number, end: number): number {
  let last = end;
  while (last > start && isSpace(text[last - 1]!)) last--;
  return last;
}

function isSpace(character: string): boolean {
  return character === " " || character === "\t" || character === "\r" || character === "\n";
}

function isAlphaNumeric(character: string): boolean {
  return /^[\p{L}\p{Nd}_]/u.test(character);
}

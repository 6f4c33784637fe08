import { isIdentifierPart, isIdentifierStart } from "./identifier.ts";
import type { SourceFile } from "./source-file.ts";
import type { TokenBuffer } from "./tokens.ts";
import { TokenKind } from "./tokens.ts";
import { trimEnd, trimStart } from "./white-space.ts";

/**
 * What the text of a file is: a configuration or an expression, or the inside of a template. `repair` is a configuration
 * in which a quote is known to be missing: every quoted string ends with its line at the latest, by empty closing tokens.
 */
export type ScanMode = "configuration" | "template" | "repair";

/**
 * Splits a file into tokens, as the HCL native syntax specification ("Lexical Elements") and the reference's scanner do.
 * Takes any text, in time linear in its length; what is not of the language becomes tokens of the kinds for it.
 */
export function scan(file: SourceFile, mode: ScanMode = "configuration"): TokenBuffer {
  return new Scanner(file, mode).run();
}

/** What the text at the scanner's place is inside of. */
const Inside = { code: 0, quotes: 1, heredoc: 2, bareTemplate: 3 } as const;
type Inside = (typeof Inside)[keyof typeof Inside];

interface Heredoc {
  readonly marker: string;
  /** Whether nothing of the current line is read yet, so that it may be the closing one. */
  atLineStart: boolean;
}

const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const quote = 0x22;
const hash = 0x23;
const dollar = 0x24;
const percent = 0x25;
const ampersand = 0x26;
const star = 0x2a;
const plus = 0x2b;
const minus = 0x2d;
const dot = 0x2e;
const slash = 0x2f;
const colon = 0x3a;
const less = 0x3c;
const assign = 0x3d;
const greater = 0x3e;
const backslash = 0x5c;
const openBrace = 0x7b;
const pipe = 0x7c;
const closeBrace = 0x7d;
const tilde = 0x7e;
const replacement = 0xfffd;

/** What a character of ASCII starts in code. */
const Starts = { nothing: 0, space: 1, identifier: 2, number: 3, symbol: 4 } as const;

const singles: readonly (readonly [string, TokenKind])[] = [
  ["[", TokenKind.openBracket],
  ["]", TokenKind.closeBracket],
  ["(", TokenKind.openParen],
  [")", TokenKind.closeParen],
  [".", TokenKind.dot],
  [",", TokenKind.comma],
  ["*", TokenKind.star],
  ["/", TokenKind.slash],
  ["%", TokenKind.percent],
  ["+", TokenKind.plus],
  ["-", TokenKind.minus],
  ["=", TokenKind.assign],
  ["<", TokenKind.less],
  [">", TokenKind.greater],
  ["!", TokenKind.not],
  ["?", TokenKind.question],
  [":", TokenKind.colon],
  ["\n", TokenKind.newline],
  ["&", TokenKind.ampersand],
  ["|", TokenKind.pipe],
  ["~", TokenKind.tilde],
  ["^", TokenKind.caret],
  [";", TokenKind.semicolon],
  ["`", TokenKind.backtick],
  ["'", TokenKind.apostrophe],
  ["{", TokenKind.openBrace],
  ["}", TokenKind.closeBrace],
  ['"', TokenKind.openQuote],
  ["#", TokenKind.comment],
  ["\r", TokenKind.invalid],
];

/** The kind of the one-character token of each ASCII symbol. */
const singleKinds = new Uint8Array(128).fill(TokenKind.invalid);
const startsOf = new Uint8Array(128);
for (const [symbol, kind] of singles) {
  singleKinds[symbol.charCodeAt(0)] = kind;
  startsOf[symbol.charCodeAt(0)] = Starts.symbol;
}
const partsOfIdentifier = new Uint8Array(128);
for (let c = 0; c < 128; c++) {
  const letter = (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a) || c === 0x5f;
  const digit = c >= 0x30 && c <= 0x39;
  if (letter) startsOf[c] = Starts.identifier;
  if (digit) startsOf[c] = Starts.number;
  if (letter || digit || c === minus) partsOfIdentifier[c] = 1;
}
startsOf[space] = Starts.space;
startsOf[tab] = Starts.space;

class Scanner {
  readonly #file: SourceFile;
  readonly #text: string;
  readonly #broken: ReadonlySet<number>;
  readonly #repairing: boolean;
  #at = 0;
  #inside: Inside;
  readonly #outer: Inside[] = [];
  readonly #heredocs: Heredoc[] = [];
  /** How many braces are open, and at which counts a closing one ends a template sequence. */
  #braces = 0;
  readonly #sequences: number[] = [];
  /** Set once no comment end is left, so that many openers do not each search the whole rest. */
  #noCommentEnd = false;
  #count = 0;
  #kinds: Uint8Array;
  #starts: Uint32Array;
  #ends: Uint32Array;

  constructor(file: SourceFile, mode: ScanMode) {
    this.#file = file;
    this.#text = file.text;
    this.#broken = new Set(file.brokenBytes);
    this.#repairing = mode === "repair";
    this.#inside = mode === "template" ? Inside.bareTemplate : Inside.code;
    const capacity = 16 + (file.text.length >>> 2);
    this.#kinds = new Uint8Array(capacity);
    this.#starts = new Uint32Array(capacity);
    this.#ends = new Uint32Array(capacity);
  }

  run(): TokenBuffer {
    const { length } = this.#text;
    while (this.#at < length) {
      switch (this.#inside) {
        case Inside.code:
          this.#code();
          break;
        case Inside.quotes:
          this.#quotes();
          break;
        case Inside.heredoc:
          this.#heredocText();
          break;
        case Inside.bareTemplate:
          this.#bareTemplate();
          break;
      }
    }
    this.#emit(TokenKind.end, length, length);
    return { file: this.#file, count: this.#count, kinds: this.#kinds, starts: this.#starts, ends: this.#ends };
  }

  #emit(kind: TokenKind, start: number, end: number): void {
    const i = this.#count++;
    if (i === this.#kinds.length) this.#grow();
    this.#kinds[i] = kind;
    this.#starts[i] = start;
    this.#ends[i] = end;
    this.#at = end;
  }

  #grow(): void {
    const capacity = this.#kinds.length * 2;
    const kinds = new Uint8Array(capacity);
    const starts = new Uint32Array(capacity);
    const ends = new Uint32Array(capacity);
    kinds.set(this.#kinds);
    starts.set(this.#starts);
    ends.set(this.#ends);
    this.#kinds = kinds;
    this.#starts = starts;
    this.#ends = ends;
  }

  #enter(inside: Inside): void {
    this.#outer.push(this.#inside);
    this.#inside = inside;
  }

  #leave(): void {
    this.#inside = this.#outer.pop() ?? Inside.code;
  }

  /** Reads code until something else begins, or this code (of a template sequence) ends. */
  #code(): void {
    const text = this.#text;
    const { length } = text;
    let i = this.#at;
    while (i < length) {
      const c = text.charCodeAt(i);
      const starts = c < 128 ? startsOf[c]! : Starts.nothing;
      if (starts === Starts.space) {
        i++;
      } else if (starts === Starts.identifier) {
        let end = i + 1;
        while (end < length) {
          const part = text.charCodeAt(end);
          if (part >= 128 || partsOfIdentifier[part] === 0) break;
          end++;
        }
        if (end < length && text.charCodeAt(end) >= 128) end = identifierEnd(text, end);
        this.#emit(TokenKind.identifier, i, end);
        i = end;
      } else if (starts === Starts.number) {
        this.#emit(TokenKind.number, i, numberEnd(text, i));
        i = this.#at;
      } else if (starts === Starts.symbol) {
        if (this.#repairing && isLineBreak(c) && this.#outer.at(-1) === Inside.quotes) return this.#endStrings(i);
        this.#symbol(c, i);
        i = this.#at;
        if (this.#inside !== Inside.code || c === closeBrace || c === tilde) return;
      } else {
        this.#other(i);
        i = this.#at;
      }
    }
    this.#at = length;
  }

  /** A token that begins with a symbol of ASCII at `i`. */
  #symbol(c: number, i: number): void {
    const text = this.#text;
    const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
    switch (c) {
      case quote:
        this.#emit(TokenKind.openQuote, i, i + 1);
        return this.#enter(Inside.quotes);
      case hash:
        return this.#emit(TokenKind.comment, i, this.#lineEnd(i));
      case slash:
        return this.#slash(i, next);
      case carriageReturn:
        if (next === lineFeed) return this.#emit(TokenKind.newline, i, i + 2);
        return this.#emit(TokenKind.invalid, i, i + 1);
      case openBrace:
        this.#braces++;
        return this.#emit(TokenKind.openBrace, i, i + 1);
      case closeBrace:
        return this.#closeBrace(i, i + 1, TokenKind.closeBrace);
      case tilde:
        if (next === closeBrace) return this.#closeBrace(i, i + 2, TokenKind.closeSequence);
        return this.#emit(TokenKind.tilde, i, i + 1);
      case dot:
        if (next === dot && text.charCodeAt(i + 2) === dot) return this.#emit(TokenKind.ellipsis, i, i + 3);
        return this.#emit(TokenKind.dot, i, i + 1);
      case less:
        if (next === less && this.#openHeredoc(i)) return;
        break;
    }
    const pair = pairKind(c, next);
    if (pair !== undefined) return this.#emit(pair, i, i + 2);
    this.#emit(singleKinds[c] as TokenKind, i, i + 1);
  }

  #slash(i: number, next: number): void {
    if (next === slash) return this.#emit(TokenKind.comment, i, this.#lineEnd(i));
    if (next === star && !this.#noCommentEnd) {
      const end = this.#text.indexOf("*/", i + 2);
      if (end >= 0) return this.#emit(TokenKind.comment, i, end + 2);
      this.#noCommentEnd = true;
    }
    this.#emit(TokenKind.slash, i, i + 1);
  }

  /** The offset behind the newline that ends the line of `i`. */
  #lineEnd(i: number): number {
    const end = this.#text.indexOf("\n", i);
    return end < 0 ? this.#text.length : end + 1;
  }

  #closeBrace(start: number, end: number, otherwise: TokenKind): void {
    const endsSequence = this.#sequences.length > 0 && this.#sequences.at(-1) === this.#braces;
    this.#braces--;
    this.#emit(endsSequence ? TokenKind.closeSequence : otherwise, start, end);
    if (!endsSequence) return;
    this.#sequences.pop();
    this.#leave();
  }

  /** Reads `<<NAME` or `<<-NAME` and its newline, if that is what is at `i`. */
  #openHeredoc(i: number): boolean {
    const text = this.#text;
    const nameStart = text.charCodeAt(i + 2) === minus ? i + 3 : i + 2;
    const nameEnd = identifierAt(text, nameStart);
    if (nameEnd === nameStart) return false;
    const end = newlineEnd(text, nameEnd);
    if (end === nameEnd) return false;
    this.#emit(TokenKind.openHeredoc, i, end);
    this.#heredocs.push({ marker: text.slice(nameStart, nameEnd), atLineStart: true });
    this.#enter(Inside.heredoc);
    return true;
  }

  /** A character outside of ASCII, or a control character, in code. */
  #other(i: number): void {
    const end = identifierAt(this.#text, i);
    if (end > i) return this.#emit(TokenKind.identifier, i, end);
    if (this.#broken.has(i)) return this.#emit(TokenKind.brokenUtf8, i, i + 1);
    this.#emit(TokenKind.invalid, i, i + characterLength(this.#text, i));
  }

  #quotes(): void {
    const text = this.#text;
    const { length } = text;
    const start = this.#at;
    let i = start;
    for (; i < length; i++) {
      const c = text.charCodeAt(i);
      if (c === quote || c === dollar || c === percent || c === lineFeed || c === carriageReturn) break;
      if (c === backslash) {
        if (i + 1 >= length || isLineBreak(text.charCodeAt(i + 1)) || this.#isBroken(i + 1)) break;
        i++;
      } else if (c === replacement && this.#isBroken(i)) break;
    }
    if (i > start) this.#emit(TokenKind.quotedText, start, i);
    if (i >= length) return;
    switch (text.charCodeAt(i)) {
      case quote:
        this.#emit(TokenKind.closeQuote, i, i + 1);
        return this.#leave();
      case dollar:
      case percent:
        return this.#sequence(i, TokenKind.quotedText);
      case lineFeed:
      case carriageReturn: {
        if (this.#repairing) return this.#endStrings(i);
        let end = i + 1;
        while (end < length && isLineBreak(text.charCodeAt(end))) end++;
        return this.#emit(TokenKind.quotedNewline, i, end);
      }
      case backslash:
        return this.#emit(TokenKind.invalid, i, i + 1);
      default:
        this.#emit(TokenKind.brokenUtf8, i, i + 1);
    }
  }

  /** Ends all strings, and sequences in strings, that the end of a line at `i` is in. */
  #endStrings(i: number): void {
    this.#at = i;
    while (this.#inside === Inside.quotes || (this.#inside === Inside.code && this.#outer.at(-1) === Inside.quotes)) {
      if (this.#inside === Inside.quotes) this.#emit(TokenKind.closeQuote, i, i);
      else {
        this.#emit(TokenKind.closeSequence, i, i);
        this.#braces = this.#sequences.pop()! - 1;
      }
      this.#leave();
    }
  }

  #heredocText(): void {
    const text = this.#text;
    const { length } = text;
    const start = this.#at;
    const heredoc = this.#heredocs.at(-1)!;
    const i = this.#templateTextEnd(start);
    const lineEnd = newlineEnd(text, i);
    if (lineEnd > i) {
      if (heredoc.atLineStart && trimStart(trimEnd(text.slice(start, i))) === heredoc.marker) {
        this.#emit(TokenKind.closeHeredoc, start, i);
        this.#emit(TokenKind.newline, i, lineEnd);
        this.#heredocs.pop();
        return this.#leave();
      }
      heredoc.atLineStart = true;
      return this.#emit(TokenKind.templateText, start, lineEnd);
    }
    heredoc.atLineStart = false;
    if (i > start) this.#emit(TokenKind.templateText, start, i);
    if (i >= length) return;
    const c = text.charCodeAt(i);
    if (c === dollar || c === percent) return this.#sequence(i, TokenKind.templateText);
    // A carriage return without its line feed has no place in a heredoc.
    this.#emit(c === carriageReturn ? TokenKind.invalid : TokenKind.brokenUtf8, i, i + 1);
  }

  #bareTemplate(): void {
    const text = this.#text;
    const start = this.#at;
    let i = this.#templateTextEnd(start);
    while (i < text.length && text.charCodeAt(i) === carriageReturn && newlineEnd(text, i) === i) {
      i = this.#templateTextEnd(i + 1);
    }
    const end = newlineEnd(text, i);
    if (end > start) this.#emit(TokenKind.templateText, start, end);
    if (end > i || i >= text.length) return;
    const c = text.charCodeAt(i);
    if (c === dollar || c === percent) return this.#sequence(i, TokenKind.templateText);
    this.#emit(TokenKind.brokenUtf8, i, i + 1);
  }

  /** Where text of a heredoc or bare template that begins at `i` meets `$`, `%`, a line break or a broken byte. */
  #templateTextEnd(start: number): number {
    const text = this.#text;
    const { length } = text;
    for (let i = start; i < length; i++) {
      const c = text.charCodeAt(i);
      if (c === dollar || c === percent || c === lineFeed || c === carriageReturn) return i;
      if (c === replacement && this.#isBroken(i)) return i;
    }
    return length;
  }

  /** At a `$` or `%` of template text: the opening of a sequence, its escape, or just that character. */
  #sequence(i: number, literal: TokenKind): void {
    const text = this.#text;
    const c = text.charCodeAt(i);
    const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
    if (next === openBrace) {
      const end = text.charCodeAt(i + 2) === tilde ? i + 3 : i + 2;
      this.#emit(c === dollar ? TokenKind.openInterpolation : TokenKind.openDirective, i, end);
      this.#braces++;
      this.#sequences.push(this.#braces);
      const heredoc = this.#heredocs.at(-1);
      if (heredoc) heredoc.atLineStart = false;
      return this.#enter(Inside.code);
    }
    if (next === c && text.charCodeAt(i + 2) === openBrace) {
      let end = text.charCodeAt(i + 3) === tilde ? i + 4 : i + 3;
      if (literal === TokenKind.templateText) {
        end = newlineEnd(text, end);
        this.#atLineStart(text.charCodeAt(end - 1) === lineFeed);
      }
      return this.#emit(literal, i, end);
    }
    const atEnd = i + 1 === text.length && this.#outer.length > 0;
    this.#atLineStart(false);
    // As in the reference, where it can be seen by what a strip marker behind it takes away: one last character of the
    // line goes with the sign.
    const withNext = literal === TokenKind.templateText && next < 128 && newlineEnd(text, i + 2) > i + 2;
    this.#emit(atEnd ? TokenKind.invalid : literal, i, withNext ? i + 2 : i + 1);
  }

  #atLineStart(value: boolean): void {
    if (this.#inside === Inside.heredoc) this.#heredocs.at(-1)!.atLineStart = value;
  }

  #isBroken(i: number): boolean {
    return this.#broken.size > 0 && this.#broken.has(i);
  }
}

function pairKind(first: number, second: number): TokenKind | undefined {
  switch (first) {
    case assign:
      return second === assign ? TokenKind.equal : second === greater ? TokenKind.arrow : undefined;
    case ampersand:
      return second === ampersand ? TokenKind.and : undefined;
    case pipe:
      return second === pipe ? TokenKind.or : undefined;
    case colon:
      return second === colon ? TokenKind.doubleColon : undefined;
  }
  if (second !== assign) return undefined;
  if (first === less) return TokenKind.lessOrEqual;
  if (first === greater) return TokenKind.greaterOrEqual;
  return singleKinds[first] === TokenKind.not ? TokenKind.notEqual : undefined;
}

/**
 * The end of the number at `i`: digits, dots, and exponents with a digit, in any order (whether they make a number is for
 * the parser to say), without dots at the end.
 */
function numberEnd(text: string, i: number): number {
  let end = i + 1;
  for (let at = end; at < text.length; ) {
    let c = text.charCodeAt(at);
    if (c === dot) {
      at++;
      continue;
    }
    if (c === 0x65 || c === 0x45) {
      c = text.charCodeAt(++at);
      if (c === plus || c === minus) c = text.charCodeAt(++at);
    }
    if (!(c >= 0x30 && c <= 0x39)) break;
    end = ++at;
  }
  return end;
}

/** The end of the identifier that begins at `i`; `i` itself where none does. */
function identifierAt(text: string, i: number): number {
  const first = text.codePointAt(i);
  if (first === undefined || !isIdentifierStart(first)) return i;
  return identifierEnd(text, i + (first > 0xffff ? 2 : 1));
}

function identifierEnd(text: string, from: number): number {
  let i = from;
  while (i < text.length) {
    const c = text.codePointAt(i)!;
    if (!isIdentifierPart(c)) break;
    i += c > 0xffff ? 2 : 1;
  }
  return i;
}

/** The offset behind the newline (`\n` or `\r\n`) at `i`; `i` itself where there is none. */
function newlineEnd(text: string, i: number): number {
  const c = i < text.length ? text.charCodeAt(i) : 0;
  if (c === lineFeed) return i + 1;
  return c === carriageReturn && text.charCodeAt(i + 1) === lineFeed ? i + 2 : i;
}

function isLineBreak(c: number): boolean {
  return c === lineFeed || c === carriageReturn;
}

function characterLength(text: string, i: number): number {
  return text.codePointAt(i)! > 0xffff ? 2 : 1;
}

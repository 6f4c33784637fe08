import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import type { InvalidExpression, Node } from "./ast.ts";
import type { SourceFile } from "./source-file.ts";
import { rangeBetween } from "./source-file.ts";
import type { TokenBuffer } from "./tokens.ts";
import { TokenKind, tokenText } from "./tokens.ts";

/** A stretch of the file. A {@link Node} is one. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * How deep brackets, templates and blocks may be nested, and how high the tree of an expression may become by a row of
 * operators or steps. Configurations stay below 30; the limits keep the reading, and all that walks the tree later, within
 * the stack.
 */
export const maximumNesting = 200;
export const maximumHeight = 500;

/** So many faulty items in a row show that the text is no configuration at all. */
const mostFaultyItems = 3;

/** So much is said of one file; a text with more is no configuration. */
export const mostDiagnostics = 500;

const lineFeed = 0x0a;

export interface CursorOptions {
  /** Whether indentation is trusted: a block at the first column lies within no other. */
  readonly repairing?: boolean;
  /** Whether the name of an argument may stand in quotes, with a warning. */
  readonly quotedNames?: boolean;
}

/**
 * The place of the parser in a file's tokens, with what it has found wrong so far.
 *
 * After a fault the cursor is `recovering`: what follows may only be a consequence, so that further faults are counted but
 * most are not said. Comments are passed over; newlines count only where `newlines` is set.
 */
export class Cursor {
  readonly file: SourceFile;
  readonly diagnostics: Diagnostic[];
  newlines = true;
  recovering = false;
  /** How many faults were met that leave the parser in the wrong place, said or not. */
  faults = 0;
  /** How many levels the parser is in. */
  depth = 0;
  /** How high the tree of the expression is that was read last. */
  height = 0;
  /** How many brackets of each sort are open around the cursor, within the template sequence it is in. */
  parens = 0;
  brackets = 0;
  braces = 0;
  inSequence = false;
  /** Whether something was not closed before the end of the file. */
  unclosed = false;
  readonly repairing: boolean;
  readonly quotedNames: boolean;
  readonly #tokens: TokenBuffer;
  readonly #kinds: Uint8Array;
  /** The index of the next token. */
  #at = 0;
  /** The index of the token read last; -1 before the first. */
  #last = -1;
  #faultyItems = 0;

  constructor(
    tokens: TokenBuffer,
    diagnostics: Diagnostic[],
    { repairing = false, quotedNames = false }: CursorOptions = {},
  ) {
    this.repairing = repairing;
    this.quotedNames = quotedNames;
    this.file = tokens.file;
    this.diagnostics = diagnostics;
    this.#tokens = tokens;
    this.#kinds = tokens.kinds;
  }

  /** The kind of the next token that counts; a comment to the end of its line is the newline it holds. */
  peek(): TokenKind {
    const kinds = this.#kinds;
    let at = this.#at;
    for (;;) {
      const kind = kinds[at]!;
      if (kind > TokenKind.comment || kind === TokenKind.end) break;
      if (this.newlines && (kind === TokenKind.newline || this.#endsLine(at))) {
        this.#at = at;
        return TokenKind.newline;
      }
      at++;
    }
    this.#at = at;
    return kinds[at] as TokenKind;
  }

  /** Goes past the next token and gives its kind. The end stays the next token for ever. */
  read(): TokenKind {
    const kind = this.peek();
    this.#last = this.#at;
    if (kind !== TokenKind.end) this.#at++;
    return kind;
  }

  get lastKind(): TokenKind {
    return this.#kinds[this.#last < 0 ? this.#at : this.#last] as TokenKind;
  }

  /** The kind of the token that stands `distance` tokens behind the next one, whatever it is. */
  kindAhead(distance: number): TokenKind {
    return this.#kinds[Math.min(this.#at + distance, this.#tokens.count - 1)] as TokenKind;
  }

  /** Where the next token is. To be called after `peek`. */
  get nextStart(): number {
    return this.#tokens.starts[this.#at]!;
  }

  get nextEnd(): number {
    return this.#tokens.ends[this.#at]!;
  }

  /** Where the token read last is; before the first, where that one is. */
  get lastStart(): number {
    return this.#tokens.starts[this.#last < 0 ? this.#at : this.#last]!;
  }

  get lastEnd(): number {
    return this.#tokens.ends[this.#last < 0 ? this.#at : this.#last]!;
  }

  lastText(): string {
    return tokenText(this.#tokens, this.#last);
  }

  /** Whether the next token is this word. */
  nextIs(word: string): boolean {
    if (this.peek() !== TokenKind.identifier) return false;
    const start = this.nextStart;
    return this.nextEnd - start === word.length && this.file.text.startsWith(word, start);
  }

  nextSpan(): Span {
    this.peek();
    return { start: this.nextStart, end: this.nextEnd };
  }

  lastSpan(): Span {
    return { start: this.lastStart, end: this.lastEnd };
  }

  /** A node over the token read last. */
  lastNode(): Node {
    return { file: this.file, start: this.lastStart, end: this.lastEnd };
  }

  node(start: number, end: number): Node {
    return { file: this.file, start, end };
  }

  invalid(start: number, end: number): InvalidExpression {
    return { kind: "invalid", file: this.file, start, end };
  }

  warning(summary: string, detail: string, subject: Span): void {
    if (this.diagnostics.length >= mostDiagnostics) return;
    const range = rangeBetween(this.file, subject.start, subject.end);
    this.diagnostics.push(warningDiagnostic(summary, detail, { subject: range }));
  }

  /** Says what is wrong. The parser is still where it should be. */
  error(summary: string, detail: string, subject: Span, context?: Span): void {
    if (this.diagnostics.length >= mostDiagnostics) return;
    const { file } = this;
    const place = { subject: rangeBetween(file, subject.start, subject.end) };
    if (!context) this.diagnostics.push(errorDiagnostic(summary, detail, place));
    else {
      const range = rangeBetween(file, context.start, context.end);
      this.diagnostics.push(errorDiagnostic(summary, detail, { ...place, context: range }));
    }
  }

  /** Counts a fault, and says it unless it may come from an earlier one. */
  fault(summary: string, detail: string, subject: Span, context?: Span): void {
    if (!this.recovering) this.error(summary, detail, subject, context);
    this.recovering = true;
    this.faults++;
  }

  /** Counts a fault that is no consequence of another: said also while recovering, unless nothing is read any more. */
  plainFault(summary: string, detail: string, subject: Span, context?: Span): void {
    if (!this.recovering || this.#faultyItems < mostFaultyItems) this.error(summary, detail, subject, context);
    this.recovering = true;
    this.faults++;
  }

  /**
   * Goes past the next `closer`, leaving out those that close what is opened on the way. Stops in front of a token that
   * closes something further out, or that begins an item of a body, so that one unclosed bracket does not take the rest of
   * the file with it.
   */
  skipPast(closer: TokenKind): void {
    this.recovering = true;
    const open = new OpenBrackets();
    const inBrackets = closer === TokenKind.closeParen || closer === TokenKind.closeBracket;
    for (;;) {
      const kind = this.peek();
      if (kind === TokenKind.end) {
        this.unclosed = true;
        return;
      }
      if (this.#stopsAtItem(inBrackets && open.isEmpty ? "any item" : "outer block")) return;
      const closes = openerOf(kind);
      if (closes !== undefined && !open.closes(closes)) {
        if (kind === closer) return void this.read();
        if (this.#isOpenFurtherOut(kind)) return;
      }
      this.read();
      open.pass(kind);
    }
  }

  /**
   * Goes past the newline that ends the current item of a body, or up to the brace that closes the body. A newline on the
   * line where skipping begins is taken to be the right one: behind it, faults are said again; but not when three items in a
   * row had some, which shows that the text is something else.
   */
  skipItem(): void {
    this.recovering = true;
    this.#faultyItems++;
    const from = this.lastEnd;
    const open = new OpenBrackets();
    for (;;) {
      const kind = this.peek();
      if (kind === TokenKind.end) {
        if (!open.isEmpty) this.unclosed = true;
        return;
      }
      if (kind === TokenKind.newline && open.isEmpty) {
        this.recovering =
          this.#faultyItems >= mostFaultyItems || this.file.text.slice(from, this.nextStart).includes("\n");
        return void this.read();
      }
      if (this.#stopsAtItem("outer block")) return;
      const closes = openerOf(kind);
      if (closes !== undefined && !open.closes(closes) && this.#isOpenFurtherOut(kind)) return;
      this.read();
      open.pass(kind);
    }
  }

  /** Goes past newlines and comments, if there are any and a token of that kind follows them. */
  skipNewlinesTo(wanted: TokenKind): boolean {
    let at = this.#at;
    while (this.#kinds[at] === TokenKind.newline || this.#kinds[at] === TokenKind.comment) at++;
    if (at === this.#at || this.#kinds[at] !== wanted) return false;
    this.#at = at;
    return true;
  }

  /** Takes note that an item was read without a fault, so that the cursor is where it should be. */
  itemRead(): void {
    this.recovering = false;
    this.#faultyItems = 0;
  }

  /** Whether the next token begins a line at its first column and looks like the header of a block, while repairing. */
  atOuterBlock(): boolean {
    if (!this.repairing || this.#kinds[this.#at] !== TokenKind.identifier) return false;
    const start = this.#tokens.starts[this.#at]!;
    return start > 0 && this.file.text.charCodeAt(start - 1) === lineFeed && isHeaderPart(this.#kinds[this.#at + 1]!);
  }

  #isOpenFurtherOut(closer: TokenKind): boolean {
    switch (closer) {
      case TokenKind.closeParen:
        return this.parens > 0;
      case TokenKind.closeBracket:
        return this.brackets > 0;
      case TokenKind.closeBrace:
        return this.braces > 0;
      case TokenKind.closeSequence:
        return this.inSequence;
      default:
        return false;
    }
  }

  /**
   * Whether skipping ends at the next token because an item of a body begins there: `name =` or `name {` or `name "`, which
   * no expression holds (an object holds the first). Goes back to the newline before it.
   */
  #stopsAtItem(sort: "any item" | "outer block"): boolean {
    const at = this.#at;
    if (this.#kinds[at] !== TokenKind.identifier || at === 0) return false;
    const before = this.#kinds[at - 1]!;
    if (before !== TokenKind.newline && !(before === TokenKind.comment && this.#endsLine(at - 1))) return false;
    const next = this.#kinds[at + 1]!;
    const isItem = next === TokenKind.assign || next === TokenKind.openBrace || next === TokenKind.openQuote;
    if (!(sort === "any item" && isItem && !this.inSequence) && !this.atOuterBlock()) return false;
    if (this.#last < at - 1) this.#at = at - 1;
    return true;
  }

  #endsLine(at: number): boolean {
    return this.file.text.charCodeAt(this.#tokens.ends[at]! - 1) === lineFeed;
  }
}

/** The brackets that were opened while skipping, and are not closed. */
class OpenBrackets {
  readonly #kinds: TokenKind[] = [];
  readonly #counts = new Map<TokenKind, number>();

  get isEmpty(): boolean {
    return this.#kinds.length === 0;
  }

  /** Whether a closing token of this opener closes one of these. */
  closes(opener: TokenKind): boolean {
    return (this.#counts.get(opener) ?? 0) > 0;
  }

  pass(kind: TokenKind): void {
    const opener = openerOf(kind);
    if (opener !== undefined) return this.#close(opener);
    const opened = openedBy(kind);
    if (opened === undefined) return;
    this.#kinds.push(opened);
    this.#counts.set(opened, (this.#counts.get(opened) ?? 0) + 1);
  }

  /** Takes away the last `opener`, and what was opened behind it. */
  #close(opener: TokenKind): void {
    if (!this.closes(opener)) return;
    for (let last = this.#kinds.pop(); last !== undefined; last = this.#kinds.pop()) {
      this.#counts.set(last, this.#counts.get(last)! - 1);
      if (last === opener) return;
    }
  }
}

function isHeaderPart(kind: number): boolean {
  return kind === TokenKind.openQuote || kind === TokenKind.openBrace || kind === TokenKind.identifier;
}

/** The opener that a token is; the two of template sequences, which have one closer, are one. */
function openedBy(kind: TokenKind): TokenKind | undefined {
  switch (kind) {
    case TokenKind.openBrace:
    case TokenKind.openBracket:
    case TokenKind.openParen:
    case TokenKind.openQuote:
    case TokenKind.openHeredoc:
    case TokenKind.openInterpolation:
      return kind;
    case TokenKind.openDirective:
      return TokenKind.openInterpolation;
    default:
      return undefined;
  }
}

function openerOf(closer: TokenKind): TokenKind | undefined {
  switch (closer) {
    case TokenKind.closeBrace:
      return TokenKind.openBrace;
    case TokenKind.closeBracket:
      return TokenKind.openBracket;
    case TokenKind.closeParen:
      return TokenKind.openParen;
    case TokenKind.closeQuote:
      return TokenKind.openQuote;
    case TokenKind.closeHeredoc:
      return TokenKind.openHeredoc;
    case TokenKind.closeSequence:
      return TokenKind.openInterpolation;
    default:
      return undefined;
  }
}

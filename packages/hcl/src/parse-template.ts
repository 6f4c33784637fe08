import { similar } from "@millwright/core/similar";
import { stringValue } from "@millwright/value/value";
import type { Literal, Template, TemplateWrap } from "./ast.ts";
import type { Cursor, Span } from "./cursor.ts";
import { removeIndentation } from "./heredoc-indentation.ts";
import { parseExpressionHere } from "./parse-expression.ts";
import { quotedValue, templateTextValue } from "./string-escapes.ts";
import type { Piece } from "./template-pieces.ts";
import { assemble } from "./template-pieces.ts";
import { TokenKind } from "./tokens.ts";
import { trimEnd, trimStart } from "./white-space.ts";

/** A quoted string or a heredoc, whose opening token was just read, up to and with its closing one. */
export function parseDelimitedTemplate(cursor: Cursor): Template | TemplateWrap {
  const start = cursor.lastStart;
  if (cursor.lastKind === TokenKind.openQuote) {
    return parsePlainString(cursor, start) ?? parseParts(cursor, start, TokenKind.closeQuote);
  }
  return parseParts(cursor, start, TokenKind.closeHeredoc);
}

/** The whole file as the inside of a template. */
export function parseBareTemplate(cursor: Cursor): Template | TemplateWrap {
  cursor.peek();
  return parseParts(cursor, cursor.nextStart, TokenKind.end);
}

/** A string of text alone, which most are. */
function parsePlainString(cursor: Cursor, start: number): Template | undefined {
  const { file } = cursor;
  if (cursor.peek() === TokenKind.closeQuote) {
    cursor.read();
    return { kind: "template", file, start, end: cursor.lastEnd, parts: [] };
  }
  if (cursor.kindAhead(0) !== TokenKind.quotedText || cursor.kindAhead(1) !== TokenKind.closeQuote) return undefined;
  cursor.read();
  const text = cursor.lastStart;
  const value = quotedValue(cursor, text, cursor.lastEnd);
  const literal: Literal = { kind: "literal", file, start: text, end: cursor.lastEnd, value: stringValue(value) };
  cursor.read();
  return { kind: "template", file, start, end: cursor.lastEnd, parts: [literal] };
}

function parseParts(cursor: Cursor, start: number, closer: TokenKind): Template | TemplateWrap {
  const { file } = cursor;
  const reader = new PieceReader(cursor, closer);
  const pieces = reader.all();
  const close = cursor.lastSpan();
  cursor.height = reader.height + 1;
  if (closer === TokenKind.closeHeredoc && file.text.startsWith("<<-", start)) removeIndentation(pieces);
  const only = pieces.length === 1 ? pieces[0] : undefined;
  if (only?.kind === "interpolation") {
    return { kind: "templateWrap", file, start, end: close.end, wrapped: only.expression };
  }
  return { kind: "template", file, start, end: close.end, parts: assemble(cursor, pieces, close) };
}

const tilde = 0x7e;
const keywords = ["if", "else", "endif", "for", "endfor"];

/** Reads a template's tokens up to its closing one into pieces, and takes away white space at strip markers. */
class PieceReader {
  readonly #cursor: Cursor;
  readonly #closer: TokenKind;
  /** The first token, which diagnostics name the template by. */
  readonly #first: Span;
  readonly #pieces: Piece[] = [];
  /** Whether a `~}` was just read. */
  #trimNext = false;
  #height = 0;

  constructor(cursor: Cursor, closer: TokenKind) {
    this.#cursor = cursor;
    this.#closer = closer;
    this.#first = cursor.nextSpan();
  }

  /** How high the tree of the highest expression in the template is. */
  get height(): number {
    return this.#height;
  }

  all(): Piece[] {
    const cursor = this.#cursor;
    for (;;) {
      const kind = cursor.read();
      if (kind === this.#closer) return this.#pieces;
      switch (kind) {
        case TokenKind.quotedText:
          this.#text(quotedValue(cursor, cursor.lastStart, cursor.lastEnd));
          break;
        case TokenKind.templateText:
          this.#text(templateTextValue(cursor.lastText()));
          break;
        case TokenKind.openInterpolation:
        case TokenKind.openDirective:
          this.#sequence(kind);
          break;
        case TokenKind.quotedNewline:
        case TokenKind.brokenUtf8:
        case TokenKind.invalid:
          // Said already as what it is; whatever seems wrong behind it may come from it.
          cursor.recovering = true;
          cursor.faults++;
          this.#text(cursor.lastText());
          break;
        default:
          this.#unterminated();
          return this.#pieces;
      }
    }
  }

  #text(value: string): void {
    const { lastStart: start, lastEnd: end } = this.#cursor;
    this.#pieces.push({ kind: "text", value: this.#trimNext ? trimStart(value) : value, start, end });
    this.#trimNext = false;
  }

  #unterminated(): void {
    const cursor = this.#cursor;
    const context = { start: this.#first.start, end: cursor.lastEnd };
    const closer =
      this.#closer === TokenKind.closeHeredoc ? "its closing name on a line of its own" : 'its closing quote (")';
    const { line } = cursor.file.position(this.#first.start);
    const detail = `The string that begins on line ${line} does not end: ${closer} was not found before the end of the file.`;
    cursor.fault("Unterminated template string", detail, cursor.lastSpan(), context);
    cursor.skipPast(this.#closer);
  }

  /** A `${ … }` or `%{ … }`, whose opening was just read. */
  #sequence(kind: TokenKind): void {
    const cursor = this.#cursor;
    const open = cursor.lastSpan();
    const before = this.#pieces.at(-1);
    if (cursor.file.text.charCodeAt(open.end - 1) === tilde && before?.kind === "text" && before.end === open.start) {
      before.value = trimEnd(before.value);
    }
    this.#trimNext = false;
    const { newlines, parens, brackets, braces, inSequence } = cursor;
    cursor.newlines = false;
    cursor.parens = 0;
    cursor.brackets = 0;
    cursor.braces = 0;
    cursor.inSequence = true;
    if (kind === TokenKind.openInterpolation) this.#interpolation(open);
    else this.#directive(open);
    this.#height = Math.max(this.#height, cursor.height);
    cursor.newlines = newlines;
    cursor.parens = parens;
    cursor.brackets = brackets;
    cursor.braces = braces;
    cursor.inSequence = inSequence;
  }

  #interpolation(open: Span): void {
    const cursor = this.#cursor;
    const expression = parseExpressionHere(cursor);
    const next = cursor.peek();
    const end = cursor.nextEnd;
    if (next === TokenKind.closeSequence) this.#close();
    else {
      this.#extraInInterpolation(next);
      cursor.skipPast(TokenKind.closeSequence);
    }
    this.#pieces.push({ kind: "interpolation", start: open.start, end, expression });
  }

  #extraInInterpolation(next: TokenKind): void {
    const cursor = this.#cursor;
    const subject = cursor.nextSpan();
    const quoted = this.#closer === TokenKind.closeQuote;
    const atQuote = quoted && (next === TokenKind.closeQuote || next === TokenKind.openQuote);
    if (next === TokenKind.end || atQuote) {
      const where = next === TokenKind.end ? "file" : "quoted string";
      const detail = `The interpolation is not closed by a brace before the ${where} ends. Brackets inside of it may not match.`;
      return cursor.fault("Unclosed template interpolation sequence", detail, this.#first);
    }
    const escape = "If this text is meant for another language, such as a shell, write $${ instead of ${.";
    const what =
      next === TokenKind.colon ? "A colon has no place here." : "A closing brace is expected after the expression.";
    const context = { start: this.#first.start, end: subject.end };
    cursor.fault("Extra characters after interpolation expression", `${what} ${escape}`, subject, context);
  }

  #close(): void {
    const cursor = this.#cursor;
    cursor.read();
    this.#trimNext = cursor.file.text.charCodeAt(cursor.lastStart) === tilde;
  }

  #directive(open: Span): void {
    const cursor = this.#cursor;
    if (cursor.peek() !== TokenKind.identifier) {
      const subject = cursor.nextSpan();
      const context = { start: open.start, end: subject.end };
      const detail =
        "A %{ sequence begins with one of the words if, else, endif, for, endfor. Write %%{ for the text %{ itself.";
      cursor.fault("Invalid template directive", detail, subject, context);
      cursor.skipPast(TokenKind.closeSequence);
      return;
    }
    cursor.read();
    const word = cursor.lastText();
    if (!this.#readDirective(word, open)) return void cursor.skipPast(TokenKind.closeSequence);
    if (cursor.peek() === TokenKind.closeSequence) return this.#close();
    const subject = cursor.nextSpan();
    const context = { start: this.#first.start, end: subject.end };
    cursor.fault(
      `Extra characters in ${word} marker`,
      "A closing brace is expected here, to end the directive.",
      subject,
      context,
    );
    cursor.skipPast(TokenKind.closeSequence);
  }

  /** Reads what follows a directive's word; false where it makes no directive. */
  #readDirective(word: string, open: Span): boolean {
    const cursor = this.#cursor;
    switch (word) {
      case "if": {
        const condition = parseExpressionHere(cursor);
        this.#pieces.push({ kind: "if", start: open.start, end: cursor.nextSpan().end, condition });
        return true;
      }
      case "else":
      case "endif":
      case "endfor":
        this.#pieces.push({ kind: word, start: open.start, end: cursor.nextSpan().end });
        return true;
      case "for":
        return this.#for(open);
      default: {
        const meant = similar(word, keywords);
        const detail = `There is no directive "${word}".${meant ? ` Did you mean "${meant}"?` : ""} A directive is if, else, endif, for or endfor.`;
        const context = { start: open.start, end: cursor.lastEnd };
        cursor.fault("Invalid template control keyword", detail, cursor.lastSpan(), context);
        return false;
      }
    }
  }

  #for(open: Span): boolean {
    const cursor = this.#cursor;
    const names = parseForNames(cursor, (detail, subject) => cursor.fault("Invalid 'for' directive", detail, subject));
    if (!names) return false;
    const collection = parseExpressionHere(cursor);
    this.#pieces.push({ kind: "for", start: open.start, end: cursor.nextSpan().end, ...names, collection });
    return true;
  }
}

export interface ForNames {
  readonly keyName: string | undefined;
  readonly valueName: string;
}

/** `value in` or `key, value in`, behind the word `for`. */
export function parseForNames(cursor: Cursor, fault: (detail: string, subject: Span) => void): ForNames | undefined {
  if (cursor.peek() !== TokenKind.identifier) {
    fault("The word for is followed by a name for the elements.", cursor.nextSpan());
    return undefined;
  }
  cursor.read();
  const first = cursor.lastText();
  let second: string | undefined;
  if (cursor.peek() === TokenKind.comma) {
    cursor.read();
    if (cursor.peek() !== TokenKind.identifier) {
      fault("The comma is followed by a name for the values; the name before it is for the keys.", cursor.nextSpan());
      return undefined;
    }
    cursor.read();
    second = cursor.lastText();
  }
  if (!cursor.nextIs("in")) {
    fault("The names are followed by the word in and the collection to go through.", cursor.nextSpan());
    return undefined;
  }
  cursor.read();
  return second === undefined ? { keyName: undefined, valueName: first } : { keyName: first, valueName: second };
}

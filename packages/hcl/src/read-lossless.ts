import type { LosslessBlock, LosslessFile, LosslessItem, LosslessLabel, LosslessToken } from "./lossless.ts";
import { endsLine, losslessTokens } from "./lossless.ts";
import type { TokenBuffer } from "./tokens.ts";
import { TokenKind } from "./tokens.ts";

/**
 * Reads the tokens of a configuration into a lossless tree. Never fails; takes time linear in the number of tokens.
 * `text` may stand in for the file's own, unit for unit.
 */
export function readLossless(buffer: TokenBuffer, text: string = buffer.file.text): LosslessFile {
  return new LosslessReader(losslessTokens(buffer, text)).read();
}

/** A body whose end is not reached yet; the block it belongs to is finished when it is. */
interface OpenBody {
  readonly items: LosslessItem[];
  readonly header: Pick<LosslessBlock, "leadComments" | "type" | "labels" | "open"> | undefined;
}

class LosslessReader {
  readonly #tokens: readonly LosslessToken[];
  #at = 0;
  /** Comments that belong to the item below them, unless a blank line comes first. */
  #comments: LosslessToken[] = [];
  /** The bodies around the current place; a list and not the call stack, as a file may nest them without end. */
  readonly #bodies: OpenBody[] = [{ items: [], header: undefined }];

  constructor(tokens: readonly LosslessToken[]) {
    this.#tokens = tokens;
  }

  read(): LosslessFile {
    for (;;) {
      const token = this.#next;
      if (token.kind === TokenKind.end) break;
      if (token.kind === TokenKind.comment) this.#comments.push(this.#take());
      else if (token.kind === TokenKind.closeBrace && this.#bodies.length > 1) this.#closeBlock([this.#take()]);
      else if (!this.#attribute() && !this.#openBlock()) this.#filler();
    }
    while (this.#bodies.length > 1) this.#closeBlock([]);
    this.#flushComments();
    return { body: { items: this.#items }, endSpace: this.#next.space };
  }

  get #next(): LosslessToken {
    return this.#tokens[this.#at]!;
  }

  get #items(): LosslessItem[] {
    return this.#bodies.at(-1)!.items;
  }

  #take(): LosslessToken {
    return this.#tokens[this.#at++]!;
  }

  #takeUntil(end: number): LosslessToken[] {
    const taken = this.#tokens.slice(this.#at, end);
    this.#at = end;
    return taken;
  }

  #takeComments(): LosslessToken[] {
    const comments = this.#comments;
    this.#comments = [];
    return comments;
  }

  #flushComments(): void {
    const tokens = this.#takeComments();
    if (tokens.length > 0) this.#items.push({ kind: "filler", tokens });
  }

  /** `name = expression`, the name perhaps in quotes. */
  #attribute(): boolean {
    const nameEnd = this.#labelEnd(this.#at);
    if (nameEnd === undefined) return false;
    const assign = this.#pastComments(nameEnd);
    if (this.#kindAt(assign) !== TokenKind.assign) return false;
    const expression = this.#pastComments(assign + 1);
    const leadComments = this.#takeComments();
    this.#items.push({
      kind: "attribute",
      leadComments,
      name: this.#takeUntil(nameEnd),
      assign: this.#takeUntil(expression),
      expression: this.#takeUntil(this.#expressionEnd(expression)),
      lineEnd: this.#lineEnd(),
    });
    return true;
  }

  /** `type "label" label {`. */
  #openBlock(): boolean {
    if (this.#next.kind !== TokenKind.identifier) return false;
    const ends: { comments: number; label: number }[] = [];
    let at = this.#at + 1;
    for (;;) {
      const comments = this.#pastComments(at);
      const label = this.#labelEnd(comments);
      if (label === undefined) {
        at = comments;
        break;
      }
      ends.push({ comments, label });
      at = label;
    }
    if (this.#kindAt(at) !== TokenKind.openBrace) return false;
    const leadComments = this.#takeComments();
    const type = this.#take();
    const labels = ends.map(({ comments, label }): LosslessLabel => {
      return { comments: this.#takeUntil(comments), tokens: this.#takeUntil(label) };
    });
    this.#bodies.push({ items: [], header: { leadComments, type, labels, open: this.#takeUntil(at + 1) } });
    return true;
  }

  #closeBlock(close: readonly LosslessToken[]): void {
    this.#flushComments();
    const { items, header } = this.#bodies.pop()!;
    const lineEnd = close.length > 0 ? this.#lineEnd() : [];
    this.#items.push({ kind: "block", ...header!, body: { items }, close, lineEnd });
  }

  /** A blank line by itself; anything else up to the end of its line. */
  #filler(): void {
    this.#flushComments();
    const end = endsLine(this.#next) ? this.#at : this.#expressionEnd(this.#at + 1);
    const ends = end < this.#tokens.length && endsLine(this.#tokens[end]!);
    this.#items.push({ kind: "filler", tokens: this.#takeUntil(ends ? end + 1 : end) });
  }

  /** The place behind an identifier or a quoted text; undefined where there is neither. */
  #labelEnd(at: number): number | undefined {
    const kind = this.#kindAt(at);
    if (kind === TokenKind.identifier) return at + 1;
    if (kind !== TokenKind.openQuote) return undefined;
    let end = at + 1;
    while (this.#kindAt(end) === TokenKind.quotedText) end++;
    return this.#kindAt(end) === TokenKind.closeQuote ? end + 1 : undefined;
  }

  /** The place behind comments that do not end the line. */
  #pastComments(from: number): number {
    let at = from;
    while (this.#kindAt(at) === TokenKind.comment && !endsLine(this.#tokens[at]!)) at++;
    return at;
  }

  /** The place behind the last token of an expression, before comments that end its line. */
  #expressionEnd(from: number): number {
    let depth = 0;
    let at = from;
    for (; ; at++) {
      const token = this.#tokens[at]!;
      if (token.kind === TokenKind.end) break;
      if (depth === 0 && (token.kind === TokenKind.closeBrace || endsLine(token))) break;
      depth = Math.max(0, depth + nesting(token.kind));
    }
    while (at > from && this.#kindAt(at - 1) === TokenKind.comment) at--;
    return at;
  }

  #lineEnd(): LosslessToken[] {
    const end = this.#pastComments(this.#at);
    const token = this.#tokens[end]!;
    return this.#takeUntil(endsLine(token) ? end + 1 : end);
  }

  #kindAt(at: number): TokenKind {
    return this.#tokens[Math.min(at, this.#tokens.length - 1)]!.kind;
  }
}

/** How a token changes the depth within an expression. */
function nesting(kind: TokenKind): number {
  switch (kind) {
    case TokenKind.openBrace:
    case TokenKind.openBracket:
    case TokenKind.openParen:
    case TokenKind.openQuote:
    case TokenKind.openHeredoc:
    case TokenKind.openInterpolation:
    case TokenKind.openDirective:
      return 1;
    case TokenKind.closeBrace:
    case TokenKind.closeBracket:
    case TokenKind.closeParen:
    case TokenKind.closeQuote:
    case TokenKind.closeHeredoc:
    case TokenKind.closeSequence:
      return -1;
    default:
      return 0;
  }
}

import { formatRange } from "@millwright/core/source";
import { stringValue } from "@millwright/value/value";
import type { Expression, For, Literal, Template } from "./ast.ts";
import type { Cursor, Span } from "./cursor.ts";
import { maximumNesting } from "./cursor.ts";
import { rangeBetween } from "./source-file.ts";

/** What a template is a flat row of, before its directives are matched. */
export type Piece = TextPiece | InterpolationPiece | IfPiece | ForPiece | ClosingPiece;

export interface TextPiece {
  readonly kind: "text";
  /** Changed in place where white space is taken away. */
  value: string;
  start: number;
  end: number;
}

export interface InterpolationPiece extends Span {
  readonly kind: "interpolation";
  readonly expression: Expression;
}

export interface IfPiece extends Span {
  readonly kind: "if";
  readonly condition: Expression;
}

export interface ForPiece extends Span {
  readonly kind: "for";
  readonly keyName: string | undefined;
  readonly valueName: string;
  readonly collection: Expression;
}

export interface ClosingPiece extends Span {
  readonly kind: "else" | "endif" | "endfor";
}

/** Makes the parts of a template from its pieces; `end` is where the template ends. */
export function assemble(cursor: Cursor, pieces: readonly Piece[], end: Span): Expression[] {
  return new Assembler(cursor, pieces, end).all();
}

const unbalanced =
  "The directives of this template do not match: each %{ if } needs its %{ endif }, each %{ for } its %{ endfor }.";

class Assembler {
  readonly #cursor: Cursor;
  readonly #pieces: readonly Piece[];
  readonly #end: Span;
  #at = 0;
  #depth = 0;

  constructor(cursor: Cursor, pieces: readonly Piece[], end: Span) {
    this.#cursor = cursor;
    this.#pieces = pieces;
    this.#end = end;
  }

  all(): Expression[] {
    const parts: Expression[] = [];
    while (this.#at < this.#pieces.length) parts.push(this.#part());
    return parts;
  }

  #part(): Expression {
    const piece = this.#pieces[this.#at++]!;
    switch (piece.kind) {
      case "text":
        return this.#text(piece);
      case "interpolation":
        return piece.expression;
      case "if":
      case "for": {
        if (this.#depth + this.#cursor.depth >= maximumNesting) return this.#tooDeep(piece);
        this.#depth++;
        this.#cursor.height += 3;
        const part = piece.kind === "if" ? this.#if(piece) : this.#for(piece);
        this.#depth--;
        return part;
      }
      default:
        return this.#unexpected(piece, unbalanced);
    }
  }

  /** A text with all text that follows it directly. */
  #text(first: TextPiece): Literal {
    let { value, end } = first;
    for (let next = this.#pieces[this.#at]; next?.kind === "text"; next = this.#pieces[++this.#at]) {
      value += next.value;
      end = next.end;
    }
    return { kind: "literal", file: this.#cursor.file, start: first.start, end, value: stringValue(value) };
  }

  #if(open: IfPiece): Expression {
    const whenTrue: Expression[] = [];
    const whenFalse: Expression[] = [];
    let otherwise: ClosingPiece | undefined;
    for (;;) {
      const next = this.#pieces[this.#at];
      if (!next) return this.#unclosed(open, "if", "endif");
      if (next.kind === "endif") {
        this.#at++;
        return {
          kind: "conditional",
          file: this.#cursor.file,
          start: open.start,
          end: next.end,
          condition: open.condition,
          whenTrue: this.#template(whenTrue, open.end),
          whenFalse: this.#template(whenFalse, next.start),
        };
      }
      if (next.kind === "else" && !otherwise) {
        this.#at++;
        otherwise = next;
      } else if (next.kind === "else" || next.kind === "endfor") {
        this.#at++;
        const place = this.#placeOf(open);
        const why =
          next.kind === "else"
            ? `The directive %{ if } at ${place} has its %{ else } already.`
            : `The directive %{ if } at ${place} must be closed by %{ endif } first.`;
        return this.#unexpected(next, why);
      } else (otherwise ? whenFalse : whenTrue).push(this.#part());
    }
  }

  #for(open: ForPiece): Expression {
    const content: Expression[] = [];
    for (;;) {
      const next = this.#pieces[this.#at];
      if (!next) return this.#unclosed(open, "for", "endfor");
      if (next.kind === "endfor") {
        this.#at++;
        return this.#join(open, next, this.#template(content, open.end));
      }
      if (next.kind === "else" || next.kind === "endif") {
        this.#at++;
        const why =
          next.kind === "else"
            ? "A %{ for } has no %{ else }."
            : `The directive %{ for } at ${this.#placeOf(open)} must be closed by %{ endfor } first.`;
        return this.#unexpected(next, why);
      }
      content.push(this.#part());
    }
  }

  #join(open: ForPiece, close: Span, value: Template): Expression {
    const { file } = this.#cursor;
    const place = { file, start: open.start, end: close.end };
    const tuple: For = {
      kind: "for",
      ...place,
      ...(open.keyName === undefined ? {} : { keyName: open.keyName }),
      valueName: open.valueName,
      collection: open.collection,
      value,
      group: false,
      open: { file, start: open.start, end: open.end },
      close: { file, start: close.start, end: close.end },
    };
    return { kind: "templateJoin", ...place, tuple };
  }

  #template(parts: readonly Expression[], placeIfEmpty: number): Template {
    const { file } = this.#cursor;
    const start = parts[0]?.start ?? placeIfEmpty;
    return { kind: "template", file, start, end: parts.at(-1)?.end ?? placeIfEmpty, parts };
  }

  #unexpected(piece: ClosingPiece, detail: string): Expression {
    this.#cursor.error(`Unexpected ${piece.kind} directive`, detail, piece);
    return this.#cursor.invalid(piece.start, piece.end);
  }

  #unclosed(open: Span, name: string, closing: string): Expression {
    const detail = `The directive %{ ${name} } at ${this.#placeOf(open)} has no %{ ${closing} } before the template ends.`;
    this.#cursor.error("Unexpected end of template", detail, this.#end);
    return this.#cursor.invalid(this.#end.start, this.#end.end);
  }

  #tooDeep(piece: Span): Expression {
    const detail = `Directives can be nested at most ${maximumNesting} levels deep. Move the inner part to a value of its own.`;
    this.#cursor.error("Nesting too deep", detail, piece);
    this.#at = this.#pieces.length;
    return this.#cursor.invalid(piece.start, piece.end);
  }

  #placeOf(piece: Span): string {
    return formatRange(rangeBetween(this.#cursor.file, piece.start, piece.end));
  }
}

import type { TokenBuffer } from "./tokens.ts";
import { TokenKind } from "./tokens.ts";

/**
 * The tree to edit and format: every token of a file with the space before it, so that printing gives back each
 * character. Nodes are immutable; an edit makes new ones. What is no attribute and no block is a filler, also what the
 * language does not know, so that any text has such a tree.
 */
export interface LosslessFile {
  readonly body: LosslessBody;
  /** The spaces behind the last token. */
  readonly endSpace: string;
}

export interface LosslessBody {
  readonly items: readonly LosslessItem[];
}

export type LosslessItem = LosslessAttribute | LosslessBlock | LosslessFiller;

export interface LosslessToken {
  readonly kind: TokenKind;
  readonly text: string;
  /** The spaces and tabs before it. */
  readonly space: string;
}

export interface LosslessAttribute {
  readonly kind: "attribute";
  /** Comments on the lines directly above. */
  readonly leadComments: readonly LosslessToken[];
  /** One identifier; a quoted text where the reader allows that. */
  readonly name: readonly LosslessToken[];
  /** The equals sign, with comments around it. */
  readonly assign: readonly LosslessToken[];
  readonly expression: readonly LosslessToken[];
  /** Comments behind the expression, and the newline, which may be part of the last comment. */
  readonly lineEnd: readonly LosslessToken[];
}

export interface LosslessBlock {
  readonly kind: "block";
  readonly leadComments: readonly LosslessToken[];
  readonly type: LosslessToken;
  readonly labels: readonly LosslessLabel[];
  /** The opening brace, with comments before it. */
  readonly open: readonly LosslessToken[];
  readonly body: LosslessBody;
  /** The closing brace; empty where the file ends without one. */
  readonly close: readonly LosslessToken[];
  readonly lineEnd: readonly LosslessToken[];
}

export interface LosslessLabel {
  readonly comments: readonly LosslessToken[];
  /** An identifier, or the tokens of a quoted text. */
  readonly tokens: readonly LosslessToken[];
}

/** Blank lines, comments apart from any item, and whatever could not be read. */
export interface LosslessFiller {
  readonly kind: "filler";
  readonly tokens: readonly LosslessToken[];
}

/** The text of a tree: for an unchanged one, the text that it was read from. */
export function printLossless(file: LosslessFile): string {
  const pieces: string[] = [];
  for (const token of bodyTokens(file.body)) pieces.push(token.space, token.text);
  return pieces.join("") + file.endSpace;
}

/** All tokens of a body in order. */
export function bodyTokens(body: LosslessBody): LosslessToken[] {
  const tokens: LosslessToken[] = [];
  const pending: (LosslessItem | readonly LosslessToken[])[] = [...body.items].reverse();
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (!("kind" in next)) {
      append(tokens, next);
      continue;
    }
    switch (next.kind) {
      case "filler":
        append(tokens, next.tokens);
        break;
      case "attribute":
        for (const part of [next.leadComments, next.name, next.assign, next.expression, next.lineEnd])
          append(tokens, part);
        break;
      case "block":
        append(tokens, next.leadComments);
        tokens.push(next.type);
        for (const label of next.labels) {
          append(tokens, label.comments);
          append(tokens, label.tokens);
        }
        append(tokens, next.open);
        pending.push(next.lineEnd, next.close);
        for (let i = next.body.items.length - 1; i >= 0; i--) pending.push(next.body.items[i]!);
        break;
    }
  }
  return tokens;
}

/** Whether a token ends its line: a newline, or a comment that holds one. */
export function endsLine(token: LosslessToken): boolean {
  return token.kind === TokenKind.newline || (token.kind === TokenKind.comment && token.text.endsWith("\n"));
}

/** The tokens of a buffer with the space before each; the last is the empty one at the end. */
export function losslessTokens(buffer: TokenBuffer, text: string = buffer.file.text): LosslessToken[] {
  const tokens = new Array<LosslessToken>(buffer.count);
  let end = 0;
  for (let i = 0; i < buffer.count; i++) {
    const start = buffer.starts[i]!;
    const space = start === end ? "" : text.slice(end, start);
    end = buffer.ends[i]!;
    tokens[i] = { kind: buffer.kinds[i] as TokenKind, text: text.slice(start, end), space };
  }
  return tokens;
}

function append(to: LosslessToken[], tokens: readonly LosslessToken[]): void {
  for (const token of tokens) to.push(token);
}

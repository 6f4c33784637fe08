import { countGraphemes } from "@millwright/text/graphemes";
import type { LosslessToken } from "./lossless.ts";
import { endsLine } from "./lossless.ts";
import { TokenKind } from "./tokens.ts";

/**
 * Writes tokens with canonical spaces: lines indented by their brackets, one space or none within a line, and equals signs
 * and comments of neighbouring lines below one another. Only spaces change, no line is broken or joined.
 */
export function layOut(tokens: readonly LosslessToken[]): string {
  const spaces = new Array<number>(tokens.length).fill(0);
  const lines = cutLines(tokens);
  indent(tokens, lines, spaces);
  for (const line of lines) {
    spaceWithin(tokens, spaces, line.start, line.assign);
    spaceWithin(tokens, spaces, line.assign, line.comment);
  }
  const widths = tokens.map((token) => (token.text.length > 1 ? countGraphemes(token.text) : 1));
  const columnsOf = (start: number, end: number) => {
    let columns = 0;
    for (let i = start; i < end; i++) columns += spaces[i]! + widths[i]!;
    return columns;
  };
  align(lines, spaces, (line) => [line.assign, line.comment], columnsOf);
  align(lines, spaces, (line) => [line.comment, line.end], columnsOf);
  return tokens.map((token, i) => " ".repeat(spaces[i]!) + token.text).join("");
}

/**
 * A line as three cells: what leads, from its equals sign on, and its comment. A cell that is not there is empty; the
 * offsets are those of tokens.
 */
interface Line {
  readonly start: number;
  readonly assign: number;
  readonly comment: number;
  readonly end: number;
}

function cutLines(tokens: readonly LosslessToken[]): Line[] {
  const lines: Line[] = [];
  let start = 0;
  for (let i = 0; i < tokens.length; i++) {
    if (!endsLine(tokens[i]!) && i < tokens.length - 1) continue;
    lines.push(cutCells(tokens, start, i + 1));
    start = i + 1;
  }
  return lines;
}

function cutCells(tokens: readonly LosslessToken[], start: number, end: number): Line {
  const hasComment = end - start > 1 && tokens[end - 1]!.kind === TokenKind.comment;
  const comment = hasComment ? end - 1 : end;
  let assign = comment;
  for (let i = start + 1; i < comment; i++) {
    if (tokens[i]!.kind !== TokenKind.assign) continue;
    // Brackets that stay open begin an expression of several lines, which is no cell.
    if (netBrackets(tokens, i, comment) === 0) assign = i;
    break;
  }
  return { start, assign, comment, end };
}

function indent(tokens: readonly LosslessToken[], lines: readonly Line[], spaces: number[]): void {
  /** How many brackets each level of indentation was opened by. */
  const levels: number[] = [];
  for (const { start, assign, comment } of lines) {
    if (tokens[start]!.kind === TokenKind.newline) continue;
    let net = netBrackets(tokens, start, heredocIn(tokens, start, assign)) + netBrackets(tokens, assign, comment);
    while (net < 0 && levels.length > 0) {
      const opened = levels.pop()! + net;
      if (opened > 0) levels.push(opened);
      net = Math.min(0, opened);
    }
    spaces[start] = 2 * levels.length;
    if (net > 0) levels.push(net);
  }
}

/** The first heredoc of a cell, or its end: brackets inside a heredoc do not indent what is below it. */
function heredocIn(tokens: readonly LosslessToken[], start: number, end: number): number {
  for (let i = start; i < end; i++) if (tokens[i]!.kind === TokenKind.openHeredoc) return i;
  return end;
}

/** How many more brackets are opened than closed. */
function netBrackets(tokens: readonly LosslessToken[], start: number, end: number): number {
  let net = 0;
  for (let i = start; i < end; i++) {
    const { kind } = tokens[i]!;
    if (openers.has(kind)) net++;
    else if (closers.has(kind)) net--;
  }
  return net;
}

function spaceWithin(tokens: readonly LosslessToken[], spaces: number[], start: number, end: number): void {
  for (let i = start + 1; i < end; i++) {
    const before = i - 1 > start ? tokens[i - 2] : undefined;
    spaces[i] = wantsSpace(before, tokens[i - 1]!, tokens[i]!) ? 1 : 0;
  }
}

/** Puts a cell of neighbouring lines that all have it one space behind the longest of what stands before it. */
function align(
  lines: readonly Line[],
  spaces: number[],
  cell: (line: Line) => readonly [start: number, end: number],
  columns: (start: number, end: number) => number,
): void {
  for (let first = 0; first < lines.length; first++) {
    let last = first;
    let widest = 0;
    for (; last < lines.length; last++) {
      const [start, end] = cell(lines[last]!);
      if (start === end) break;
      widest = Math.max(widest, columns(lines[last]!.start, start));
    }
    for (const line of lines.slice(first, last)) {
      const [start] = cell(line);
      spaces[start] = widest - columns(line.start, start) + 1;
    }
    first = last;
  }
}

const openers: ReadonlySet<TokenKind> = new Set([
  TokenKind.openBrace,
  TokenKind.openBracket,
  TokenKind.openParen,
  TokenKind.openInterpolation,
  TokenKind.openDirective,
]);

const closers: ReadonlySet<TokenKind> = new Set([
  TokenKind.closeBrace,
  TokenKind.closeBracket,
  TokenKind.closeParen,
  TokenKind.closeSequence,
]);

/** Text of a template, on whose both sides nothing may be added. */
const templateText: ReadonlySet<TokenKind> = new Set([TokenKind.quotedText, TokenKind.templateText]);

/** Tokens behind which a minus can only be a sign. */
const beforeSign: ReadonlySet<TokenKind> = new Set([
  TokenKind.openParen,
  TokenKind.openBrace,
  TokenKind.openBracket,
  TokenKind.assign,
  TokenKind.colon,
  TokenKind.comma,
  TokenKind.question,
  TokenKind.plus,
  TokenKind.star,
  TokenKind.slash,
  TokenKind.percent,
  TokenKind.minus,
  TokenKind.equal,
  TokenKind.notEqual,
  TokenKind.greater,
  TokenKind.greaterOrEqual,
  TokenKind.less,
  TokenKind.lessOrEqual,
  TokenKind.and,
  TokenKind.or,
  TokenKind.not,
]);

/** Whether a space stands between `left` and `right`; `before` is what stands before `left` in its cell. */
function wantsSpace(before: LosslessToken | undefined, left: LosslessToken, right: LosslessToken): boolean {
  const l = left.kind;
  const r = right.kind;
  if (r === TokenKind.newline || clingTogether(l, r)) return false;
  if (l === TokenKind.comma) return true;
  if (clingsToTemplate(l, r)) return false;
  // `in [x]` of a for expression, which is no index.
  if (l === TokenKind.identifier && left.text === "in" && before?.kind === TokenKind.identifier) return true;
  if (r === TokenKind.openBracket && (l === TokenKind.identifier || l === TokenKind.number || closers.has(l)))
    return false;
  if (l === TokenKind.not) return false;
  if (l === TokenKind.minus) return before !== undefined && !beforeSign.has(before.kind);
  if (l === TokenKind.openBrace || r === TokenKind.closeBrace)
    return l !== TokenKind.openBrace || r !== TokenKind.closeBrace;
  const opensSequence = l === TokenKind.openInterpolation || l === TokenKind.openDirective;
  if (opensSequence && r === TokenKind.openBrace) return true;
  if (l === TokenKind.closeBrace && r === TokenKind.closeSequence) return true;
  if (l === TokenKind.closeSequence && (r === TokenKind.openInterpolation || r === TokenKind.openDirective))
    return false;
  return !openers.has(l) && !closers.has(r);
}

/** A call's name and its parenthesis, namespaces, steps, and what stands before a comma. */
function clingTogether(left: TokenKind, right: TokenKind): boolean {
  if (left === TokenKind.dot || right === TokenKind.dot) return true;
  if (right === TokenKind.comma || right === TokenKind.ellipsis) return true;
  if (left === TokenKind.identifier) return right === TokenKind.openParen || right === TokenKind.doubleColon;
  return left === TokenKind.doubleColon && right === TokenKind.identifier;
}

function clingsToTemplate(left: TokenKind, right: TokenKind): boolean {
  if (templateText.has(left) || templateText.has(right)) return true;
  if (left === TokenKind.openQuote || left === TokenKind.openHeredoc) return true;
  return right === TokenKind.closeQuote || right === TokenKind.closeHeredoc;
}

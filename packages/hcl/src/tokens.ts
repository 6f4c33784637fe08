import type { SourceFile } from "./source-file.ts";

/** What a token is. `end` stands last in every {@link TokenBuffer} and is empty; spaces and tabs are between tokens. */
export const TokenKind = {
  end: 0,
  newline: 1,
  /** `# …` and `// …` hold the newline that ends them, if there is one; `/* … *\/` does not. */
  comment: 2,
  identifier: 3,
  number: 4,
  openBrace: 5,
  closeBrace: 6,
  openBracket: 7,
  closeBracket: 8,
  openParen: 9,
  closeParen: 10,
  openQuote: 11,
  closeQuote: 12,
  /** `<<NAME` or `<<-NAME` and the newline behind it. */
  openHeredoc: 13,
  /** The spaces before the closing name, the name, and spaces behind it, without the newline. */
  closeHeredoc: 14,
  /** Text inside quotes, with its escapes. */
  quotedText: 15,
  /** Text of a heredoc or a bare template: at most to the end of its line, newline included. */
  templateText: 16,
  /** `${` or `${~`. */
  openInterpolation: 17,
  /** `%{` or `%{~`. */
  openDirective: 18,
  /** `}` or `~}` of either. */
  closeSequence: 19,
  assign: 20,
  arrow: 21,
  dot: 22,
  comma: 23,
  colon: 24,
  doubleColon: 25,
  ellipsis: 26,
  question: 27,
  plus: 28,
  minus: 29,
  star: 30,
  slash: 31,
  percent: 32,
  equal: 33,
  notEqual: 34,
  less: 35,
  lessOrEqual: 36,
  greater: 37,
  greaterOrEqual: 38,
  and: 39,
  or: 40,
  not: 41,
  // Nothing of the language: read so that a diagnostic can say what to write instead.
  ampersand: 42,
  pipe: 43,
  tilde: 44,
  caret: 45,
  apostrophe: 46,
  backtick: 47,
  semicolon: 48,
  /** One or more newlines inside quotes. */
  quotedNewline: 49,
  brokenUtf8: 50,
  invalid: 51,
} as const;

export type TokenKind = (typeof TokenKind)[keyof typeof TokenKind];

/**
 * All tokens of a file, in order, as parallel arrays: token `i` is `kinds[i]` from `starts[i]` to `ends[i]` (UTF-16
 * offsets). They do not overlap, and what is between two tokens is spaces and tabs: nothing of the source is lost.
 * Only the first `count` elements count; the last of them is `TokenKind.end`.
 */
export interface TokenBuffer {
  readonly file: SourceFile;
  readonly count: number;
  readonly kinds: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** The text of token `i`. */
export function tokenText(tokens: TokenBuffer, i: number): string {
  return tokens.file.text.slice(tokens.starts[i], tokens.ends[i]);
}

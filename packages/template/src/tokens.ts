import { sprintf } from "@millwright/text/printf";
import { quote } from "@millwright/text/quote";

export type TokenKind =
  | "error"
  | "bool"
  | "character"
  | "charConstant"
  | "complex"
  | "assign"
  | "declare"
  | "eof"
  | "field"
  | "identifier"
  | "leftDelimiter"
  | "leftParenthesis"
  | "number"
  | "pipe"
  | "rawString"
  | "rightDelimiter"
  | "rightParenthesis"
  | "space"
  | "string"
  | "text"
  | "variable"
  | Keyword;

export type Keyword =
  | "block"
  | "break"
  | "continue"
  | "dot"
  | "define"
  | "else"
  | "end"
  | "if"
  | "nil"
  | "range"
  | "template"
  | "with";

const keywords: ReadonlySet<string> = new Set<Keyword>([
  "block",
  "break",
  "continue",
  "define",
  "else",
  "end",
  "if",
  "nil",
  "range",
  "template",
  "with",
]);

export function isKeyword(word: string): word is Keyword {
  return keywords.has(word);
}

export interface Token {
  readonly kind: TokenKind;
  /** UTF-16 offset into the source. */
  readonly at: number;
  /** The text of the token; of an error what is wrong. */
  readonly value: string;
  /** The line on which it begins, from 1. */
  readonly line: number;
}

/** A token as messages show it. */
export function tokenText({ kind, value }: Token): string {
  if (kind === "eof") return "EOF";
  if (kind === "error") return value;
  if (kind === "dot" || isKeyword(kind)) return `<${value}>`;
  if (Buffer.byteLength(value) > 10) return sprintf("%.10q...", [{ kind: "string", value }]);
  return quote(value);
}

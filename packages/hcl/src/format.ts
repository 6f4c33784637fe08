import { quoteHcl } from "@millwright/text/quote";
import { layOut } from "./layout.ts";
import type {
  LosslessAttribute,
  LosslessBlock,
  LosslessBody,
  LosslessFile,
  LosslessLabel,
  LosslessToken,
} from "./lossless.ts";
import { bodyTokens, endsLine } from "./lossless.ts";
import { TokenKind } from "./tokens.ts";

/**
 * The canonical text of a tree without syntax errors: what `terraform fmt` writes. Beyond spaces it writes labels in
 * quotes, takes `"${…}"` away around a whole value, and gives a variable's old type keywords their element type.
 *
 * It differs from `terraform fmt` (1.11) where that would break a file, or change it again when run again:
 * - labels with a lone `$` or `%`, and the index of `a[null]` or `a[true]`, are kept;
 * - a value that comes out of `"${…}"` with a comment line before its end is put in parentheses;
 * - `"${…}"` within `"${…}"` goes at once;
 * - a file that is nothing but a byte order mark becomes empty, not three spaces.
 */
export function formatTree(file: LosslessFile): string {
  return layOut(bodyTokens(formatBody(file.body, []))) + " ".repeat(file.endSpace.length);
}

function formatBody(body: LosslessBody, path: readonly string[]): LosslessBody {
  const items = body.items.map((item) => {
    switch (item.kind) {
      case "filler":
        return item;
      case "attribute":
        return formatAttribute(item, path);
      case "block":
        return formatBlock(item, path);
    }
  });
  return { items };
}

function formatAttribute(attribute: LosslessAttribute, path: readonly string[]): LosslessAttribute {
  const isType = path.length === 1 && path[0] === "variable" && attribute.name[0]!.text === "type";
  const expression = isType ? formatType(attribute.expression) : unwrap(attribute.expression);
  return { ...attribute, expression };
}

function formatBlock(block: LosslessBlock, path: readonly string[]): LosslessBlock {
  return {
    ...block,
    labels: block.labels.map(formatLabel),
    body: formatBody(block.body, [...path, block.type.text]),
  };
}

/** Labels are quoted, in the normal form that the reference gives all strings, and without comments between them. */
function formatLabel(label: LosslessLabel): LosslessLabel {
  return { comments: [], tokens: labelTokens(labelText(label)) };
}

/** The text that a label stands for. */
export function labelText({ tokens }: LosslessLabel): string {
  if (tokens.length === 1) return tokens[0]!.text;
  return tokens
    .slice(1, -1)
    .map((token) => token.text.replace(/^([$%])\1(?=\{)/, "$1").replace(escapeForm, unescape))
    .join("");
}

/** A label as the tokens of a quoted text. */
export function labelTokens(text: string): LosslessToken[] {
  const quoted = quoteHcl(text.normalize("NFC"));
  const inner = newToken(TokenKind.quotedText, quoted.slice(1, -1));
  const quote = (kind: TokenKind) => newToken(kind, '"');
  return [quote(TokenKind.openQuote), ...(inner.text === "" ? [] : [inner]), quote(TokenKind.closeQuote)];
}

const escapeForm = /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([nrt"\\]))/g;

function unescape(_: string, short?: string, long?: string, simple?: string): string {
  const code = short ?? long;
  if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
  return { n: "\n", r: "\r", t: "\t" }[simple!] ?? simple!;
}

function newToken(kind: TokenKind, text: string): LosslessToken {
  return { kind, text, space: "" };
}

/** `"${x}"` becomes `x`, on several lines `(x)`. */
function unwrap(expression: readonly LosslessToken[]): readonly LosslessToken[] {
  let inside = expression;
  while (isOneInterpolation(inside)) inside = trimNewlines(inside.slice(2, -2));
  if (inside === expression) return expression;
  const isEnclosed = inside[0]?.kind === TokenKind.openParen && inside.at(-1)?.kind === TokenKind.closeParen;
  // A comment line at the very end goes well outside of parentheses.
  if (isEnclosed || !inside.slice(0, -1).some(endsLine)) return inside;
  return [newToken(TokenKind.openParen, "("), ...inside, newToken(TokenKind.closeParen, ")")];
}

/** Whether a quoted template is nothing but one interpolation, as far as that shows without parsing it. */
function isOneInterpolation(tokens: readonly LosslessToken[]): boolean {
  if (tokens.length < 5) return false;
  const [first, second] = tokens;
  if (first!.kind !== TokenKind.openQuote || second!.kind !== TokenKind.openInterpolation) return false;
  if (tokens.at(-2)!.kind !== TokenKind.closeSequence || tokens.at(-1)!.kind !== TokenKind.closeQuote) return false;
  let quotes = 0;
  for (const { kind } of tokens.slice(2, -2)) {
    if (kind === TokenKind.openQuote) quotes++;
    else if (kind === TokenKind.closeQuote) quotes--;
    else if (quotes === 0 && (kind === TokenKind.openInterpolation || kind === TokenKind.closeSequence)) return false;
    else if (quotes === 0 && kind === TokenKind.quotedText) return false;
  }
  return true;
}

function trimNewlines(tokens: readonly LosslessToken[]): LosslessToken[] {
  let start = 0;
  let end = tokens.length;
  while (start < end && tokens[start]!.kind === TokenKind.newline) start++;
  while (end > start && tokens[end - 1]!.kind === TokenKind.newline) end--;
  return tokens.slice(start, end);
}

/** Collections without an element type, as bare names (`list(any)`) or in the quotes of older versions (`list(string)`). */
function formatType(tokens: readonly LosslessToken[]): readonly LosslessToken[] {
  const [first, second, third] = tokens;
  if (tokens.length === 1 && first!.kind === TokenKind.identifier) {
    return ["list", "map", "set"].includes(first!.text) ? collectionType(first!.text, "any") : tokens;
  }
  const isQuoted = first?.kind === TokenKind.openQuote && second?.kind === TokenKind.quotedText;
  if (tokens.length !== 3 || !isQuoted || third?.kind !== TokenKind.closeQuote) return tokens;
  if (second.text === "string") return [newToken(TokenKind.identifier, "string")];
  return second.text === "list" || second.text === "map" ? collectionType(second.text, "string") : tokens;
}

function collectionType(kind: string, element: string): LosslessToken[] {
  return [
    newToken(TokenKind.identifier, kind),
    newToken(TokenKind.openParen, "("),
    newToken(TokenKind.identifier, element),
    newToken(TokenKind.closeParen, ")"),
  ];
}

import type { Attribute, Block, Body, Node } from "./ast.ts";
import { formatRange } from "@millwright/core/source";
import type { Cursor } from "./cursor.ts";
import { maximumNesting } from "./cursor.ts";
import { parseExpressionHere } from "./parse-expression.ts";
import { rangeOf } from "./source-file.ts";
import { quotedValue } from "./string-escapes.ts";
import { TokenKind } from "./tokens.ts";

type BodyEnd = typeof TokenKind.end | typeof TokenKind.closeBrace;

/**
 * The attributes and blocks up to and with the closing token, which is the end of the file or a brace (native syntax
 * specification, "Structural Elements"). What is no item is left out up to the end of its line, so that the others stay.
 */
export function parseBody(cursor: Cursor, closer: BodyEnd): Body {
  cursor.peek();
  const open = cursor.lastNode();
  const { faults } = cursor;
  const attributes = new Map<string, Attribute>();
  const blocks: Block[] = [];
  for (;;) {
    const next = cursor.peek();
    if (next === closer) {
      cursor.read();
      break;
    }
    if (closer === TokenKind.closeBrace && cursor.atOuterBlock()) break;
    if (next === TokenKind.newline) cursor.read();
    else if (next === TokenKind.identifier) parseItem(cursor, attributes, blocks);
    else if (isQuotedName(cursor, next)) parseQuotedAttribute(cursor, attributes);
    else if (next === TokenKind.end) {
      // A bracket that was found wrong further up inside of the block may well be why.
      if (cursor.faults > faults) cursor.recovering = true;
      faultUnclosed(cursor, open);
      break;
    } else faultNoItem(cursor, next);
  }
  return bodyOf(cursor, open.start, cursor.lastEnd, attributes, blocks);
}

const noAttributes: ReadonlyMap<string, Attribute> = new Map();
const noBlocks: readonly Block[] = [];

function bodyOf(
  cursor: Cursor,
  start: number,
  end: number,
  attributes: ReadonlyMap<string, Attribute> = noAttributes,
  blocks: readonly Block[] = noBlocks,
): Body {
  return { file: cursor.file, start, end, attributes, blocks, missingItem: cursor.node(start, start) };
}

function faultUnclosed(cursor: Cursor, open: Node): void {
  const detail =
    "The brace that opens here is not closed before the file ends. A brace may be missing further up, too.";
  cursor.fault("Unclosed configuration block", detail, open);
  cursor.unclosed = true;
}

const itemNeeded = "Argument or block definition required";

function faultNoItem(cursor: Cursor, next: TokenKind): void {
  const subject = cursor.nextSpan();
  const { text } = cursor.file;
  if (next === TokenKind.openQuote) {
    const detail = "The name of an argument is written without quotes: name = value.";
    cursor.fault("Invalid argument name", detail, subject);
  } else {
    const closing = next === TokenKind.closeBrace ? " This closing brace matches no opening one." : "";
    const comment = text.startsWith("/*", subject.start) ? " A comment that begins with /* ends with */." : "";
    const detail = `An argument (name = value) or a block (name { … }) is expected here.${closing}${comment}`;
    cursor.fault(itemNeeded, detail, subject);
  }
  cursor.skipItem();
}

/** An attribute or a block; the next token is its name. */
function parseItem(cursor: Cursor, attributes: Map<string, Attribute>, blocks: Block[]): void {
  const { faults } = cursor;
  cursor.read();
  const nameNode = cursor.lastNode();
  const name = cursor.lastText();
  const next = cursor.peek();
  if (next === TokenKind.assign) return finishAttribute(cursor, attributes, name, nameNode);
  if (next === TokenKind.openQuote || next === TokenKind.openBrace || next === TokenKind.identifier) {
    blocks.push(parseBlock(cursor, name, nameNode));
  } else {
    const detail = `An argument is written ${name} = value, a block ${name} { … }.`;
    cursor.plainFault(itemNeeded, detail, nameNode);
    cursor.skipItem();
  }
  if (cursor.faults === faults) cursor.itemRead();
}

/** Whether the next tokens are `"name" =` and may be, as in old files of variables. */
function isQuotedName(cursor: Cursor, next: TokenKind): boolean {
  if (next !== TokenKind.openQuote || !cursor.quotedNames) return false;
  return cursor.kindAhead(2) === TokenKind.closeQuote && cursor.kindAhead(3) === TokenKind.assign;
}

function parseQuotedAttribute(cursor: Cursor, attributes: Map<string, Attribute>): void {
  const start = cursor.nextStart;
  const name = parseQuotedText(cursor);
  const nameNode = cursor.node(start, cursor.lastEnd);
  const detail = `The name of an argument is written without quotes. Remove them to silence this warning: ${name} = value.`;
  cursor.warning("Quoted argument name", detail, nameNode);
  finishAttribute(cursor, attributes, name, nameNode);
}

/** An attribute from its `=` on, up to and with the newline that ends it. */
function finishAttribute(cursor: Cursor, attributes: Map<string, Attribute>, name: string, nameNode: Node): void {
  const { faults } = cursor;
  addAttribute(cursor, attributes, parseAttribute(cursor, name, nameNode));
  if (cursor.faults > faults) cursor.skipItem();
  else endAttribute(cursor, nameNode);
  if (cursor.faults === faults) cursor.itemRead();
}

function addAttribute(cursor: Cursor, attributes: Map<string, Attribute>, attribute: Attribute): void {
  const { name, nameNode } = attribute;
  const earlier = attributes.get(name);
  if (!earlier) {
    attributes.set(name, attribute);
    return;
  }
  const detail = `The argument ${name} is set already at ${formatRange(rangeOf(earlier.nameNode))}. Each argument is set once; remove one of the two.`;
  cursor.error("Attribute redefined", detail, nameNode);
}

/** The rest of an attribute from its `=` on, without what ends it. */
function parseAttribute(cursor: Cursor, name: string, nameNode: Node): Attribute {
  cursor.read();
  const expression = parseExpressionHere(cursor);
  return { file: cursor.file, start: nameNode.start, end: cursor.lastEnd, name, nameNode, expression };
}

function endAttribute(cursor: Cursor, nameNode: Node): void {
  const next = cursor.peek();
  if (next === TokenKind.newline || next === TokenKind.end) {
    cursor.read();
    return;
  }
  const subject = cursor.nextSpan();
  const context = { start: nameNode.start, end: subject.end };
  if (next === TokenKind.comma) {
    const detail = "Arguments are separated by newlines, not by commas: put each on a line of its own.";
    cursor.fault("Unexpected comma after argument", detail, subject, context);
  } else {
    const detail = "The value of the argument is complete before this. Put what follows on a line of its own.";
    cursor.fault("Missing newline after argument", detail, subject, context);
  }
  cursor.skipItem();
}

/** The rest of a block behind its type name. */
function parseBlock(cursor: Cursor, type: string, typeNode: Node): Block {
  const labels: string[] = [];
  const labelNodes: Node[] = [];
  for (;;) {
    const next = cursor.peek();
    if (next === TokenKind.openBrace) break;
    if (next === TokenKind.identifier) {
      cursor.read();
      labels.push(cursor.lastText());
      labelNodes.push(cursor.lastNode());
    } else if (next === TokenKind.openQuote) {
      const start = cursor.nextStart;
      labels.push(parseQuotedText(cursor));
      labelNodes.push(cursor.node(start, cursor.lastEnd));
    } else {
      faultHeader(cursor, next, typeNode);
      if (cursor.skipNewlinesTo(TokenKind.openBrace)) continue;
      cursor.skipItem();
      const body = bodyOf(cursor, typeNode.start, typeNode.end);
      return blockOf(cursor, type, typeNode, labels, labelNodes, typeNode, typeNode, body);
    }
  }
  cursor.read();
  const openBrace = cursor.lastNode();
  const body = parseBlockBody(cursor, typeNode, openBrace);
  const closeBrace = cursor.lastNode();
  if (cursor.lastKind === TokenKind.closeBrace) endBlock(cursor, typeNode);
  return blockOf(cursor, type, typeNode, labels, labelNodes, openBrace, closeBrace, body);
}

function blockOf(
  cursor: Cursor,
  type: string,
  typeNode: Node,
  labels: readonly string[],
  labelNodes: readonly Node[],
  openBrace: Node,
  closeBrace: Node,
  body: Body,
): Block {
  const { start } = typeNode;
  const header = cursor.node(start, (labelNodes.at(-1) ?? typeNode).end);
  const { file } = cursor;
  return { file, start, end: closeBrace.end, type, typeNode, labels, labelNodes, header, openBrace, closeBrace, body };
}

function faultHeader(cursor: Cursor, next: TokenKind, typeNode: Node): void {
  const subject = cursor.nextSpan();
  const context = { start: typeNode.start, end: subject.end };
  const summary = "Invalid block definition";
  if (next === TokenKind.assign) {
    const detail =
      'An equals sign sets an argument, which has one name and no labels. A block has none: name "label" { … }.';
    cursor.plainFault(summary, detail, subject, context);
  } else if (next === TokenKind.newline) {
    const detail = "The opening brace of a block stands on the same line as its name and labels.";
    cursor.plainFault(summary, detail, subject, context);
  } else {
    const detail = "Behind the name of a block come its labels, as names or in quotes, and an opening brace.";
    cursor.fault(summary, detail, subject, context);
  }
}

function parseBlockBody(cursor: Cursor, typeNode: Node, openBrace: Node): Body {
  if (cursor.depth >= maximumNesting) {
    const detail = `Blocks can be nested at most ${maximumNesting} levels deep.`;
    cursor.fault("Nesting too deep", detail, openBrace);
    cursor.skipPast(TokenKind.closeBrace);
    return bodyOf(cursor, openBrace.start, cursor.lastEnd);
  }
  cursor.depth++;
  cursor.braces++;
  const next = cursor.peek();
  const manyLines = next === TokenKind.newline || next === TokenKind.end || next === TokenKind.closeBrace;
  const body = manyLines ? parseBody(cursor, TokenKind.closeBrace) : parseOneLineBody(cursor, typeNode, openBrace);
  cursor.braces--;
  cursor.depth--;
  return body;
}

function endBlock(cursor: Cursor, typeNode: Node): void {
  const next = cursor.peek();
  if (next === TokenKind.newline || next === TokenKind.end) {
    cursor.read();
    return;
  }
  const subject = cursor.nextSpan();
  const detail = "A block ends with its closing brace. Put what follows on a line of its own.";
  cursor.fault("Missing newline after block definition", detail, subject, { start: typeNode.start, end: subject.end });
  cursor.skipItem();
}

/** `name { argument = value }`: one argument, no block, all on one line; up to and with the closing brace. */
function parseOneLineBody(cursor: Cursor, typeNode: Node, openBrace: Node): Body {
  const { faults } = cursor;
  const attribute = parseOnlyAttribute(cursor);
  if (cursor.faults > faults) cursor.skipPast(TokenKind.closeBrace);
  else endOneLineBody(cursor, typeNode, openBrace);
  if (!attribute) return bodyOf(cursor, openBrace.start, cursor.lastEnd);
  return bodyOf(cursor, attribute.start, attribute.end, new Map([[attribute.name, attribute]]));
}

function parseOnlyAttribute(cursor: Cursor): Attribute | undefined {
  if (cursor.peek() !== TokenKind.identifier) {
    const detail = "An argument (name = value) is expected here, or a newline.";
    cursor.plainFault(itemNeeded, detail, cursor.nextSpan());
    return undefined;
  }
  cursor.read();
  const nameNode = cursor.lastNode();
  const name = cursor.lastText();
  const next = cursor.peek();
  if (next === TokenKind.assign) return parseAttribute(cursor, name, nameNode);
  if (next === TokenKind.openQuote || next === TokenKind.openBrace || next === TokenKind.identifier) {
    const detail = `A block on one line holds one argument and no block. For an argument write ${name} = value; put a block on a line of its own.`;
    cursor.plainFault("Argument definition required", detail, { start: nameNode.start, end: cursor.nextEnd });
  } else {
    const detail = `An argument is written ${name} = value.`;
    cursor.plainFault(itemNeeded, detail, nameNode);
  }
  return undefined;
}

function endOneLineBody(cursor: Cursor, typeNode: Node, openBrace: Node): void {
  const next = cursor.peek();
  if (next === TokenKind.closeBrace) {
    cursor.read();
    return;
  }
  const summary = "Invalid single-argument block definition";
  const subject = cursor.nextSpan();
  if (next === TokenKind.comma) {
    const detail = "A block on one line holds one argument. Put each argument on a line of its own, without commas.";
    cursor.plainFault(summary, detail, subject);
  } else if (next === TokenKind.newline) {
    const detail =
      "An argument on the line of its block's opening brace makes a block on one line: close it there, or put the argument on the next line.";
    cursor.plainFault(summary, detail, subject);
  } else if (next === TokenKind.end) {
    const detail = "The brace that opens here is not closed before the file ends.";
    cursor.fault("Unclosed configuration block", detail, openBrace, { start: typeNode.start, end: openBrace.end });
  } else {
    const detail = "A block on one line ends with a closing brace directly behind its one argument.";
    cursor.fault(summary, detail, subject);
  }
  cursor.skipPast(TokenKind.closeBrace);
}

/** A quoted string without sequences, whose opening quote is the next token: a label, or a key of a traversal. */
export function parseQuotedText(cursor: Cursor): string {
  cursor.read();
  const start = cursor.lastStart;
  let value = "";
  for (;;) {
    const kind = cursor.read();
    const subject = cursor.lastSpan();
    const context = { start, end: subject.end };
    switch (kind) {
      case TokenKind.closeQuote:
        return value;
      case TokenKind.quotedText:
        value += quotedValue(cursor, subject.start, subject.end);
        break;
      case TokenKind.openInterpolation:
      case TokenKind.openDirective: {
        const sign = kind === TokenKind.openInterpolation ? "$" : "%";
        const detail = `This string is taken as it is and holds no template. For the text ${sign}{ itself, write ${sign}${sign}{.`;
        cursor.plainFault("Invalid string literal", detail, subject, context);
        value += `${sign}{ ... }`;
        cursor.skipPast(TokenKind.closeSequence);
        break;
      }
      case TokenKind.end: {
        const detail = 'The closing quote (") of this string was not found before the end of the file.';
        cursor.plainFault("Unterminated string literal", detail, subject, context);
        return value;
      }
      default: {
        const detail = "This has no place in a string.";
        cursor.plainFault("Invalid string literal", detail, subject, context);
        cursor.skipPast(TokenKind.closeQuote);
        return value;
      }
    }
  }
}

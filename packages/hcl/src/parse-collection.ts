import type { Expression, For, Node, ObjectItem, ObjectKey } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { parseExpressionHere } from "./parse-expression.ts";
import { parseForNames } from "./parse-template.ts";
import { TokenKind } from "./tokens.ts";

/** `[a, b]` or `[for … : …]`. The opening bracket is the next token. */
export function parseTuple(cursor: Cursor): Expression {
  cursor.read();
  const open = cursor.lastNode();
  const { newlines } = cursor;
  cursor.newlines = false;
  cursor.brackets++;
  const expression = cursor.nextIs("for")
    ? parseFor(cursor, open, TokenKind.closeBracket)
    : parseElements(cursor, open);
  cursor.brackets--;
  cursor.newlines = newlines;
  return expression;
}

function parseElements(cursor: Cursor, open: Node): Expression {
  const elements: Expression[] = [];
  const { faults } = cursor;
  let height = 0;
  while (cursor.peek() !== TokenKind.closeBracket) {
    elements.push(parseExpressionHere(cursor));
    height = Math.max(height, cursor.height);
    if (cursor.faults > faults) {
      cursor.skipPast(TokenKind.closeBracket);
      return tuple(cursor, open, elements);
    }
    const next = cursor.peek();
    if (next === TokenKind.comma) cursor.read();
    else if (next !== TokenKind.closeBracket) {
      missingComma(cursor, open, next);
      return tuple(cursor, open, elements);
    }
  }
  cursor.read();
  cursor.height = height + 1;
  return tuple(cursor, open, elements);
}

function tuple(cursor: Cursor, open: Node, elements: readonly Expression[]): Expression {
  return { kind: "tuple", file: cursor.file, start: open.start, end: cursor.lastEnd, elements, open };
}

function missingComma(cursor: Cursor, open: Node, next: TokenKind): void {
  if (next === TokenKind.end) {
    const detail = "The bracket that opens here is not closed before the file ends. Brackets elsewhere may not match.";
    cursor.fault("Unterminated tuple constructor expression", detail, open);
  } else {
    const subject = cursor.nextSpan();
    const detail = "The elements of a list are separated by commas, and the last one is followed by a closing bracket.";
    cursor.fault("Missing item separator", detail, subject, { start: open.start, end: subject.end });
  }
  cursor.skipPast(TokenKind.closeBracket);
}

/** `{ a = b }` or `{for … : … => …}`. The opening brace is the next token. */
export function parseObject(cursor: Cursor): Expression {
  cursor.read();
  const open = cursor.lastNode();
  const { newlines } = cursor;
  cursor.newlines = false;
  const isFor = cursor.nextIs("for");
  cursor.newlines = !isFor;
  cursor.braces++;
  const expression = isFor ? parseFor(cursor, open, TokenKind.closeBrace) : parseItems(cursor, open);
  cursor.braces--;
  cursor.newlines = newlines;
  return expression;
}

function parseItems(cursor: Cursor, open: Node): Expression {
  const items: ObjectItem[] = [];
  const { faults } = cursor;
  let height = 0;
  for (;;) {
    const next = cursor.peek();
    if (next === TokenKind.newline) {
      cursor.read();
      continue;
    }
    if (next === TokenKind.closeBrace) break;
    const key = parseKey(cursor);
    height = Math.max(height, cursor.height);
    if (cursor.faults > faults || !readAssignment(cursor, open)) {
      cursor.skipPast(TokenKind.closeBrace);
      return object(cursor, open, items);
    }
    const value = parseExpressionHere(cursor);
    height = Math.max(height, cursor.height);
    items.push({ key, value });
    if (cursor.faults > faults || !readSeparator(cursor, open)) {
      cursor.skipPast(TokenKind.closeBrace);
      return object(cursor, open, items);
    }
  }
  cursor.read();
  cursor.height = height + 1;
  return object(cursor, open, items);
}

function object(cursor: Cursor, open: Node, items: readonly ObjectItem[]): Expression {
  return { kind: "object", file: cursor.file, start: open.start, end: cursor.lastEnd, items, open };
}

function parseKey(cursor: Cursor): ObjectKey {
  const parenthesized = cursor.peek() === TokenKind.openParen;
  const expression = parseExpressionHere(cursor);
  const { file, start, end } = expression;
  const name = parenthesized ? undefined : bareName(expression);
  return name === undefined ? { file, start, end, expression } : { file, start, end, expression, name };
}

/** The word that an expression is, where it is nothing else; the keywords are words here. */
function bareName(expression: Expression): string | undefined {
  if (expression.kind === "scopeTraversal") return expression.steps.length === 0 ? expression.root.name : undefined;
  if (expression.kind !== "literal") return undefined;
  const { data } = expression.value;
  return data === null || typeof data === "boolean" ? String(data) : undefined;
}

/** Goes past the `=` or `:` behind a key. */
function readAssignment(cursor: Cursor, open: Node): boolean {
  const next = cursor.peek();
  if (next === TokenKind.assign || next === TokenKind.colon) {
    cursor.read();
    return true;
  }
  if (next === TokenKind.end) {
    unclosedObject(cursor, open);
    return false;
  }
  const subject = cursor.nextSpan();
  const context = { start: open.start, end: subject.end };
  if (next === TokenKind.newline || next === TokenKind.comma) {
    const detail = "Each key of an object is followed by an equals sign and its value.";
    cursor.fault("Missing attribute value", detail, subject, context);
  } else {
    const hint = next === TokenKind.identifier ? " A key with spaces or dots in it is written in quotes." : "";
    const detail = `An equals sign is expected here, between a key and its value.${hint}`;
    cursor.fault("Missing key/value separator", detail, subject, context);
  }
  return false;
}

/** Goes past the comma or newline behind an item, if the object does not end there. */
function readSeparator(cursor: Cursor, open: Node): boolean {
  const next = cursor.peek();
  if (next === TokenKind.closeBrace) return true;
  if (next === TokenKind.comma || next === TokenKind.newline) {
    cursor.read();
    return true;
  }
  if (next === TokenKind.end) unclosedObject(cursor, open);
  else {
    const subject = cursor.nextSpan();
    const detail =
      "The items of an object are separated by newlines or commas, and the last one is followed by a closing brace.";
    cursor.fault("Missing attribute separator", detail, subject, { start: open.start, end: subject.end });
  }
  return false;
}

function unclosedObject(cursor: Cursor, open: Node): void {
  const detail = "The brace that opens here is not closed before the file ends. Brackets elsewhere may not match.";
  cursor.fault("Unterminated object constructor expression", detail, open);
}

type Closer = typeof TokenKind.closeBracket | typeof TokenKind.closeBrace;

/** A `for` expression; `open` was read, and the word `for` is the next token. Newlines do not count in it. */
function parseFor(cursor: Cursor, open: Node, closer: Closer): Expression {
  const { faults } = cursor;
  const giveUp = (): Expression => {
    cursor.skipPast(closer);
    return cursor.invalid(open.start, cursor.lastEnd);
  };
  const faultAtNext = (detail: string): Expression => {
    const subject = cursor.nextSpan();
    cursor.fault("Invalid 'for' expression", detail, subject, { start: open.start, end: subject.end });
    return giveUp();
  };
  cursor.read();
  const names = parseForNames(cursor, (detail, subject) => {
    cursor.fault("Invalid 'for' expression", detail, subject, { start: open.start, end: subject.end });
  });
  if (!names) return giveUp();
  const collection = parseExpressionHere(cursor);
  let { height } = cursor;
  if (cursor.faults > faults) return giveUp();
  if (cursor.peek() !== TokenKind.colon) return faultAtNext("A colon is expected behind the collection to go through.");
  cursor.read();
  let value = parseExpressionHere(cursor);
  height = Math.max(height, cursor.height);
  let key: Expression | undefined;
  if (cursor.peek() === TokenKind.arrow) {
    cursor.read();
    key = value;
    value = parseExpressionHere(cursor);
    height = Math.max(height, cursor.height);
  }
  if (cursor.faults > faults) return giveUp();
  const dots = cursor.peek() === TokenKind.ellipsis ? (cursor.read(), cursor.lastNode()) : undefined;
  let condition: Expression | undefined;
  if (cursor.nextIs("if")) {
    cursor.read();
    condition = parseExpressionHere(cursor);
    height = Math.max(height, cursor.height);
    if (cursor.faults > faults) return giveUp();
  }
  if (cursor.peek() === closer) cursor.read();
  else faultAtNext("A closing bracket is expected here, at the end of the for expression.");
  cursor.height = height + 1;
  const close = cursor.lastNode();
  const expression: For = {
    kind: "for",
    file: cursor.file,
    start: open.start,
    end: close.end,
    ...(names.keyName === undefined ? {} : { keyName: names.keyName }),
    valueName: names.valueName,
    collection,
    ...(key ? { key } : {}),
    value,
    ...(condition ? { condition } : {}),
    group: dots !== undefined,
    open,
    close,
  };
  checkForm(cursor, expression, dots, closer);
  return expression;
}

/** Says what a `for` has of the other form: a list has no keys and no groups, an object needs keys. */
function checkForm(cursor: Cursor, expression: For, dots: Node | undefined, closer: Closer): void {
  const summary = "Invalid 'for' expression";
  if (closer === TokenKind.closeBrace) {
    if (expression.key) return;
    const detail =
      "In braces a for makes an object, which takes a key for each value: {for … : key => value}. For a list use brackets.";
    return cursor.error(summary, detail, expression.value, expression);
  }
  if (expression.key) {
    const detail =
      "In brackets a for makes a list, which has no keys. For an object use braces: {for … : key => value}.";
    cursor.error(summary, detail, expression.key, expression);
  }
  if (dots) {
    const detail = "The dots gather values of one key, and a list has no keys. For an object use braces.";
    cursor.error(summary, detail, dots, expression);
  }
}

import { parseBigFloat } from "@millwright/value/number";
import { dynamicType, numberType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { falseValue, nullValue, numberValue, trueValue, unknownValue } from "@millwright/value/value";
import type { BinaryOperator, Expression, Literal, ScopeTraversal, Unary } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { maximumHeight, maximumNesting } from "./cursor.ts";
import { parseCall } from "./parse-call.ts";
import { parseObject, parseTuple } from "./parse-collection.ts";
import { parseDelimitedTemplate } from "./parse-template.ts";
import { parseSteps } from "./parse-steps.ts";
import { TokenKind } from "./tokens.ts";

const nullLiteral: Value = nullValue(dynamicType);

/**
 * An expression at the cursor (native syntax specification, "Expressions"): a condition or what is below it. Always gives
 * one; where there is none, an invalid one and a fault.
 */
export function parseExpressionHere(cursor: Cursor): Expression {
  if (cursor.depth >= maximumNesting) return tooDeep(cursor);
  cursor.depth++;
  const expression = parseConditional(cursor);
  cursor.depth--;
  return expression;
}

function tooDeep(cursor: Cursor): Expression {
  const { start, end } = cursor.nextSpan();
  const detail = `This is nested deeper than ${maximumNesting} levels. Give an inner part a name of its own, and refer to it.`;
  cursor.fault("Nesting too deep", detail, { start, end });
  return cursor.invalid(start, end);
}

/** Says that a row of operators or steps is too long, at the next token. */
export function faultTooLong(cursor: Cursor): void {
  const detail = `This makes a tree of more than ${maximumHeight} operations, each inside the next. Give a part of it a name of its own, and refer to it.`;
  cursor.fault("Expression too long", detail, cursor.nextSpan());
}

function parseConditional(cursor: Cursor): Expression {
  const { faults } = cursor;
  const condition = parseBinary(cursor, 0);
  if (cursor.faults > faults || cursor.peek() !== TokenKind.question) return condition;
  cursor.read();
  let { height } = cursor;
  const whenTrue = parseExpressionHere(cursor);
  if (cursor.faults > faults) return condition;
  height = Math.max(height, cursor.height);
  if (cursor.peek() !== TokenKind.colon) {
    const subject = cursor.nextSpan();
    const detail = "A conditional has two results, condition ? this : that. The colon and the second one are missing.";
    cursor.error("Missing false expression in conditional", detail, subject, {
      start: condition.start,
      end: subject.end,
    });
    return condition;
  }
  cursor.read();
  const whenFalse = parseExpressionHere(cursor);
  if (cursor.faults > faults) return condition;
  cursor.height = Math.max(height, cursor.height) + 1;
  const { start, file } = condition;
  return { kind: "conditional", file, start, end: whenFalse.end, condition, whenTrue, whenFalse };
}

interface Operation {
  readonly operator: BinaryOperator;
  readonly precedence: number;
}

/** The binary operators by the kind of their token; a higher precedence binds tighter. All associate to the left. */
const operations: readonly (Operation | undefined)[] = operationTable([
  [TokenKind.or, "||", 1],
  [TokenKind.and, "&&", 2],
  [TokenKind.equal, "==", 3],
  [TokenKind.notEqual, "!=", 3],
  [TokenKind.less, "<", 4],
  [TokenKind.lessOrEqual, "<=", 4],
  [TokenKind.greater, ">", 4],
  [TokenKind.greaterOrEqual, ">=", 4],
  [TokenKind.plus, "+", 5],
  [TokenKind.minus, "-", 5],
  [TokenKind.star, "*", 6],
  [TokenKind.slash, "/", 6],
  [TokenKind.percent, "%", 6],
]);

function operationTable(rows: readonly (readonly [TokenKind, BinaryOperator, number])[]): (Operation | undefined)[] {
  const table: (Operation | undefined)[] = new Array(Math.max(...Object.values(TokenKind)) + 1).fill(undefined);
  for (const [kind, operator, precedence] of rows) table[kind] = { operator, precedence };
  return table;
}

/** Operands joined by operators that bind at least as tight as `precedence`. */
function parseBinary(cursor: Cursor, precedence: number): Expression {
  const { faults } = cursor;
  let left = parseOperand(cursor);
  if (cursor.faults > faults) return left;
  let { height } = cursor;
  for (;;) {
    const operation = operations[cursor.peek()];
    if (!operation || operation.precedence < precedence) break;
    if (height >= maximumHeight) {
      faultTooLong(cursor);
      break;
    }
    cursor.read();
    const symbol = cursor.lastNode();
    const right = parseBinary(cursor, operation.precedence + 1);
    if (cursor.faults > faults) break;
    height = Math.max(height, cursor.height) + 1;
    const { operator } = operation;
    left = { kind: "binary", file: cursor.file, start: left.start, end: right.end, operator, left, right, symbol };
  }
  cursor.height = height;
  return left;
}

/** A term, and the attribute and index steps behind it. */
export function parseOperand(cursor: Cursor): Expression {
  const term = parseTerm(cursor);
  const next = cursor.peek();
  return next === TokenKind.dot || next === TokenKind.openBracket ? parseSteps(cursor, term) : term;
}

function parseTerm(cursor: Cursor): Expression {
  cursor.height = 1;
  switch (cursor.peek()) {
    case TokenKind.identifier:
      return parseNamed(cursor);
    case TokenKind.openQuote:
    case TokenKind.openHeredoc:
      cursor.read();
      return parseDelimitedTemplate(cursor);
    case TokenKind.number:
      cursor.read();
      return literal(cursor, cursor.lastStart, cursor.lastEnd, numberHere(cursor));
    case TokenKind.openParen:
      return parseParenthesized(cursor);
    case TokenKind.openBracket:
      return parseTuple(cursor);
    case TokenKind.openBrace:
      return parseObject(cursor);
    case TokenKind.minus:
      return parseUnary(cursor, "-");
    case TokenKind.not:
      return parseUnary(cursor, "!");
    default:
      return missingTerm(cursor);
  }
}

function missingTerm(cursor: Cursor): Expression {
  const atEnd = cursor.peek() === TokenKind.end;
  const { start, end } = cursor.nextSpan();
  if (atEnd) {
    const detail = "A value or a calculation is expected here, but the file ends.";
    cursor.fault("Missing expression", detail, { start, end });
  } else {
    const detail =
      "A value or a calculation is expected to begin here: a name, a string in quotes, a number, [ … ], { … } or ( … ).";
    cursor.fault("Invalid expression", detail, { start, end });
  }
  return cursor.invalid(start, end);
}

/** `true`, `false`, `null`, a function call, or a reference's root. */
function parseNamed(cursor: Cursor): Expression {
  cursor.read();
  const { file, lastStart: start, lastEnd: end } = cursor;
  const name = cursor.lastText();
  const next = cursor.peek();
  if (next === TokenKind.openParen || next === TokenKind.doubleColon) return parseCall(cursor, name);
  switch (name) {
    case "true":
      return literal(cursor, start, end, trueValue);
    case "false":
      return literal(cursor, start, end, falseValue);
    case "null":
      return literal(cursor, start, end, nullLiteral);
    default: {
      const traversal: ScopeTraversal = {
        kind: "scopeTraversal",
        file,
        start,
        end,
        root: { file, start, end, name },
        steps: noSteps,
      };
      return traversal;
    }
  }
}

const noSteps: ScopeTraversal["steps"] = [];

function literal(cursor: Cursor, start: number, end: number, value: Value): Literal {
  return { kind: "literal", file: cursor.file, start, end, value };
}

/** The value of the number token that was just read. */
export function numberHere(cursor: Cursor): Value {
  const text = cursor.lastText();
  const number = parseBigFloat(text);
  if (number) return numberValue(number);
  const detail =
    "This does not read as a number. A number is digits, perhaps a dot and digits, perhaps e and an exponent.";
  cursor.error("Invalid number literal", detail, cursor.lastSpan());
  return unknownValue(numberType);
}

function parseUnary(cursor: Cursor, operator: Unary["operator"]): Expression {
  if (cursor.depth >= maximumNesting) return tooDeep(cursor);
  cursor.read();
  const symbol = cursor.lastNode();
  cursor.depth++;
  const operand = parseOperand(cursor);
  cursor.depth--;
  cursor.height++;
  return { kind: "unary", file: cursor.file, start: symbol.start, end: operand.end, operator, operand, symbol };
}

function parseParenthesized(cursor: Cursor): Expression {
  cursor.read();
  const start = cursor.lastStart;
  const { newlines, faults } = cursor;
  const said = cursor.diagnostics.length;
  cursor.newlines = false;
  cursor.parens++;
  const inner = parseExpressionHere(cursor);
  cursor.parens--;
  const failed = cursor.faults > faults || cursor.diagnostics.length > said;
  if (failed) cursor.skipPast(TokenKind.closeParen);
  else if (cursor.peek() === TokenKind.closeParen) cursor.read();
  else {
    const subject = cursor.nextSpan();
    const detail = "A closing parenthesis is expected here, to match the opening one.";
    cursor.plainFault("Unbalanced parentheses", detail, subject, { start, end: subject.end });
    cursor.skipPast(TokenKind.closeParen);
  }
  cursor.newlines = newlines;
  if (failed) return inner;
  cursor.height++;
  return { kind: "parenthesized", file: cursor.file, start, end: cursor.lastEnd, inner };
}

import type { Expression, JsonNode, Node } from "./ast.ts";

/** The stretch from the start of one node to the end of another of the same file. */
export function between(first: Node, last: Node): Node {
  return { file: first.file, start: first.start, end: last.end };
}

/** The first `length` characters of a node. */
function opening(node: Node, length: number): Node {
  return { file: node.file, start: node.start, end: node.start + length };
}

/**
 * A small piece of an expression that stands for the whole where that may be long: an opening bracket, an operator, the
 * left-most operand. Diagnostics put it as their subject, with the whole as context.
 */
export function startOf(expression: Expression): Node {
  switch (expression.kind) {
    case "parenthesized":
      return startOf(expression.inner);
    case "conditional":
      return startOf(expression.condition);
    case "binary":
      return startOf(expression.left);
    case "unary":
      return expression.symbol;
    case "index":
      return opening(expression.brackets, 1);
    case "splat":
      return expression.marker;
    case "tuple":
    case "object":
    case "for":
      return expression.open;
    case "call":
      return between(expression.nameNode, expression.openParen);
    case "template":
      return expression.parts[0] ? startOf(expression.parts[0]) : expression;
    case "templateJoin":
      return startOf(expression.tuple);
    case "json":
      return startOfJson(expression.value);
    case "literal":
    case "templateWrap":
    case "scopeTraversal":
    case "relativeTraversal":
    case "splatItem":
    case "invalid":
      return expression;
  }
}

function startOfJson(node: JsonNode): Node {
  return node.kind === "jsonObject" || node.kind === "jsonArray" ? node.open : node;
}

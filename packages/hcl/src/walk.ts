import type { Expression, JsonNode } from "./ast.ts";

/**
 * Calls `visit` with an expression and with each expression inside of it, outer before inner and in source order. What is
 * inside of an expression for which `visit` gives false is left out. Bare names as keys of objects are names, not
 * expressions; strings in JSON are visited as the templates they are when evaluated.
 */
export function walkExpression(expression: Expression, visit: (expression: Expression) => unknown): void {
  if (visit(expression) === false) return;
  for (const child of childrenOf(expression)) walkExpression(child, visit);
}

/** The expressions directly inside of an expression, in source order. */
export function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "literal":
    case "scopeTraversal":
    case "splatItem":
    case "invalid":
      return [];
    case "template":
      return expression.parts;
    case "templateWrap":
      return [expression.wrapped];
    case "templateJoin":
      return [expression.tuple];
    case "relativeTraversal":
      return [expression.source];
    case "call":
      return expression.args;
    case "conditional":
      return [expression.condition, expression.whenTrue, expression.whenFalse];
    case "index":
      return [expression.collection, expression.key];
    case "splat":
      return [expression.source, expression.each];
    case "tuple":
      return expression.elements;
    case "object":
      return expression.items.flatMap(({ key, value }) => (key.name === undefined ? [key.expression, value] : [value]));
    case "for": {
      const { collection, key, value, condition } = expression;
      return [collection, key, value, condition].filter((part) => part !== undefined);
    }
    case "unary":
      return [expression.operand];
    case "binary":
      return [expression.left, expression.right];
    case "parenthesized":
      return [expression.inner];
    case "json":
      return templatesIn(expression.value);
  }
}

function templatesIn(node: JsonNode): readonly Expression[] {
  switch (node.kind) {
    case "jsonString":
      return [node.template()];
    case "jsonArray":
      return node.elements.flatMap(templatesIn);
    case "jsonObject":
      return node.properties.flatMap(({ nameTemplate, value }) => [nameTemplate(), ...templatesIn(value)]);
    case "jsonNumber":
    case "jsonBool":
    case "jsonNull":
      return [];
  }
}

import type { Expression, JsonNode, ScopeTraversal } from "./ast.ts";

/**
 * The references to root variables in an expression, in source order, repeats included. Names that the expression itself
 * introduces (by `for`) are not among them. In JSON, the strings are read as templates.
 */
export function referencesIn(expression: Expression): readonly ScopeTraversal[] {
  const found: ScopeTraversal[] = [];
  collect(expression, undefined, found);
  return found;
}

/** Names bound by the `for` expressions around, innermost first. */
interface Locals {
  readonly key: string | undefined;
  readonly value: string;
  readonly outer: Locals | undefined;
}

function isLocal(name: string, locals: Locals | undefined): boolean {
  for (let at = locals; at; at = at.outer) if (at.key === name || at.value === name) return true;
  return false;
}

function collect(expression: Expression, locals: Locals | undefined, found: ScopeTraversal[]): void {
  switch (expression.kind) {
    case "literal":
    case "splatItem":
    case "invalid":
      return;
    case "scopeTraversal":
      if (!isLocal(expression.root.name, locals)) found.push(expression);
      return;
    case "template":
      for (const part of expression.parts) collect(part, locals, found);
      return;
    case "templateWrap":
      return collect(expression.wrapped, locals, found);
    case "templateJoin":
      return collect(expression.tuple, locals, found);
    case "relativeTraversal":
      return collect(expression.source, locals, found);
    case "call":
      for (const arg of expression.args) collect(arg, locals, found);
      return;
    case "conditional":
      collect(expression.condition, locals, found);
      collect(expression.whenTrue, locals, found);
      return collect(expression.whenFalse, locals, found);
    case "index":
      collect(expression.collection, locals, found);
      return collect(expression.key, locals, found);
    case "splat":
      collect(expression.source, locals, found);
      return collect(expression.each, locals, found);
    case "tuple":
      for (const element of expression.elements) collect(element, locals, found);
      return;
    case "object":
      for (const { key, value } of expression.items) {
        if (key.name === undefined) collect(key.expression, locals, found);
        collect(value, locals, found);
      }
      return;
    case "for": {
      collect(expression.collection, locals, found);
      const inner: Locals = { key: expression.keyName, value: expression.valueName, outer: locals };
      if (expression.key) collect(expression.key, inner, found);
      collect(expression.value, inner, found);
      if (expression.condition) collect(expression.condition, inner, found);
      return;
    }
    case "unary":
      return collect(expression.operand, locals, found);
    case "binary":
      collect(expression.left, locals, found);
      return collect(expression.right, locals, found);
    case "parenthesized":
      return collect(expression.inner, locals, found);
    case "json":
      return collectJson(expression.value, found);
  }
}

function collectJson(node: JsonNode, found: ScopeTraversal[]): void {
  switch (node.kind) {
    case "jsonString":
      return collect(node.template(), undefined, found);
    case "jsonArray":
      for (const element of node.elements) collectJson(element, found);
      return;
    case "jsonObject":
      for (const property of node.properties) {
        collect(property.nameTemplate(), undefined, found);
        collectJson(property.value, found);
      }
      return;
    default:
      return;
  }
}

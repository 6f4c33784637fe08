import type { Expression, Node, ScopeTraversal } from "@millwright/hcl/ast";
import type { Scope } from "@millwright/hcl/scope";
import { variableIn } from "@millwright/hcl/scope";
import { stringValue } from "@millwright/value/value";

/**
 * An expression with the references that only a node can answer as text: `${attr.kernel.name}`, `${TASKGROUP}`,
 * `${env["HOME"]}`, `${NOMAD_PORT_http}`. Those are all whose first name the scope does not have; they keep the text that
 * stands in the source.
 */
export function withRuntimeReferences(expression: Expression, scope: Scope | undefined): Expression {
  return kept(expression, (name) => variableIn(scope, name) !== undefined);
}

type IsKnown = (name: string) => boolean;

function kept(expression: Expression, isKnown: IsKnown): Expression {
  const keep = (one: Expression): Expression => kept(one, isKnown);
  switch (expression.kind) {
    case "literal":
    case "splatItem":
    case "invalid":
    case "json":
      return expression;
    case "scopeTraversal":
      return isKnown(expression.root.name) ? expression : referenceText(expression);
    case "template":
      return { ...expression, parts: expression.parts.map(keep) };
    case "templateWrap":
      return { ...expression, wrapped: keep(expression.wrapped) };
    case "templateJoin":
      return { ...expression, tuple: keep(expression.tuple) };
    case "relativeTraversal":
      return { ...expression, source: keep(expression.source) };
    case "call":
      return { ...expression, args: expression.args.map(keep) };
    case "conditional": {
      const { condition, whenTrue, whenFalse } = expression;
      return { ...expression, condition: keep(condition), whenTrue: keep(whenTrue), whenFalse: keep(whenFalse) };
    }
    case "index":
      return { ...expression, collection: keep(expression.collection), key: keep(expression.key) };
    case "splat":
      return { ...expression, source: keep(expression.source), each: keep(expression.each) };
    case "tuple":
      return { ...expression, elements: expression.elements.map(keep) };
    case "object":
      return { ...expression, items: expression.items.map(({ key, value }) => ({ key, value: keep(value) })) };
    case "for":
      return keptFor(expression, isKnown);
    case "unary":
      return { ...expression, operand: keep(expression.operand) };
    case "binary":
      return { ...expression, left: keep(expression.left), right: keep(expression.right) };
    case "parenthesized":
      return { ...expression, inner: keep(expression.inner) };
  }
}

function keptFor(expression: Extract<Expression, { kind: "for" }>, isKnown: IsKnown): Expression {
  const { keyName, valueName, key, condition } = expression;
  const inside: IsKnown = (name) => name === keyName || name === valueName || isKnown(name);
  return {
    ...expression,
    collection: kept(expression.collection, isKnown),
    value: kept(expression.value, inside),
    ...(key ? { key: kept(key, inside) } : {}),
    ...(condition ? { condition: kept(condition, inside) } : {}),
  };
}

function referenceText(reference: ScopeTraversal): Expression {
  const { file, start, end }: Node = reference;
  return { kind: "literal", file, start, end, value: stringValue(`\${${file.text.slice(start, end)}}`) };
}

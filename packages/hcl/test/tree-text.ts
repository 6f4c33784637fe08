import type { Block, Body, Expression, For, ObjectItem, TraversalStep } from "../src/ast.ts";
import { valueText } from "./value-text.ts";

/** An expression's tree in a line: operators in front, in parentheses; the item of a splat is `@`, what is invalid is `?`. */
export function treeText(expression: Expression): string {
  switch (expression.kind) {
    case "literal":
      return valueText(expression.value);
    case "template":
      return form("template", expression.parts);
    case "templateWrap":
      return form("wrap", [expression.wrapped]);
    case "templateJoin":
      return form("join", [expression.tuple]);
    case "scopeTraversal":
      return expression.root.name + expression.steps.map(stepText).join("");
    case "relativeTraversal":
      return `(steps ${treeText(expression.source)} ${expression.steps.map(stepText).join("")})`;
    case "call":
      return form(`call ${expression.name}`, expression.args, expression.expandFinal ? " ..." : "");
    case "conditional":
      return form("?", [expression.condition, expression.whenTrue, expression.whenFalse]);
    case "index":
      return form("index", [expression.collection, expression.key]);
    case "splat":
      return form("splat", [expression.source, expression.each]);
    case "splatItem":
      return "@";
    case "tuple":
      return `[${expression.elements.map(treeText).join(", ")}]`;
    case "object":
      return `{${expression.items.map(itemText).join(", ")}}`;
    case "for":
      return forText(expression);
    case "unary":
      return form(expression.operator, [expression.operand]);
    case "binary":
      return form(expression.operator, [expression.left, expression.right]);
    case "parenthesized":
      return form("paren", [expression.inner]);
    case "json":
      return `(json ${expression.value.kind})`;
    case "invalid":
      return "?";
  }
}

function form(name: string, parts: readonly Expression[], rest = ""): string {
  return `(${[name, ...parts.map(treeText)].join(" ")}${rest})`;
}

function stepText(step: TraversalStep): string {
  return step.kind === "attribute" ? `.${step.name}` : `[${valueText(step.key)}]`;
}

function itemText({ key, value }: ObjectItem): string {
  return `${key.name ?? treeText(key.expression)} = ${treeText(value)}`;
}

function forText({ keyName, valueName, collection, key, value, condition, group }: For): string {
  const names = keyName === undefined ? valueName : `${keyName}, ${valueName}`;
  const result = `${key ? `${treeText(key)} => ` : ""}${treeText(value)}${group ? "..." : ""}`;
  return `(for ${names} in ${treeText(collection)} : ${result}${condition ? ` if ${treeText(condition)}` : ""})`;
}

/** A body's tree in a line: attributes first, then blocks. */
export function bodyText(body: Body): string {
  const attributes = [...body.attributes.values()].map(({ name, expression }) => `${name} = ${treeText(expression)}`);
  return [...attributes, ...body.blocks.map(blockText)].join("; ");
}

function blockText({ type, labels, body }: Block): string {
  const inside = bodyText(body);
  return `${[type, ...labels.map((label) => JSON.stringify(label))].join(" ")} {${inside ? ` ${inside} ` : ""}}`;
}

import type { Expression, JsonStringNode, Node, ObjectKey, RootStep, TraversalStep } from "./ast.ts";
import { parseExpression, parseTraversal } from "./parse.ts";
import type { SourceFile } from "./source-file.ts";
import { embeddedFile } from "./source-file.ts";
import { between } from "./span.ts";

/*
 * Expressions that are taken as they are written instead of being evaluated: names, references, calls, lists. In JSON a
 * reference or call is the text of a string.
 */

/** A reference as it is written: a root name and constant steps. */
export interface StaticTraversal extends Node {
  readonly root: RootStep;
  readonly steps: readonly TraversalStep[];
}

/** The reference that an expression is; undefined where it is anything else. */
export function traversalIn(expression: Expression): StaticTraversal | undefined {
  switch (expression.kind) {
    case "scopeTraversal":
      return expression;
    case "relativeTraversal": {
      const source = traversalIn(expression.source);
      return (
        source && { ...between(source, expression), root: source.root, steps: [...source.steps, ...expression.steps] }
      );
    }
    case "literal": {
      const name = keywordText(expression.value.data);
      const { file, start, end } = expression;
      return name === undefined ? undefined : { file, start, end, root: { name, file, start, end }, steps: [] };
    }
    case "json":
      return expression.value.kind === "jsonString" ? nativeTraversal(expression.value) : undefined;
    default:
      return undefined;
  }
}

/** `true`, `false` and `null` are values to evaluate, but names where names are asked for. */
function keywordText(data: unknown): string | undefined {
  return data === null || typeof data === "boolean" ? String(data) : undefined;
}

/** The name that an expression is, without steps. */
export function rootNameOf(expression: Expression): string | undefined {
  const traversal = traversalIn(expression);
  return traversal?.steps.length === 0 ? traversal.root.name : undefined;
}

/** The name that an expression or the key of an object is. */
export function keywordOf(expression: Expression | ObjectKey): string | undefined {
  return "kind" in expression ? rootNameOf(expression) : expression.name;
}

/** A call as it is written. */
export interface StaticCall {
  readonly name: string;
  readonly nameNode: Node;
  readonly args: readonly Expression[];
  /** From the opening to the closing one. */
  readonly parentheses: Node;
}

/** The call that an expression is. */
export function callIn(expression: Expression): StaticCall | undefined {
  if (expression.kind === "json") {
    return expression.value.kind === "jsonString" ? nativeCall(expression.value) : undefined;
  }
  if (expression.kind !== "call") return undefined;
  const { name, nameNode, args, openParen, closeParen } = expression;
  return { name, nameNode, args, parentheses: between(openParen, closeParen) };
}

/** The elements of the list that an expression is. */
export function elementsIn(expression: Expression): readonly Expression[] | undefined {
  if (expression.kind === "tuple") return expression.elements;
  if (expression.kind !== "json" || expression.value.kind !== "jsonArray") return undefined;
  return expression.value.elements.map((value) => ({
    kind: "json",
    value,
    file: value.file,
    start: value.start,
    end: value.end,
  }));
}

/** An item of an object as it is written. */
export interface StaticPair {
  readonly key: ObjectKey | Expression;
  readonly value: Expression;
}

/** The items of the object that an expression is. */
export function pairsIn(expression: Expression): readonly StaticPair[] | undefined {
  if (expression.kind === "object") return expression.items;
  if (expression.kind !== "json" || expression.value.kind !== "jsonObject") return undefined;
  return expression.value.properties.map(({ name, nameNode, nameTemplate, value }) => ({
    key: { ...nameNode, name, expression: nameTemplate() },
    value: { kind: "json", value, file: value.file, start: value.start, end: value.end },
  }));
}

/** The call that the text of a JSON string is, in the native syntax. */
function nativeCall(node: JsonStringNode): StaticCall | undefined {
  const { value, diagnostics } = parseExpression(contentFile(node));
  return diagnostics.length === 0 ? callIn(value) : undefined;
}

function nativeTraversal(node: JsonStringNode): StaticTraversal | undefined {
  const { value, diagnostics } = parseTraversal(contentFile(node));
  return diagnostics.length === 0 ? value : undefined;
}

/** The opening quote stands before the text; an escape would shift what follows it, but references and calls have none. */
function contentFile({ file, start, text }: JsonStringNode): SourceFile {
  return embeddedFile(file, text, (offset) => start + 1 + offset);
}

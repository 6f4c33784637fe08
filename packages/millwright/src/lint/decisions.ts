import type { LintNode } from "./lint-node.ts";
import { bare, childrenOf, nameOf, nodeIn, nodesIn } from "./lint-node.ts";
import { bindDeclarations, isLater, type Meaning, meaningOf, Names } from "./names.ts";

export interface Problem {
  readonly node: LintNode;
  readonly message: string;
}

/** Every place of a stack where JavaScript decides by a reference, or by a text made from one. */
export function decisionsByReference(program: LintNode): Problem[] {
  const problems: Problem[] = [];
  visit(program, new Names(), problems);
  return problems;
}

function visit(node: LintNode, outer: Names, problems: Problem[]): void {
  const names = hasOwnNames(node) ? new Names(outer) : outer;
  for (const parameter of nodesIn(node, "params")) names.bind(parameter, { kind: "other" });
  for (const statement of nodesIn(node, "body")) bindDeclarations(statement, names);
  for (const { operand, use } of decisions(node)) {
    if (operand && isLater(meaningOf(operand, names))) problems.push({ node: operand, message: messageFor(use) });
  }
  if (node.type === "CallExpression") visitCall(node, names, problems);
  else for (const child of childrenOf(node)) visit(child, names, problems);
}

function hasOwnNames({ type }: LintNode): boolean {
  return ["Program", "BlockStatement", "ArrowFunctionExpression", "FunctionExpression", "FunctionDeclaration"].includes(
    type,
  );
}

// The functions that are given to the stack's own are called with references, but for that of derive.
function visitCall(node: LintNode, names: Names, problems: Problem[]): void {
  const called = meaningOf(nodeIn(node, "callee"), names);
  const reference: Meaning = { kind: "reference" };
  const gives = called.kind === "api" && ["resource", "blocks"].includes(called.name);
  for (const child of childrenOf(node)) {
    const inner = bare(child);
    if (!gives || (inner.type !== "ArrowFunctionExpression" && inner.type !== "FunctionExpression")) {
      visit(child, names, problems);
      continue;
    }
    const own = new Names(names);
    for (const parameter of nodesIn(inner, "params")) own.bind(parameter, reference);
    const body = nodeIn(inner, "body");
    if (body) visit(body, own, problems);
  }
}

type Use = "condition" | "comparison";

function decisions(node: LintNode): readonly { readonly operand: LintNode | undefined; readonly use: Use }[] {
  const condition = (field: string) => [{ operand: nodeIn(node, field), use: "condition" as const }];
  switch (node.type) {
    case "IfStatement":
    case "ConditionalExpression":
    case "WhileStatement":
    case "DoWhileStatement":
    case "ForStatement":
      return condition("test");
    case "LogicalExpression":
      return condition("left");
    case "UnaryExpression":
      return node.operator === "!" ? condition("argument") : [];
    case "SwitchStatement":
      return [{ operand: nodeIn(node, "discriminant"), use: "comparison" }];
    case "BinaryExpression":
      return comparisons.has(String(node.operator)) ? compared(nodeIn(node, "left"), nodeIn(node, "right")) : [];
    default:
      return [];
  }
}

const comparisons = new Set(["===", "!==", "==", "!=", "<", ">", "<=", ">="]);

// Whether something was given at all may be asked.
function compared(left: LintNode | undefined, right: LintNode | undefined) {
  const isNothing = (node: LintNode | undefined) =>
    nameOf(node) === "undefined" || (node?.type === "Literal" && node.value === null);
  if (isNothing(left) || isNothing(right)) return [];
  return [left, right].map((operand) => ({ operand, use: "comparison" as const }));
}

function messageFor(use: Use): string {
  const what = use === "condition" ? "a condition" : "compared";
  return `This is a reference, whose value is known later, so it cannot be ${what} here. Decide with when(condition, a, b), or compute with derive(reference, (value) => …).`;
}

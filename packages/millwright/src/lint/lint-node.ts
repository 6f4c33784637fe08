/** A node of the ESTree form that JavaScript and TypeScript parsers give, whichever it is. */
export interface LintNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

export function isNode(value: unknown): value is LintNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** The node in a field; undefined where there is none. */
export function nodeIn(node: LintNode, field: string): LintNode | undefined {
  const value = node[field];
  return isNode(value) ? value : undefined;
}

/** The nodes in a field that holds a list. */
export function nodesIn(node: LintNode, field: string): readonly LintNode[] {
  const value = node[field];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** The name of an identifier; undefined for anything else. */
export function nameOf(node: LintNode | undefined): string | undefined {
  return node?.type === "Identifier" && typeof node.name === "string" ? node.name : undefined;
}

/** The nodes directly inside of a node, in source order. Parsers hang parents on nodes, which are not inside. */
export function childrenOf(node: LintNode): readonly LintNode[] {
  return Object.entries(node).flatMap(([field, value]) => {
    if (field === "parent") return [];
    return Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [];
  });
}

/** An expression without what TypeScript and parentheses put around it. */
export function bare(node: LintNode): LintNode {
  const around = [
    "TSAsExpression",
    "TSSatisfiesExpression",
    "TSNonNullExpression",
    "TSTypeAssertion",
    "ParenthesizedExpression",
    "ChainExpression",
  ];
  const inner = around.includes(node.type) ? nodeIn(node, "expression") : undefined;
  return inner ? bare(inner) : node;
}

import type { LintNode } from "./lint-node.ts";
import { bare, nameOf, nodeIn, nodesIn } from "./lint-node.ts";

/** What a name of a stack stands for, as far as it matters here. */
export type Meaning =
  | { readonly kind: "reference" }
  /** A text with a reference inside. */
  | { readonly kind: "text" }
  /** A function of "millwright" by its name, or the whole of it ("*"). */
  | { readonly kind: "api"; readonly name: string }
  /** A function of the user's, which gives a reference or a text with one. */
  | { readonly kind: "gives"; readonly what: "reference" | "text" }
  | { readonly kind: "other" };

/** The names of one block of code, within those around it. */
export class Names {
  readonly #own = new Map<string, Meaning>();
  readonly #outer: Names | undefined;

  constructor(outer?: Names) {
    this.#outer = outer;
  }

  set(name: string, meaning: Meaning): void {
    this.#own.set(name, meaning);
  }

  get(name: string): Meaning {
    return this.#own.get(name) ?? this.#outer?.get(name) ?? other;
  }

  /** Gives every name in a pattern a meaning: parts of a reference are references. */
  bind(pattern: LintNode, meaning: Meaning): void {
    const name = nameOf(pattern);
    if (name !== undefined) return this.set(name, hasReferenceType(pattern) ? { kind: "reference" } : meaning);
    const part: Meaning = meaning.kind === "reference" ? meaning : other;
    if (pattern.type === "ObjectPattern") {
      for (const property of nodesIn(pattern, "properties")) {
        const inner = nodeIn(property, property.type === "RestElement" ? "argument" : "value");
        if (inner) this.bind(inner, part);
      }
    } else if (pattern.type === "ArrayPattern") {
      for (const element of nodesIn(pattern, "elements")) this.bind(element, part);
    } else if (pattern.type === "AssignmentPattern") {
      const left = nodeIn(pattern, "left");
      if (left) this.bind(left, meaning);
    }
  }
}

const other: Meaning = { kind: "other" };

/** What "millwright" gives references by. */
const makers = new Set([
  "resource",
  "data",
  "variable",
  "ref",
  "derive",
  "when",
  "json",
  "call",
  "local",
  "module",
  "instance",
]);

/** What an expression comes to. */
export function meaningOf(expression: LintNode | undefined, names: Names): Meaning {
  if (!expression) return other;
  const node = bare(expression);
  switch (node.type) {
    case "Identifier":
      return names.get(nameOf(node) ?? "");
    case "MemberExpression":
      return memberMeaning(node, names);
    case "CallExpression": {
      const called = meaningOf(nodeIn(node, "callee"), names);
      if (called.kind === "gives") return { kind: called.what };
      return called.kind === "api" && makers.has(called.name) ? { kind: "reference" } : other;
    }
    case "TemplateLiteral":
      return nodesIn(node, "expressions").some((part) => isLater(meaningOf(part, names))) ? { kind: "text" } : other;
    case "BinaryExpression":
      return node.operator === "+" &&
        [nodeIn(node, "left"), nodeIn(node, "right")].some((part) => isLater(meaningOf(part, names)))
        ? { kind: "text" }
        : other;
    case "ArrowFunctionExpression":
    case "FunctionExpression":
    case "FunctionDeclaration":
      return functionMeaning(node, names);
    default:
      return other;
  }
}

export function isLater({ kind }: Meaning): boolean {
  return kind === "reference" || kind === "text";
}

function memberMeaning(node: LintNode, names: Names): Meaning {
  const object = meaningOf(nodeIn(node, "object"), names);
  if (object.kind === "reference") return object;
  const property = nameOf(nodeIn(node, "property"));
  return object.kind === "api" && object.name === "*" && property !== undefined
    ? { kind: "api", name: property }
    : other;
}

function functionMeaning(node: LintNode, outer: Names): Meaning {
  const names = new Names(outer);
  for (const parameter of nodesIn(node, "params")) names.bind(parameter, other);
  const body = nodeIn(node, "body");
  const statements = body?.type === "BlockStatement" ? nodesIn(body, "body") : [];
  for (const statement of statements) bindDeclarations(statement, names);
  const results =
    statements.length > 0
      ? statements.filter(({ type }) => type === "ReturnStatement").map((statement) => nodeIn(statement, "argument"))
      : [body];
  for (const result of results) {
    const { kind } = meaningOf(result, names);
    if (kind === "reference" || kind === "text") return { kind: "gives", what: kind };
  }
  return other;
}

/** Enters what a statement declares. */
export function bindDeclarations(statement: LintNode, names: Names): void {
  if (statement.type === "ExportNamedDeclaration") {
    const declaration = nodeIn(statement, "declaration");
    if (declaration) bindDeclarations(declaration, names);
  } else if (statement.type === "VariableDeclaration") {
    for (const declarator of nodesIn(statement, "declarations")) {
      const id = nodeIn(declarator, "id");
      if (id) names.bind(id, meaningOf(nodeIn(declarator, "init"), names));
    }
  } else if (statement.type === "FunctionDeclaration") {
    names.set(nameOf(nodeIn(statement, "id")) ?? "", functionMeaning(statement, names));
  } else if (statement.type === "ImportDeclaration" && nodeIn(statement, "source")?.value === "millwright") {
    for (const specifier of nodesIn(statement, "specifiers")) {
      const local = nameOf(nodeIn(specifier, "local"));
      const imported = specifier.type === "ImportNamespaceSpecifier" ? "*" : nameOf(nodeIn(specifier, "imported"));
      if (local !== undefined && imported !== undefined) names.set(local, { kind: "api", name: imported });
    }
  }
}

// `name: Ref<string>`, as parameters of the user's own functions say it.
function hasReferenceType(pattern: LintNode): boolean {
  const annotation = nodeIn(pattern, "typeAnnotation");
  const type = annotation && nodeIn(annotation, "typeAnnotation");
  const name = type?.type === "TSTypeReference" ? nameOf(nodeIn(type, "typeName")) : undefined;
  return name === "Ref" || name === "UntypedRef";
}

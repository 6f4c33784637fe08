import type { AnyNode, Expression, MemberExpression, Program } from "acorn";
import { parse } from "acorn";

/** A program with a guard around each operand where JavaScript would use a reference without a word. */
export interface Instrumented {
  readonly code: string;
  /** The tree of the program as it was. */
  readonly program: Program;
  /** What was put in, by offsets in the program as it was, ascending. */
  readonly insertions: readonly Insertion[];
}

export interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** Puts the guards into a program. Lines stay as they are. */
export function instrument(source: string): Instrumented {
  const program = parse(source, { ecmaVersion: "latest", sourceType: "script" });
  const writer = new Writer();
  visit(program, writer);
  const insertions = writer.inOrder();
  let code = "";
  let done = 0;
  for (const { at, text } of insertions) {
    code += source.slice(done, at) + text;
    done = at;
  }
  return { code: code + source.slice(done), program, insertions };
}

class Writer {
  readonly #opening: Insertion[] = [];
  readonly #closing: Insertion[] = [];

  /** Puts text before and behind a node. Outer nodes come before the inner ones. */
  around(node: AnyNode, before: string, after: string): void {
    this.#opening.push({ at: node.start, text: before });
    this.#closing.push({ at: node.end, text: after });
  }

  before(node: AnyNode, text: string): void {
    this.#opening.push({ at: node.start, text });
  }

  guard(node: AnyNode, use: string): void {
    if (!cannotBeReference(node)) this.around(node, "$mw$((", `),"${use}")`);
  }

  inOrder(): Insertion[] {
    // Where one node ends and another begins, the end comes first; of several ends the inner one, which was put in last.
    const all = [...this.#closing.reverse(), ...this.#opening];
    return all.sort((a, b) => a.at - b.at);
  }
}

function visit(node: AnyNode, writer: Writer): void {
  // What is called by new is read up to its arguments, so that a call put into it would be the one that new is of.
  if (node.type === "NewExpression" && node.callee.type === "MemberExpression") {
    for (const argument of node.arguments) visit(argument, writer);
    return;
  }
  guardOperands(node, writer);
  for (const child of children(node)) visit(child, writer);
}

function guardOperands(node: AnyNode, writer: Writer): void {
  switch (node.type) {
    case "IfStatement":
    case "ConditionalExpression":
    case "WhileStatement":
    case "DoWhileStatement":
      return writer.guard(node.test, "condition");
    case "ForStatement":
      if (node.test) writer.guard(node.test, "condition");
      return;
    case "LogicalExpression":
      return writer.guard(node.left, "condition");
    case "SwitchStatement":
      writer.guard(node.discriminant, "comparison");
      for (const { test } of node.cases) if (test) writer.guard(test, "comparison");
      return;
    case "BinaryExpression":
      return guardBinary(node.operator, node.left, node.right, writer);
    case "UnaryExpression":
      if (node.operator === "!") writer.guard(node.argument, "condition");
      else if (node.operator === "typeof") guardTypeof(node, node.argument, writer);
      else if (["-", "+", "~"].includes(node.operator)) writer.guard(node.argument, "arithmetic");
      return;
    case "MemberExpression":
      return guardMember(node, writer);
    case "VariableDeclarator":
      if (node.init && node.id.type !== "Identifier") writer.guard(node.init, "element");
      return;
    case "ObjectPattern":
      for (const property of node.properties)
        if (property.type === "Property" && property.computed) writer.guard(property.key, "key");
      return;
    case "AssignmentExpression":
      return guardAssignment(node.operator, node.left, node.right, node, writer);
  }
}

function guardMember(node: MemberExpression, writer: Writer): void {
  const { object, property } = node;
  if (object.type === "Super") return;
  if (node.computed) writer.guard(property, "key");
  // A chain that may end early does so as a whole, so that nothing may be put around a part of it.
  if (endsEarly(object)) return;
  if (node.computed) writer.guard(object, "element");
  else if (property.type === "Identifier" && property.name === "length") writer.guard(object, "length");
}

function endsEarly(node: AnyNode): boolean {
  if (node.type === "MemberExpression") return node.optional || endsEarly(node.object);
  return node.type === "CallExpression" && (node.optional || endsEarly(node.callee));
}

const comparisons = new Set(["==", "!=", "===", "!==", "<", ">", "<=", ">=", "in"]);

function guardBinary(operator: string, left: AnyNode, right: AnyNode, writer: Writer): void {
  // Both sides of + may be texts, and a reference refuses + itself; instanceof is refused by the reference too.
  if (operator === "+" || operator === "instanceof" || left.type === "PrivateIdentifier") return;
  // Whether something was given at all is known: it was, where it is a reference.
  if (isNothing(left) || isNothing(right)) return;
  const use = comparisons.has(operator) ? "comparison" : "arithmetic";
  writer.guard(left, use);
  if (operator !== "in") writer.guard(right, use);
}

function guardTypeof(node: AnyNode, argument: Expression, writer: Writer): void {
  // A name that is nowhere declared may be asked for its type, but not be read.
  if (argument.type === "Identifier") writer.around(node, `(typeof ${argument.name}==="undefined"?"undefined":`, ")");
  writer.guard(argument, "typeof");
}

function guardAssignment(operator: string, left: AnyNode, right: AnyNode, node: AnyNode, writer: Writer): void {
  if (operator === "=") return;
  if (["||=", "&&=", "??="].includes(operator)) {
    if (left.type === "Identifier") writer.around(node, `($mw$(${left.name},"condition"),`, ")");
    return;
  }
  if (operator === "+=") return;
  if (left.type === "Identifier") writer.around(node, `($mw$(${left.name},"arithmetic"),`, ")");
  writer.guard(right, "arithmetic");
}

function isNothing(node: AnyNode): boolean {
  if (node.type === "Literal") return node.value === null && node.raw === "null";
  if (node.type === "UnaryExpression") return node.operator === "void";
  return node.type === "Identifier" && node.name === "undefined";
}

function cannotBeReference(node: AnyNode): boolean {
  if (node.type === "Literal") return true;
  if (node.type === "BinaryExpression") return node.operator !== "+";
  return node.type === "UnaryExpression" || node.type === "UpdateExpression" || node.type === "ThisExpression";
}

function* children(node: AnyNode): Generator<AnyNode> {
  // What is assigned to is a place, not a value: its own operand is read, but not the place.
  for (const [name, value] of Object.entries(node)) {
    if (name === "left" && isPlaceOf(node, value)) {
      yield* placeParts(value as AnyNode);
      continue;
    }
    if (isNode(value)) yield value;
    else if (Array.isArray(value)) for (const element of value) if (isNode(element)) yield element;
  }
}

function isPlaceOf(node: AnyNode, value: unknown): boolean {
  return (
    (node.type === "AssignmentExpression" || node.type === "ForInStatement" || node.type === "ForOfStatement") &&
    isNode(value)
  );
}

function placeParts(place: AnyNode): AnyNode[] {
  return place.type === "MemberExpression" ? [place.object, place.property] : [place];
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

/** What waits, or could: a stack has nothing to wait for. */
export function* waitingIn(program: Program): Generator<AnyNode> {
  for (const node of nodesIn(program)) {
    if (node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node.await)) yield node;
    else if ("async" in node && node.async === true) yield node;
  }
}

/** The parts of a tree in source order, the tree itself first. */
export function* nodesIn(node: AnyNode): Generator<AnyNode> {
  yield node;
  for (const [, value] of Object.entries(node)) {
    if (isNode(value)) yield* nodesIn(value);
    else if (Array.isArray(value)) for (const element of value) if (isNode(element)) yield* nodesIn(element);
  }
}

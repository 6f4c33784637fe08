import type { Diagnostic } from "@millwright/core/diagnostics";
import type {
  Attribute,
  Block,
  Body,
  Expression,
  Node,
  ObjectItem,
  ScopeTraversal,
  TraversalStep,
} from "@millwright/hcl/ast";
import { parseExpression } from "@millwright/hcl/parse";
import { embeddedFile } from "@millwright/hcl/source-file";
import { bigFloat } from "@millwright/value/number";
import { dynamicType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { boolValue, nullValue, numberValue, stringValue } from "@millwright/value/value";
import { assertNever } from "@millwright/core/errors";
import type { Graph, StackAttribute, StackBlock, StackExpression, Step } from "../runtime/expression.ts";
import { deriveName, derivation } from "./derive.ts";
import type { Place, Places } from "./places.ts";

/** The blocks of a graph as the engine reads them, each node at its place in the user's files. */
export function blocksOf(graph: Graph, places: Places, diagnostics: Diagnostic[]): Block[] {
  const converter = new Converter(places, diagnostics);
  return graph.blocks.flatMap((block) => converter.block(block) ?? []);
}

class Converter {
  readonly #places: Places;
  readonly #diagnostics: Diagnostic[];

  constructor(places: Places, diagnostics: Diagnostic[]) {
    this.#places = places;
    this.#diagnostics = diagnostics;
  }

  block(block: StackBlock): Block | undefined {
    const place = this.#places.frame(block.at);
    if (!place) return undefined;
    const header = this.#places.header(place);
    const labelNodes = block.labels.map((_, i) => {
      const { node } = this.#places.inside(place, [i]);
      return node === place.node ? header : node;
    });
    const { file, start, end } = place.node;
    const attributes = new Map(
      block.attributes.map((attribute) => [attribute.name, this.#attribute(attribute, place)]),
    );
    const blocks = block.blocks.flatMap((inner) => this.block(inner) ?? []);
    const body: Body = { file, start, end, attributes, blocks, missingItem: header, interchangeable: true };
    const brace = { file, start: header.end, end: header.end };
    return {
      file,
      start,
      end,
      type: block.type,
      typeNode: header,
      labels: block.labels,
      labelNodes,
      header,
      openBrace: brace,
      closeBrace: { file, start: end, end },
      body,
    };
  }

  #attribute({ name, expression, from }: StackAttribute, call: Place): Attribute {
    const value = this.#places.inside(call, from);
    const key = from.length > 1 ? this.#places.key(this.#places.inside(call, from.slice(0, -1)), name) : value.node;
    return {
      file: key.file,
      start: key.start,
      end: Math.max(key.end, value.node.end),
      name,
      nameNode: key,
      expression: this.expression(expression, value),
    };
  }

  expression(expression: StackExpression, place: Place): Expression {
    const { file, start, end } = place.node;
    const at = { file, start, end };
    switch (expression.kind) {
      case "literal":
        return { kind: "literal", ...at, value: literalValue(expression.value) };
      case "number":
        return { kind: "literal", ...at, value: numberValue(bigFloat(expression.text)) };
      case "reference":
        return walk(traversal(expression.root, at), expression.steps, at, (key) => this.expression(key, place));
      case "access":
        return walk(this.expression(expression.source, { node: at }), expression.steps, at, (key) =>
          this.expression(key, place),
        );
      case "template":
        return { kind: "template", ...at, parts: expression.parts.map((part) => this.expression(part, { node: at })) };
      case "tuple":
        return {
          kind: "tuple",
          ...at,
          elements: expression.elements.map((element, i) => this.expression(element, this.#places.step(place, i))),
          open: { file, start, end: Math.min(start + 1, end) },
        };
      case "object":
        return {
          kind: "object",
          ...at,
          items: expression.entries.map((entry) => this.#item(entry, place)),
          open: { file, start, end: Math.min(start + 1, end) },
        };
      case "conditional": {
        const [condition, whenTrue, whenFalse] = [expression.condition, expression.whenTrue, expression.whenFalse].map(
          (part) => this.expression(part, { node: at }),
        );
        return { kind: "conditional", ...at, condition: condition!, whenTrue: whenTrue!, whenFalse: whenFalse! };
      }
      case "call":
        return this.#call(
          expression.name,
          expression.args.map((arg) => this.expression(arg, { node: at })),
          this.#nodeAt(expression.at, at),
        );
      case "derive": {
        const node = this.#nodeAt(expression.at, at);
        const compute: Expression = { kind: "literal", ...node, value: derivation(expression.id) };
        return this.#call(deriveName, [compute, this.expression(expression.from, { node })], node);
      }
      case "source":
        return this.#source(expression.text, at);
      default:
        return assertNever(expression);
    }
  }

  #nodeAt(frames: StackBlock["at"], otherwise: Node): Node {
    return this.#places.frame(frames)?.node ?? otherwise;
  }

  #item({ key, value }: { readonly key: StackExpression; readonly value: StackExpression }, place: Place): ObjectItem {
    const name = key.kind === "literal" ? String(key.value) : undefined;
    const node = name === undefined ? place.node : this.#places.key(place, name);
    const inner = name === undefined ? { node: place.node } : this.#places.step(place, name);
    const { file, start, end } = node;
    return {
      key: { file, start, end, expression: this.expression(key, { node }) },
      value: this.expression(value, inner),
    };
  }

  #call(name: string, args: readonly Expression[], { file, start, end }: Node): Expression {
    const here = { file, start, end };
    return {
      kind: "call",
      ...here,
      name,
      nameNode: here,
      args,
      expandFinal: false,
      openParen: here,
      closeParen: { file, start: end, end },
    };
  }

  #source(text: string, { file, start, end }: Node): Expression {
    // Where the text stands there in quotes, faults are shown inside of it.
    const written = file.text.startsWith(text, start + 1);
    const placeOf = (offset: number) => (written ? start + 1 + offset : offset === 0 ? start : end);
    const { value, diagnostics } = parseExpression(embeddedFile(file, text, placeOf));
    this.#diagnostics.push(...diagnostics);
    return value;
  }
}

function traversal(name: string, at: Node): ScopeTraversal {
  return { kind: "scopeTraversal", ...at, root: { ...at, name }, steps: [] };
}

function walk(
  source: Expression,
  steps: readonly Step[],
  at: Node,
  expressionOf: (key: StackExpression) => Expression,
): Expression {
  let reached = source;
  for (const step of steps) {
    if ("key" in step) {
      reached = { kind: "index", ...at, collection: reached, key: expressionOf(step.key), brackets: at };
      continue;
    }
    const next: TraversalStep =
      "attribute" in step
        ? { kind: "attribute", ...at, name: step.attribute }
        : { kind: "index", ...at, key: literalValue(step.index) };
    if (reached.kind === "scopeTraversal" || reached.kind === "relativeTraversal")
      reached = { ...reached, steps: [...reached.steps, next] };
    else reached = { kind: "relativeTraversal", ...at, source: reached, steps: [next] };
  }
  return reached;
}

/** A value of JavaScript as one of the language. Numbers are read as their digits, as they are in a file. */
export function literalValue(value: string | number | boolean | null): Value {
  if (typeof value === "string") return stringValue(value);
  if (typeof value === "number") return numberValue(bigFloat(String(value)));
  return value === null ? nullValue(dynamicType) : boolValue(value);
}

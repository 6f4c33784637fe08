import type { StackExpression, Step } from "./expression.ts";
import { describe } from "./expression.ts";
import { refuse } from "./fault.ts";
import { partsOf, tokenFor } from "./token.ts";

const expressions = new WeakMap<object, StackExpression>();
const state = { finished: false };

/** The expression of a reference; undefined for anything else. */
export function expressionOf(value: unknown): StackExpression | undefined {
  return (typeof value === "function" || typeof value === "object") && value !== null
    ? expressions.get(value)
    : undefined;
}

export function isReference(value: unknown): boolean {
  return expressionOf(value) !== undefined;
}

/** From now on the graph is finished: a reference that is used is used inside of a `derive`, which was not given it. */
export function finishReferences(): void {
  state.finished = true;
}

/** Whether the graph is finished. */
export function isFinished(): boolean {
  return state.finished;
}

/** A reference: properties and indexes give references, template strings take it, and everything else is refused. */
export function reference(expression: StackExpression): unknown {
  // The target is a function so that calling one is seen too.
  const target = () => undefined;
  const proxy: object = new Proxy(target, handler(expression));
  expressions.set(proxy, expression);
  return proxy;
}

function handler(expression: StackExpression): ProxyHandler<() => undefined> {
  const no = (doing: string, instead: string) => (): never => notWith(expression, doing, instead);
  const derive = "Compute with derive(reference, (value) => …), which runs once the value is known";
  return {
    get(_target, property) {
      if (property === Symbol.toPrimitive) return (hint: string) => primitive(expression, hint);
      // A list takes a reference as one element.
      if (property === Symbol.isConcatSpreadable) return undefined;
      if (property === Symbol.iterator || property === Symbol.asyncIterator) {
        return notWith(
          expression,
          "gone through or spread",
          "To make one resource for each element, use the for_each option, or blocks(reference, …) for nested blocks",
        );
      }
      if (typeof property === "symbol") return notWith(expression, `asked for its ${String(property)}`, derive);
      if (property === "toString" || property === "valueOf")
        return () => primitive(expression, property === "toString" ? "string" : "number");
      if (property === "toJSON")
        return notWith(expression, "written as JSON here", "Use json(document), in which anything may be a reference");
      if (property === "then")
        return notWith(expression, "awaited", "A stack runs once from top to bottom, before anything is known");
      return reference(stepInto(expression, property));
    },
    has: no("searched with in", derive),
    ownKeys: no("listed or spread", derive),
    getOwnPropertyDescriptor: no("looked into", derive),
    getPrototypeOf: no("checked for what it is", derive),
    set: no("assigned to", "A reference stands for a value that somebody else makes"),
    defineProperty: no("assigned to", "A reference stands for a value that somebody else makes"),
    deleteProperty: no("changed", "A reference stands for a value that somebody else makes"),
    apply: no(
      "called",
      `It is a value known later, and has no methods. ${derive}, or call("upper", reference) for a function of the language`,
    ),
    construct: no("called", derive),
  };
}

function primitive(expression: StackExpression, hint: string): string {
  if (state.finished) {
    return refuse(
      "Reference inside of derive",
      `The function uses ${describe(expression)}, which it was not given. Hand it in: derive([first, second], ([a, b]) => …).`,
    );
  }
  if (hint === "string") return tokenFor(expression);
  return notWith(
    expression,
    "calculated with, compared, or joined with +",
    "Put it into a template string (`${reference}-suffix`), or compute with derive(reference, (value) => …)",
  );
}

/** Refuses to do something with a reference. */
export function notWith(expression: StackExpression, doing: string, instead: string): never {
  return refuse(
    "Value known later",
    `${describe(expression)} is a reference, whose value is known later, so it cannot be ${doing}. ${instead}.`,
  );
}

const identifier = /^[\p{ID_Start}_][\p{ID_Continue}-]*$/u;

/** The expression of a property or element. */
export function stepInto(expression: StackExpression, property: string): StackExpression {
  const step = stepOf(property);
  if (expression.kind === "reference" || expression.kind === "access") {
    return { ...expression, steps: [...expression.steps, step] };
  }
  return { kind: "access", source: expression, steps: [step] };
}

function stepOf(property: string): Step {
  if (/^(0|[1-9]\d*)$/.test(property)) return { index: Number(property) };
  const parts = partsOf(property);
  if (parts.length === 1 && typeof parts[0] === "string") {
    return identifier.test(property) ? { attribute: property } : { index: property };
  }
  if (parts.length === 1) return { key: parts[0] as StackExpression };
  return {
    key: {
      kind: "template",
      parts: parts.map((part) => (typeof part === "string" ? { kind: "literal", value: part } : part)),
    },
  };
}

/** Reads an address such as `data.local_file.a["x"].content`. */
export function parseAddress(text: string): StackExpression {
  const wrong = () =>
    refuse(
      "Not an address",
      `${JSON.stringify(text)} is not an address. Examples: local.name, module.net.id, random_pet.name["a"].id.`,
    );
  const root = /^[A-Za-z_][\w-]*/.exec(text);
  if (!root) return wrong();
  const steps: Step[] = [];
  let rest = text.slice(root[0].length);
  while (rest !== "") {
    const match = /^(?:\.([A-Za-z_][\w-]*)|\[(\d+)\]|\["((?:[^"\\$%]|\\["\\])*)"\])/.exec(rest);
    if (!match) return wrong();
    const [all, attribute, index, key] = match;
    if (attribute !== undefined) steps.push({ attribute });
    else if (index !== undefined) steps.push({ index: Number(index) });
    else steps.push({ index: key!.replace(/\\(.)/g, "$1") });
    rest = rest.slice(all.length);
  }
  if (steps.length === 0) return wrong();
  return { kind: "reference", root: root[0], steps };
}

import { compileRegexp } from "@millwright/text/regexp";
import { invariant } from "@millwright/core/errors";
import type { Binding, Expression, Match, Selector } from "./expression.ts";

/** Why an expression cannot be asked of an item; thrown within this package, a value outside. */
export class Unanswerable extends Error {
  override readonly name = "Unanswerable";
}

/** What to know of the items beside their JSON. */
export interface ItemShape {
  /** Names of fields that hold maps of the user's own keys: a key that is not there is no mistake. */
  readonly maps: ReadonlySet<string>;
}

/** Whether the item is one that the expression wants. Throws {@link Unanswerable}. */
export function evaluate(expression: Expression, item: unknown, shape: ItemShape): boolean {
  return run(expression, { item, shape, names: [] });
}

interface Scope {
  readonly item: unknown;
  readonly shape: ItemShape;
  /** The innermost last. */
  readonly names: readonly { readonly name: string; readonly value: unknown }[];
}

/** A value that a selector leads to; `absent` is a key of a map that is not there. */
type Found = { readonly kind: "there"; readonly value: unknown } | { readonly kind: "absent" };

function run(expression: Expression, scope: Scope): boolean {
  switch (expression.kind) {
    case "and":
      return run(expression.left, scope) && run(expression.right, scope);
    case "or":
      return run(expression.left, scope) || run(expression.right, scope);
    case "not":
      return !run(expression.operand, scope);
    case "any":
    case "all": {
      const found = find(expression.selector, scope);
      const items = found.kind === "absent" ? [] : itemsOf(found.value, expression.selector);
      const test = (item: CollectionItem) => run(expression.inner, withNames(scope, expression.binding, item));
      return expression.kind === "any" ? items.some(test) : items.every(test);
    }
    case "equals":
    case "contains":
    case "matches":
    case "is-empty": {
      const found = find(expression.selector, scope);
      const holds = found.kind === "absent" ? expression.kind === "is-empty" : matchHolds(expression, found.value);
      return holds !== expression.negated;
    }
  }
}

function matchHolds(match: Match, value: unknown): boolean {
  switch (match.kind) {
    case "equals":
      return equals(value, match.value, match.selector);
    case "contains":
      return contains(value, match.value, match.selector);
    case "matches": {
      if (typeof value !== "string") throw wrongType("matches", value, match.selector);
      const compiled = compileRegexp(match.value);
      invariant(compiled.ok, "the parser lets no expression through that does not compile");
      return compiled.regexp.test(value);
    }
    case "is-empty":
      if (value === null) return true;
      if (typeof value === "string" || Array.isArray(value)) return value.length === 0;
      if (typeof value === "object") return Object.keys(value).length === 0;
      throw wrongType("is empty", value, match.selector);
  }
}

// The text of the filter is read as what the value is.
function equals(value: unknown, text: string, selector: Selector): boolean {
  switch (typeof value) {
    case "string":
      return value === text;
    case "boolean":
      return value === booleanOf(text, selector);
    case "number":
      return value === numberOf(text, selector);
    case "bigint":
      return value === BigInt(Math.trunc(numberOf(text, selector)));
    default:
      throw wrongType("==", value, selector);
  }
}

function contains(value: unknown, text: string, selector: Selector): boolean {
  if (value === null) return false;
  if (typeof value === "string") return value.includes(text);
  if (Array.isArray(value)) return value.some((item) => equals(item, text, selector));
  if (typeof value === "object") return Object.hasOwn(value, text);
  throw wrongType("contains", value, selector);
}

function booleanOf(text: string, selector: Selector): boolean {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  throw new Unanswerable(`${selector.join(".")} is true or false, and cannot be ${JSON.stringify(text)}`);
}

function numberOf(text: string, selector: Selector): number {
  if (/^[+-]?\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new Unanswerable(`${selector.join(".")} is a number, and cannot be ${JSON.stringify(text)}`);
}

function wrongType(operator: string, value: unknown, selector: Selector): Unanswerable {
  return new Unanswerable(`${selector.join(".")} is ${typeName(value)}, of which "${operator}" cannot be asked`);
}

function typeName(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "boolean") return "true or false";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function find(selector: Selector, scope: Scope): Found {
  const [first = "", ...rest] = selector;
  const bound = scope.names.findLast(({ name }) => name === first);
  if (bound) return walk(bound.value, rest, { selector, shape: scope.shape, parent: undefined });
  return walk(scope.item, selector, { selector, shape: scope.shape, parent: undefined });
}

interface Walk {
  readonly selector: Selector;
  readonly shape: ItemShape;
  /** The field whose value this is. */
  readonly parent: string | undefined;
}

function walk(value: unknown, path: Selector, at: Walk): Found {
  const [step, ...rest] = path;
  if (step === undefined) return { kind: "there", value };
  const isMap = at.parent !== undefined && at.shape.maps.has(at.parent);
  if (value !== null && typeof value === "object" && Object.hasOwn(value, step)) {
    return walk((value as Readonly<Record<string, unknown>>)[step], rest, { ...at, parent: step });
  }
  if (isMap || (Array.isArray(value) && /^\d+$/.test(step))) return { kind: "absent" };
  throw new Unanswerable(unknownField(value, step, at.selector));
}

function unknownField(value: unknown, step: string, selector: Selector): string {
  const whole = selector.join(".");
  const what = whole === step ? `there is no ${whole}` : `there is no ${whole}: ${JSON.stringify(step)} is not there`;
  const known = value !== null && typeof value === "object" && !Array.isArray(value) ? Object.keys(value) : [];
  return known.length === 0 ? what : `${what}; known are ${known.join(", ")}`;
}

interface CollectionItem {
  readonly index: string | number;
  readonly value: unknown;
  readonly keyed: boolean;
}

function itemsOf(value: unknown, selector: Selector): readonly CollectionItem[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.map((item, index) => ({ index, value: item, keyed: false }));
  if (typeof value !== "object") throw new Unanswerable(`${selector.join(".")} is not a list or a map`);
  return Object.entries(value).map(([index, item]) => ({ index, value: item, keyed: true }));
}

function withNames(scope: Scope, binding: Binding, item: CollectionItem): Scope {
  const names = [...scope.names];
  if (binding.kind === "one") names.push({ name: binding.name, value: item.keyed ? item.index : item.value });
  else {
    if (binding.index !== undefined) names.push({ name: binding.index, value: item.index });
    if (binding.value !== undefined) names.push({ name: binding.value, value: item.value });
  }
  return { ...scope, names };
}

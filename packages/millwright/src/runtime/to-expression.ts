import type { StackExpression } from "./expression.ts";
import { refuse } from "./fault.ts";
import { expressionOf } from "./reference.ts";
import { inWords, partsOf } from "./token.ts";

/**
 * What a value that was passed as an input says. `path` names it in messages. Undefined is refused: what may be left out
 * leaves it out before.
 */
export function toExpression(value: unknown, path: string): StackExpression {
  const known = expressionOf(value);
  if (known) return known;
  switch (typeof value) {
    case "string":
      return textExpression(value);
    case "boolean":
      return { kind: "literal", value };
    case "number":
      if (Number.isFinite(value)) return { kind: "literal", value };
      return wrong(path, `is ${value}, which is no number a plan can hold. It often comes of calculating with text`);
    case "bigint":
      return { kind: "number", text: String(value) };
    case "undefined":
      return wrong(path, "is undefined. Give it a value, null for none, or leave it out");
    case "function":
    case "symbol":
      return wrong(path, `is a ${typeof value}, which is no value of a configuration`);
    case "object":
      return value === null ? { kind: "literal", value: null } : objectExpression(value, path);
  }
  return wrong(path, "is no value of a configuration");
}

export function textExpression(text: string): StackExpression {
  if (!text.isWellFormed()) return wrong("A text", "has half a character in it (a lone surrogate)");
  const parts = partsOf(text);
  if (parts.length === 1 && typeof parts[0] === "string") return { kind: "literal", value: parts[0] };
  if (parts.length === 0) return { kind: "literal", value: "" };
  return {
    kind: "template",
    parts: parts.map((part) => (typeof part === "string" ? { kind: "literal", value: part } : part)),
  };
}

const underway = new Set<object>();

function objectExpression(value: object, path: string): StackExpression {
  if (underway.has(value)) return wrong(path, "contains itself");
  underway.add(value);
  try {
    if (Array.isArray(value)) {
      return { kind: "tuple", elements: Array.from(value, (element, i) => toExpression(element, `${path}[${i}]`)) };
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      const name = value.constructor?.name ?? "object of a class";
      return wrong(
        path,
        `is a ${name}. Only plain objects, lists, strings, numbers, booleans and null are values of a configuration`,
      );
    }
    const entries = Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => ({ key: textExpression(key), value: toExpression(inner, `${path}.${key}`) }));
    return { kind: "object", entries };
  } finally {
    underway.delete(value);
  }
}

function wrong(path: string, what: string): never {
  return refuse("Unsuitable value", `${inWords(path)} ${what}.`);
}

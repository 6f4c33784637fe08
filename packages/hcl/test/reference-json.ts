import type { Body, Expression, ObjectKey, Unary } from "../src/ast.ts";
import type { BigFloat } from "@millwright/value/number";
import { asNumber } from "@millwright/value/value";
import type { Value } from "@millwright/value/value";

export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };

/**
 * A body as the npm package `@cdktf/hcl2json` (the reference's parser, in WebAssembly) gives it: blocks under their type and
 * labels as arrays; strings, lists and objects as such, with all other expressions as `${…}` around their source.
 */
export function referenceJson(body: Body): Plain {
  const result: Record<string, Plain> = {};
  for (const { type, labels, body: inner } of body.blocks) addBlock(result, [type, ...labels], referenceJson(inner));
  for (const { name, expression } of body.attributes.values()) result[name] = valueOf(expression);
  return result;
}

function addBlock(into: Record<string, Plain>, path: readonly string[], block: Plain): void {
  const [name, ...rest] = path;
  if (name === undefined) return;
  const present = into[name];
  if (rest.length === 0) {
    into[name] = Array.isArray(present) ? [...present, block] : [block];
    return;
  }
  const inner: Record<string, Plain> = isObject(present) ? { ...present } : {};
  addBlock(inner, rest, block);
  into[name] = inner;
}

function isObject(value: Plain | undefined): value is { readonly [name: string]: Plain } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueOf(expression: Expression): Plain {
  switch (expression.kind) {
    case "literal":
      return plainOf(expression.value);
    case "unary":
      return unaryOf(expression);
    case "template":
      return expression.parts.map(partText).join("");
    case "templateWrap":
      return valueOf(expression.wrapped);
    case "tuple":
      return expression.elements.map(valueOf);
    case "object":
      return Object.fromEntries(expression.items.map(({ key, value }) => [keyText(key), valueOf(value)]));
    default:
      return quoted(expression);
  }
}

/** Signs before literals are calculated. */
function unaryOf(expression: Unary): Plain {
  const { operator, operand } = expression;
  if (operand.kind !== "literal") return quoted(expression);
  const { type, data } = operand.value;
  if (operator === "-" && type.kind === "number") return jsonNumber(asNumber(operand.value), -1);
  return operator === "!" && typeof data === "boolean" ? !data : quoted(expression);
}

function plainOf(value: Value): Plain {
  if (value.data === null || typeof value.data === "boolean") return value.data;
  return typeof value.data === "string" ? escaped(value.data) : jsonNumber(asNumber(value), 1);
}

/** A number as it is after JSON, which has no infinity. */
function jsonNumber(number: BigFloat, sign: 1 | -1): Plain {
  const value = sign * Number(number.toText());
  return Number.isFinite(value) ? value : null;
}

function keyText({ name, expression }: ObjectKey): string {
  if (name !== undefined) return name;
  if (expression.kind === "scopeTraversal") return sourceOf(expression);
  const value = valueOf(expression);
  return typeof value === "string" ? value : String(value);
}

function partText(part: Expression): string {
  switch (part.kind) {
    case "literal":
      return String(plainOf(part.value));
    case "template":
      return part.parts.map(partText).join("");
    case "templateWrap":
      return partText(part.wrapped);
    case "conditional": {
      const whenFalse = partText(part.whenFalse);
      const otherwise = whenFalse === "" ? "" : `%{else}${whenFalse}`;
      return `%{if ${sourceOf(part.condition)}}${partText(part.whenTrue)}${otherwise}%{endif}`;
    }
    case "templateJoin": {
      const { tuple } = part;
      if (tuple.kind !== "for") return quoted(part);
      const names = tuple.keyName === undefined ? tuple.valueName : `${tuple.keyName}, ${tuple.valueName}`;
      return `%{for ${names} in ${sourceOf(tuple.collection)}}${partText(tuple.value)}%{endfor}`;
    }
    default:
      return quoted(part);
  }
}

function quoted(expression: Expression): string {
  return `\${${sourceOf(expression)}}`;
}

function sourceOf({ file, start, end }: Expression): string {
  return file.text.slice(start, end);
}

function escaped(text: string): string {
  return text.replace(/([$%])\{/g, "$1$1{");
}

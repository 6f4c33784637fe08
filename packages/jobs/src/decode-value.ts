import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Block, Body, Expression } from "@millwright/hcl/ast";
import { justAttributes } from "@millwright/hcl/body-content";
import type { ScopedBody } from "@millwright/hcl/decode-content";
import { evaluateInto } from "@millwright/hcl/evaluate";
import type { Scope } from "@millwright/hcl/scope";
import { rangeOf } from "@millwright/hcl/source-file";
import { parseDuration } from "@millwright/text/duration";
import { quote } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import { encodeSimple } from "@millwright/value/json";
import type { Type } from "@millwright/value/types";
import { boolType, listType, mapType, numberType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asNumber, asString, isNull, isWhollyKnown, unmarkDeep } from "@millwright/value/value";
import { withRuntimeReferences } from "./runtime-references.ts";
import type { FieldKind, Json } from "./shape.ts";

type ValueKind = Exclude<FieldKind["kind"], "object" | "objects" | "map" | "lists" | "free">;
type MapKind = Extract<FieldKind["kind"], "map" | "lists" | "free">;

/** What an argument says, as its field holds it; undefined where it is null, or was told to be wrong. */
export function readValue(
  kind: ValueKind,
  expression: Expression,
  name: string,
  scope: Scope | undefined,
  diagnostics: Diagnostic[],
): unknown {
  const value = valueOf(expression, scope, diagnostics);
  if (!value || isNull(value)) return undefined;
  if (kind === "duration") return durationOf(value, expression, name, diagnostics);
  const json = jsonAs(value, wantedTypes[kind], expression, name, diagnostics);
  if (kind !== "whole" || json === undefined || Number.isSafeInteger(json)) return json;
  diagnostics.push(wrongType(name, "a whole number is required", expression));
  return undefined;
}

const wantedTypes: Readonly<Record<Exclude<ValueKind, "duration">, Type>> = {
  text: stringType,
  whole: numberType,
  number: numberType,
  flag: boolType,
  texts: listType(stringType),
};

/** An argument with names and what they stand for. */
export function mapValue(
  kind: MapKind,
  expression: Expression,
  name: string,
  scope: Scope | undefined,
  diagnostics: Diagnostic[],
): unknown {
  const value = valueOf(expression, scope, diagnostics);
  if (!value || isNull(value)) return undefined;
  if (kind !== "free") return jsonAs(value, mapType(elementType(kind)), expression, name, diagnostics);
  if (value.type.kind === "object" || value.type.kind === "map") return JSON.parse(encodeSimple(value));
  diagnostics.push(wrongType(name, "an object is required", expression));
  return undefined;
}

function elementType(kind: "map" | "lists"): Type {
  return kind === "map" ? stringType : listType(stringType);
}

/** The arguments of a block, each a text or a list of texts. */
export function mapBody(
  kind: "map" | "lists",
  { body, scope }: ScopedBody,
  diagnostics: Diagnostic[],
): Readonly<Record<string, unknown>> {
  const { value: attributes, diagnostics: found } = justAttributes(body);
  diagnostics.push(...found);
  const entries = [...attributes.values()].flatMap(({ name, expression }) => {
    const value = valueOf(expression, scope, diagnostics);
    if (!value || isNull(value)) return [];
    const json = jsonAs(value, elementType(kind), expression, name, diagnostics);
    return json === undefined ? [] : [[name, json] as const];
  });
  return Object.fromEntries(entries);
}

/** A block whose content is a driver's: arguments as they are, and for each type of block a list of what its blocks hold. */
export function freeBody({ body, scope }: ScopedBody, diagnostics: Diagnostic[]): Readonly<Record<string, Json>> {
  return freeContent(body, scope, diagnostics);
}

function freeContent(body: Body, scope: Scope | undefined, diagnostics: Diagnostic[]): Record<string, Json> {
  const record: Record<string, Json> = {};
  for (const { name, expression } of body.attributes.values()) {
    const value = valueOf(expression, scope, diagnostics);
    if (value) record[name] = JSON.parse(encodeSimple(value)) as Json;
  }
  for (const block of body.blocks) {
    const earlier = record[block.type];
    const content = labelled(block, freeContent(block.body, scope, diagnostics));
    record[block.type] = Array.isArray(earlier) ? [...earlier, content] : [content];
  }
  return record;
}

/** `mount "a" { … }` holds what is in it under its label. */
function labelled({ labels }: Block, content: Json): Json {
  return labels.reduceRight<Json>((inner, label) => ({ [label]: [inner] }), content);
}

/** The value of an expression; undefined where it has none that can be used, which was told. */
export function valueOf(
  expression: Expression,
  scope: Scope | undefined,
  diagnostics: Diagnostic[],
): Value | undefined {
  const found: Diagnostic[] = [];
  const value = evaluateInto(withRuntimeReferences(expression, scope), scope, found);
  diagnostics.push(...found);
  if (found.some(({ severity }) => severity === "error")) return undefined;
  // An invalid expression was told when the file was read.
  return isWhollyKnown(value) ? unmarkDeep(value)[0] : undefined;
}

function jsonAs(value: Value, type: Type, expression: Expression, name: string, diagnostics: Diagnostic[]): unknown {
  const converted = convert(value, type);
  if (converted.ok) return withoutNulls(JSON.parse(encodeSimple(converted.value)), expression, name, diagnostics);
  diagnostics.push(wrongType(name, converted.message, expression));
  return undefined;
}

/** Texts in lists and maps are there or are not; null is not one of them. */
function withoutNulls(json: unknown, expression: Expression, name: string, diagnostics: Diagnostic[]): unknown {
  if (typeof json !== "object" || json === null || !Object.values(json).includes(null)) return json;
  diagnostics.push(wrongType(name, "null is not allowed inside of it", expression));
  return undefined;
}

function durationOf(value: Value, expression: Expression, name: string, diagnostics: Diagnostic[]): number | undefined {
  if (value.type.kind === "number") {
    const nanoseconds = asNumber(value);
    if (nanoseconds.isInteger) return nanoseconds.toNumber();
  }
  if (value.type.kind !== "string") {
    diagnostics.push(wrongType(name, 'a duration as "30s" or "1h30m" is required', expression));
    return undefined;
  }
  const parsed = parseDuration(asString(value));
  if (parsed.ok) return Number(parsed.duration);
  const detail = `${quote(name)} is no duration: ${parsed.error}. Write numbers with units, such as "30s", "5m" or "1h30m".`;
  diagnostics.push(errorDiagnostic("Invalid duration", detail, { subject: rangeOf(expression) }));
  return undefined;
}

function wrongType(name: string, why: string, expression: Expression): Diagnostic {
  const detail = `Inappropriate value for attribute ${quote(name)}: ${why}.`;
  return errorDiagnostic("Incorrect attribute value type", detail, { subject: rangeOf(expression) });
}

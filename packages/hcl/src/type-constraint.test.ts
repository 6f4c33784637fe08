import { convert } from "@millwright/value/convert";
import { typeText } from "@millwright/value/friendly";
import { expect, test } from "vitest";
import { golden, goldenScope, placeText } from "../test/golden.ts";
import { valueText } from "../test/value-text.ts";
import type { Expression } from "./ast.ts";
import { evaluate } from "./evaluate.ts";
import { parseJsonValue } from "./parse-json.ts";
import { parseExpression } from "./parse.ts";
import { sourceFile } from "./source-file.ts";
import type { TypeConstraint } from "./type-constraint.ts";
import { declaredType, exactType, typeConstraint } from "./type-constraint.ts";
import { applyDefaults } from "./type-defaults.ts";

/** What the reference (ext/typeexpr of hashicorp/hcl 2.23) reads in a type, and what becomes of a value by it. */
interface Case {
  readonly type: string;
  readonly syntax?: "json";
  /** Whether an exact type is asked for, without `any` and `optional`. */
  readonly exact?: true;
  readonly reading: string;
  readonly errors?: readonly string[];
  /** An expression; with defaults filled in and converted it is the `result`, unless that is `refused`. */
  readonly value?: string;
  readonly result?: string;
  /** Where the reference gives something else: why this is right. */
  readonly why?: string;
}

const { cases } = golden<{ cases: readonly Case[] }>("types.json");
const scope = goldenScope();

test.for(cases)("$type $value", (row) => {
  const expression = read(row.type, row.syntax);
  const { value, diagnostics } = row.exact ? exact(expression) : typeConstraint(expression);
  const got = { reading: typeText(value.type), errors: diagnostics.map(placeText) };
  expect(got).toEqual({ reading: row.reading, errors: row.errors ?? [] });
  if (row.value !== undefined) expect(resultOf(row.value, value)).toBe(row.result);
});

function exact(expression: Expression) {
  const { value, diagnostics } = exactType(expression);
  return { value: { type: value }, diagnostics };
}

function resultOf(text: string, { type, defaults }: TypeConstraint): string {
  const { value, diagnostics } = evaluate(read(text), scope);
  expect(diagnostics).toEqual([]);
  const converted = convert(defaults ? applyDefaults(value, defaults) : value, type);
  return converted.ok ? valueText(converted.value) : "refused";
}

function read(text: string, syntax?: "json"): Expression {
  const file = sourceFile("case", text);
  if (syntax !== "json") return parseExpression(file).value;
  const { value } = parseJsonValue(file);
  return { kind: "json", value, file, start: value.start, end: value.end };
}

test.for([
  { name: "a bare list has elements of any type", type: "list", want: "list(any)" },
  { name: "a bare map has elements of any type", type: "map", want: "map(any)" },
  { name: "a bare set is incomplete", type: "set", want: "any", error: "Invalid type specification" },
  { name: "a full type is read as ever", type: "list(string)", want: "list(string)" },
  { name: "a quoted string", type: '"string"', want: "string", error: "Invalid quoted type constraints" },
  { name: "a quoted list", type: '"list"', want: "list(any)", error: "Invalid quoted type constraints" },
  { name: "a quoted map", type: '"map"', want: "map(any)", error: "Invalid quoted type constraints" },
  { name: "another quoted word", type: '"number"', want: "any", error: "Invalid legacy variable type hint" },
])("$name where a type is declared in the old way", ({ type, want, error }) => {
  const { value, diagnostics } = declaredType(read(type));
  expect(typeText(value.type)).toBe(want);
  expect(diagnostics.map(({ summary }) => summary)).toEqual(error === undefined ? [] : [error]);
});

test("a quoted type says what to write instead", () => {
  const [diagnostic] = declaredType(read('"list"')).diagnostics;
  expect(diagnostic?.detail).toContain("write list(string)");
});

import { expect, test } from "vitest";
import { golden, goldenScope, placeText } from "../test/golden.ts";
import { valueText } from "../test/value-text.ts";
import type { Expression } from "./ast.ts";
import { evaluate } from "./evaluate.ts";
import { parseJsonValue } from "./parse-json.ts";
import { parseExpression, parseTemplate } from "./parse.ts";
import { sourceFile } from "./source-file.ts";

/**
 * What the reference (hashicorp/hcl 2.23, the one in Terraform 1.11) makes of an expression: the value with all marks and
 * refinements, and errors by summary, subject and context.
 */
interface Case {
  readonly expression: string;
  readonly syntax?: "template" | "json";
  readonly value: string;
  readonly errors?: readonly string[];
  /** Where the reference gives something else: why this is right. */
  readonly why?: string;
}

const { cases } = golden<{ cases: readonly Case[] }>("expressions.json");
const scope = goldenScope();

test.for(cases)("$expression", (row) => {
  const { value, diagnostics } = evaluate(read(row), scope);
  const got = { value: valueText(value), errors: diagnostics.map(placeText) };
  expect(got).toEqual({ value: row.value, errors: row.errors ?? [] });
});

function read({ expression, syntax }: Case): Expression {
  const file = sourceFile("case", expression);
  if (syntax === "json") {
    const { value, diagnostics } = parseJsonValue(file);
    expect(diagnostics).toEqual([]);
    return { kind: "json", value, file, start: value.start, end: value.end };
  }
  const { value, diagnostics } = syntax === "template" ? parseTemplate(file) : parseExpression(file);
  expect(diagnostics).toEqual([]);
  return value;
}

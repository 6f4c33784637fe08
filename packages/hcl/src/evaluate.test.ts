import { readFileSync } from "node:fs";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { expect, test } from "vitest";
import type { VariableNote } from "../test/language-scope.ts";
import { scopeOf } from "../test/language-scope.ts";
import { valueText } from "../test/value-text.ts";
import { evaluate } from "./evaluate.ts";
import { parseExpression, parseTemplate } from "./parse.ts";
import { sourceFile } from "./source-file.ts";

interface Case {
  readonly expression: string;
  readonly syntax?: "template" | "json";
  readonly value: string;
  readonly errors?: readonly string[];
  /** Where it is not what the reference gives: why. */
  readonly why?: string;
}

/** What the reference (hashicorp/hcl 2.23, as in Terraform 1.11) makes of each expression: values with all marks and
 * refinements, and errors as summary, subject and context. */
const table: { readonly scope: Readonly<Record<string, VariableNote>>; readonly cases: readonly Case[] } = JSON.parse(
  readFileSync(new URL("../testdata/expressions.json", import.meta.url), "utf8"),
);
const scope = scopeOf(table.scope);

test.each(table.cases.map((row) => [row.expression, row] as const))("%s", (_, row) => {
  if (row.syntax === "json") return;
  const file = sourceFile("case", row.expression);
  const parsed = row.syntax === "template" ? parseTemplate(file) : parseExpression(file);
  expect(parsed.diagnostics).toEqual([]);
  const { value, diagnostics } = evaluate(parsed.value, scope);
  expect({ value: valueText(value), errors: diagnostics.map(errorText) }).toEqual({
    value: row.value,
    errors: row.errors ?? [],
  });
});

function errorText({ summary, subject, context }: Diagnostic): string {
  const place = (range: NonNullable<Diagnostic["subject"]>) =>
    `${range.start.line},${range.start.column}-${range.end.line},${range.end.column}`;
  return `${summary} (${subject ? place(subject) : "-"}${context ? ` in ${place(context)}` : ""})`;
}

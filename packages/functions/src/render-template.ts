import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { formatRange } from "@millwright/core/source";
import type { Expression } from "@millwright/hcl/ast";
import { evaluate } from "@millwright/hcl/evaluate";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { isIdentifier } from "@millwright/hcl/identifier";
import { referencesIn } from "@millwright/hcl/references";
import type { Lookup } from "@millwright/hcl/scope";
import { rangeOf } from "@millwright/hcl/source-file";
import { quote } from "@millwright/text/quote";
import type { Value } from "@millwright/value/value";
import { asMap, isNull, unmark, withMarks } from "@millwright/value/value";
import { refuse } from "./define.ts";

/**
 * The value of a template with only `vars` (a known map or object, argument 1 of the call) to refer to. Refuses variables
 * that no template can name, references that `vars` does not have, and whatever fails within.
 */
export function renderTemplate(template: Expression, vars: Value, functions: Lookup<FunctionSpec>): Value {
  const [bare, marks] = unmark(vars);
  if (bare.type.kind !== "map" && bare.type.kind !== "object") refuse("invalid vars value: must be a map", 1);
  const variables = asMap(bare);
  for (const name of variables.keys()) {
    if (isIdentifier(name)) continue;
    const rule = "must start with a letter, followed by zero or more letters, digits, and underscores";
    refuse(`invalid template variable name ${quote(name)}: ${rule}`, 1);
  }
  for (const reference of referencesIn(template)) {
    const { name } = reference.root;
    if (variables.has(name)) continue;
    refuse(`vars map does not contain key ${quote(name)}, referenced at ${formatRange(rangeOf(reference.root))}`, 1);
  }
  const { value, diagnostics } = evaluate(template, { variables, functions });
  if (hasErrors(diagnostics)) refuse(summaryOf(diagnostics));
  if (isNull(value)) {
    const what = "The result of the template is null, which is not a valid result for a templatestring call.";
    refuse(`${formatRange(rangeOf(template))}: Template result is null; ${what}`);
  }
  return withMarks(value, marks);
}

/** Diagnostics as one clause: the first, and how many there are beside it. */
export function summaryOf(diagnostics: readonly Diagnostic[]): string {
  const [first] = diagnostics;
  if (!first) return "no diagnostics";
  const place = first.subject ? `${formatRange(first.subject)}: ` : "";
  const others = diagnostics.length > 1 ? `, and ${diagnostics.length - 1} other diagnostic(s)` : "";
  return `${place}${first.summary}; ${first.detail}${others}`;
}

import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import { justAttributes } from "@millwright/hcl/body-content";
import { evaluate } from "@millwright/hcl/evaluate";
import { isIdentifier } from "@millwright/hcl/identifier";
import { parseFile } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import { dynamic, string } from "@millwright/provider/fields";
import { ArgumentError, defineFunction, parameter } from "@millwright/provider/function";
import type { Value } from "@millwright/value/value";
import { asMap, objectValue } from "@millwright/value/value";
import { argumentsText, expressionText } from "./language-text.ts";

/** `provider::terraform::encode_expr`: a value as an expression of the language. */
export const encodeExpr = defineFunction({
  summary: "A value as an expression of the language.",
  parameters: [parameter("value", dynamic)],
  returns: string,
  run: expressionText,
});

/** `provider::terraform::encode_tfvars`: an object as the content of a `.tfvars` file. */
export const encodeTfvars = defineFunction({
  summary: "An object as the content of a .tfvars file.",
  parameters: [parameter("value", dynamic)],
  returns: string,
  run: (value) => {
    if (value.type.kind !== "object") {
      throw new ArgumentError(
        0,
        "invalid value to encode: must be an object whose attribute names will become the encoded variable names",
      );
    }
    for (const name of asMap(value).keys()) {
      if (isIdentifier(name)) continue;
      throw new ArgumentError(
        0,
        `invalid variable name ${JSON.stringify(name)}: must be a valid identifier, per the rules for input variables`,
      );
    }
    return argumentsText(asMap(value));
  },
});

/** `provider::terraform::decode_tfvars`: the content of a `.tfvars` file as an object. */
export const decodeTfvars = defineFunction({
  summary: "The content of a .tfvars file as an object.",
  parameters: [parameter("src", string)],
  returns: dynamic,
  run: (source) => {
    const body = parseFile(sourceFile("<decode_tfvars argument>", source));
    refuse("tfvars syntax", body.diagnostics);
    const attributes = justAttributes(body.value);
    refuse("tfvars content", attributes.diagnostics);
    const values: [string, Value][] = [];
    for (const [name, { expression }] of attributes.value) {
      const result = evaluate(expression);
      refuse(`expression for variable ${JSON.stringify(name)}`, result.diagnostics);
      values.push([name, result.value]);
    }
    return objectValue(values);
  },
});

function refuse(what: string, diagnostics: readonly Diagnostic[]): void {
  const errors = diagnostics.filter((d) => d.severity === "error");
  const [first, ...others] = errors;
  if (!hasErrors(diagnostics) || !first) return;
  const more = others.length > 0 ? `, and ${others.length} other diagnostic(s)` : "";
  const place = first.subject ? `${rangeText(first.subject)}: ` : "";
  throw new ArgumentError(0, `invalid ${what}: ${place}${first.summary}; ${first.detail}${more}`);
}

/** `file:1,5-8`, or with the end's line where that is another. */
function rangeText({ filename, start, end }: SourceRange): string {
  const last = start.line === end.line ? String(end.column) : `${end.line},${end.column}`;
  return `${filename}:${start.line},${start.column}-${last}`;
}

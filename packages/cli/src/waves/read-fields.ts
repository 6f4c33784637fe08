import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { Body } from "@millwright/hcl/ast";
import type { BlockSchema, BodyContent } from "@millwright/hcl/body-schema";
import { contentOf } from "@millwright/hcl/body-content";
import { evaluate } from "@millwright/hcl/evaluate";
import type { Scope } from "@millwright/hcl/scope";
import { rangeOf } from "@millwright/hcl/source-file";
import { plainOf, readSetting } from "../consul-template/setting-values.ts";

/** What an argument is; with `!` it must be there. */
export type FieldKind = "text" | "text!" | "number" | "number!" | "whole" | "duration" | "texts" | "texts!" | "map";

type Plain = "text" | "number" | "whole" | "duration" | "texts" | "map";

/** The arguments of a body, as plain data by name; durations in milliseconds. Undefined where something is wrong, which is reported. */
export function readFields(
  body: Body,
  fields: Readonly<Record<string, FieldKind>>,
  {
    scope,
    diagnostics,
    blocks = [],
  }: { readonly scope: Scope; readonly diagnostics: Diagnostic[]; readonly blocks?: readonly BlockSchema[] },
): { readonly values: Readonly<Record<string, unknown>>; readonly content: BodyContent } | undefined {
  const attributes = Object.entries(fields).map(([name, kind]) => ({ name, required: kind.endsWith("!") }));
  const content = contentOf(body, { attributes, blocks });
  const found: Diagnostic[] = [...content.diagnostics];
  const values: Record<string, unknown> = {};
  for (const [name, { expression }] of content.value.attributes) {
    const { value, diagnostics: faults } = evaluate(expression, scope);
    found.push(...faults);
    if (faults.length > 0) continue;
    const read = readField(fields[name]!.replace("!", "") as Plain, plainOf(value));
    if (read.ok) values[name] = read.value;
    else
      found.push(
        errorDiagnostic("Unsuitable value", `"${name}" is ${read.expected}.`, { subject: rangeOf(expression) }),
      );
  }
  diagnostics.push(...found);
  return hasErrors(found) ? undefined : { values, content: content.value };
}

function readField(kind: Plain, plain: unknown): ReturnType<typeof readSetting> {
  if (kind !== "map") return readSetting(kind, plain);
  const isMap = typeof plain === "object" && plain !== null && !Array.isArray(plain);
  if (!isMap || !Object.values(plain).every((value) => typeof value === "string"))
    return { ok: false, expected: "a map of texts" };
  return { ok: true, value: plain };
}

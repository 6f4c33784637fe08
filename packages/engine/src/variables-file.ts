import type { Diagnosed } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Body } from "@millwright/hcl/ast";
import { justAttributes } from "@millwright/hcl/body-content";
import { parseHcl1File } from "@millwright/hcl/hcl1";
import { parseFile } from "@millwright/hcl/parse";
import { parseJsonFile } from "@millwright/hcl/parse-json";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import type { Files } from "./ports.ts";

/**
 * Reads a file of variables (`.tfvars`, or `.tfvars.json`). Quoted names, as files of 2016 have them, are read with a
 * warning. Undefined where there is no such file or it cannot be read.
 */
export function readVariablesFile(files: Files, path: string): Diagnosed<ReadonlyMap<string, Attribute> | undefined> {
  const bytes = files.read(path);
  if (!bytes) {
    const detail = `Given variables file ${path} does not exist.`;
    return { value: undefined, diagnostics: [errorDiagnostic("Failed to read variables file", detail)] };
  }
  const file = sourceFile(path, bytes);
  if (path.endsWith(".json")) return attributesOf(parseJsonFile(file));
  const parsed = parseFile(file);
  if (!hasErrors(parsed.diagnostics)) return attributesOf(parsed);
  const old = parseHcl1File(file);
  if (hasErrors(old.diagnostics)) return { value: undefined, diagnostics: parsed.diagnostics };
  const quoted = [...old.value.attributes.values()].find(({ nameNode }) => file.text[nameNode.start] === '"');
  const warning = warningDiagnostic(
    "Quoted variable names are deprecated",
    "Names of variables in a variables file are written without quotes. Files from before Terraform 0.12 have them quoted, which still works; remove the quotes to silence this warning.",
    quoted ? { subject: rangeOf(quoted.nameNode) } : {},
  );
  return attributesOf({ value: old.value, diagnostics: [...old.diagnostics, warning] });
}

function attributesOf({
  value: body,
  diagnostics,
}: Diagnosed<Body>): Diagnosed<ReadonlyMap<string, Attribute> | undefined> {
  if (hasErrors(diagnostics)) return { value: undefined, diagnostics };
  const variable = body.blocks.find((block) => block.type === "variable");
  if (variable) {
    const detail = `Blocks are not allowed here: a variables file holds only "name = value" lines. To declare variable "${variable.labels[0] ?? ""}", place this block in one of your .tf files, such as variables.tf.`;
    const error = errorDiagnostic("Variable declaration in .tfvars file", detail, {
      subject: rangeOf(variable.header),
    });
    return { value: undefined, diagnostics: [...diagnostics, error] };
  }
  const { value, diagnostics: found } = justAttributes(body);
  return { value, diagnostics: [...diagnostics, ...found] };
}

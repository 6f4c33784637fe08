import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { filesBelow } from "@millwright/engine/node-files";
import type { Files } from "@millwright/engine/ports";
import type { VariableSource } from "@millwright/engine/variables";
import { readVariablesFile } from "@millwright/engine/variables-file";
import type { GivenFlag } from "./options.ts";
import type { Session } from "./session.ts";

/**
 * Where the values of variables come from, weakest first: the environment, terraform.tfvars, *.auto.tfvars, then -var and
 * -var-file in the order they were given.
 */
export function variableSources(
  session: Session,
  occurrences: readonly GivenFlag[],
): { readonly sources: VariableSource[]; readonly diagnostics: Diagnostic[] } {
  if (session.instance) return { sources: [...session.instance.inputs], diagnostics: [] };
  const diagnostics: Diagnostic[] = [];
  const sources: VariableSource[] = [];
  for (const [name, text] of Object.entries(session.io.env)) {
    if (name.startsWith("TF_VAR_") && text !== undefined)
      sources.push({ kind: "environment", name: name.slice(7), text });
  }
  const files: Files = filesBelow(session.folder);
  const readFile = (name: string) => {
    const read = readVariablesFile(files, name);
    diagnostics.push(...read.diagnostics);
    if (read.value) sources.push({ kind: "file", filename: name, attributes: read.value });
  };
  const names = readdirSync(session.folder).sort();
  for (const name of ["terraform.tfvars", "terraform.tfvars.json"])
    if (existsSync(join(session.folder, name))) readFile(name);
  for (const name of names) if (/\.auto\.tfvars(\.json)?$/.test(name)) readFile(name);
  for (const { name, text } of occurrences) {
    if (name === "var-file") readFile(text);
    else if (name === "var") {
      const at = text.indexOf("=");
      if (at > 0) sources.push({ kind: "command-line", name: text.slice(0, at).trim(), text: text.slice(at + 1) });
      else diagnostics.push(badVar(text));
    }
  }
  return { sources, diagnostics };
}

function badVar(text: string): Diagnostic {
  return {
    severity: "error",
    summary: "Invalid -var option",
    detail: `The given -var option ${JSON.stringify(text)} is not correctly specified. It must be a variable name and value separated by an equals sign, like -var="key=value".`,
  };
}

import type { Diagnosed } from "@millwright/core/diagnostics";
import { hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import type { Body } from "./ast.ts";
import { parseHcl1File } from "./hcl1.ts";
import { parseHcl1JsonFile } from "./hcl1-json.ts";
import { parseFile } from "./parse.ts";
import type { SourceFile } from "./source-file.ts";

/**
 * Reads a file of the kinds that were written in HCL 1 once, and may still be: policies, server configuration, jobs, and
 * `.tfvars`. What is HCL 2 is read as that; else what is HCL 1, with a warning; and where it is neither, the faults are
 * those of HCL 2. A file that begins with a brace is JSON, in which strings are no templates.
 */
export function readEither(file: SourceFile): Diagnosed<Body> {
  if (/^\s*\{/.test(file.text)) return parseHcl1JsonFile(file);
  const native = parseFile(file);
  if (!hasErrors(native.diagnostics)) return native;
  const old = parseHcl1File(file);
  if (hasErrors(old.diagnostics)) return native;
  return { value: old.value, diagnostics: [...old.diagnostics, oldSyntax(native)] };
}

function oldSyntax({ diagnostics }: Diagnosed<Body>): ReturnType<typeof warningDiagnostic> {
  const first = diagnostics.find(({ severity }) => severity === "error")!;
  const summary = first.summary.charAt(0).toLowerCase() + first.summary.slice(1);
  const detail = `This is no HCL 2 (${summary}), and was read as HCL 1, in which \${…} is plain text. ${first.detail}`;
  return warningDiagnostic("File in HCL 1", detail, first.subject ? { subject: first.subject } : {});
}

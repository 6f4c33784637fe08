import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { BackendType } from "@millwright/backends/backend-type";
import { backendValue, emptyBackend, layOver } from "@millwright/backends/configure";
import { specOf } from "@millwright/engine/decode-body";
import { filesBelow } from "@millwright/engine/node-files";
import { decode } from "@millwright/hcl/decode";
import { parseFile } from "@millwright/hcl/parse";
import { parseJsonFile } from "@millwright/hcl/parse-json";
import { emptyScope } from "@millwright/hcl/scope";
import { sourceFile } from "@millwright/hcl/source-file";
import { objectValue, stringValue, type Value } from "@millwright/value/value";
import type { Session } from "../session.ts";

/** What the flags `-backend-config=FILE` and `-backend-config=NAME=VALUE` say, the later over the earlier. */
export function partialConfiguration(session: Session, type: BackendType, flags: readonly string[]): Diagnosed<Value> {
  const diagnostics: Diagnostic[] = [];
  let value = emptyBackend(type);
  for (const flag of flags) {
    const read = /^[\w-]+=/.test(flag) ? fromPair(type, flag) : fromFile(session, type, flag);
    diagnostics.push(...read.diagnostics);
    value = layOver(value, read.value);
  }
  return { value, diagnostics };
}

function fromPair(type: BackendType, flag: string): Diagnosed<Value> {
  const at = flag.indexOf("=");
  const pair = objectValue([[flag.slice(0, at), stringValue(flag.slice(at + 1))]]);
  return backendValue(type, pair);
}

function fromFile(session: Session, type: BackendType, name: string): Diagnosed<Value> {
  const bytes = filesBelow(session.folder).read(name);
  const value = emptyBackend(type);
  if (!bytes) {
    const detail = `There is no file ${name} in ${session.folder}. -backend-config takes a file of "name = value" lines, or one NAME=VALUE.`;
    return { value, diagnostics: [errorDiagnostic("Failed to read file", detail)] };
  }
  const file = sourceFile(name, bytes);
  const parsed = name.endsWith(".json") ? parseJsonFile(file) : parseFile(file);
  if (hasErrors(parsed.diagnostics)) return { value, diagnostics: parsed.diagnostics };
  const decoded = decode(parsed.value, specOf(type.schema), emptyScope);
  const diagnostics = [...parsed.diagnostics, ...decoded.diagnostics];
  return { value: hasErrors(diagnostics) ? value : decoded.value, diagnostics };
}

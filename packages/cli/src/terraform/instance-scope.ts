import type { Diagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { VariableSource } from "@millwright/engine/variables";

/** The instance of a template that a command works on; its folder is then the template, and all else is the instance's own. */
export interface InstanceScope {
  readonly name: string;
  /** The folder whose list names the instance; absolute. */
  readonly listFolder: string;
  /** The template's folder, relative to that of the list. */
  readonly template: string;
  /** The template's files as they were, where the template itself is not there any more. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
  /** Where the state is kept if the template says no other place; absolute. */
  readonly statePath: string;
  /** The values of the template's variables. There are no others: no flags, no environment, no files. */
  readonly inputs: readonly VariableSource[];
  /** Names of the instances that these come from, where the list says so. */
  readonly dependencies?: readonly string[];
  /** Files of the list, which messages name as they are. */
  readonly listFiles: ReadonlySet<string>;
}

/** A diagnostic of an instance as the list's folder sees it: files by their names there, objects with their instance. */
export function inList(scope: InstanceScope, diagnostic: Diagnostic): Diagnostic {
  const { subject, context, address } = diagnostic;
  return {
    ...diagnostic,
    address: address === undefined ? `instance.${scope.name}` : `instance.${scope.name}: ${address}`,
    ...(subject ? { subject: rangeInList(scope, subject) } : {}),
    ...(context ? { context: rangeInList(scope, context) } : {}),
  };
}

/** A place in an instance's template, as the list's folder sees it. */
export function rangeInList({ template, listFiles }: InstanceScope, range: SourceRange): SourceRange {
  const { filename } = range;
  if (listFiles.has(filename) || filename.startsWith("/") || filename.startsWith("<")) return range;
  return { ...range, filename: `${template}/${filename}` };
}

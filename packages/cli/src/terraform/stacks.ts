import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Contribution } from "@millwright/engine/load";

/** What the TypeScript stacks of a folder add to its configuration. */
export interface StackSource {
  readonly contribution: Contribution;
  readonly diagnostics: readonly Diagnostic[];
  /** What a saved plan needs to make the same contribution again. */
  readonly saved: string;
}

export function runStacks(_folder: string, names: readonly string[]): Promise<StackSource> {
  const diagnostics = [
    errorDiagnostic(
      "Not supported yet",
      `TypeScript stacks (${names.join(", ")}) are not supported by this version of Millwright.`,
    ),
  ];
  return Promise.resolve({ contribution: { blocks: [] }, diagnostics, saved: "" });
}

export function restoreStacks(_saved: string): Promise<Contribution> {
  return Promise.resolve({ blocks: [] });
}

import type { Diagnostic } from "@millwright/core/diagnostics";
import type { Contribution } from "@millwright/engine/load";
import * as stacks from "millwright/stacks";

/** What the TypeScript stacks of a folder add to its configuration. */
export interface StackSource {
  readonly contribution: Contribution;
  readonly diagnostics: readonly Diagnostic[];
  /** What a saved plan needs to make the same contribution again. */
  readonly saved: string;
  /** The user's files that the stacks were made of, by names relative to the folder. */
  readonly sources: ReadonlyMap<string, string>;
  /** Lines that the stacks wrote with console.log. */
  readonly notes: readonly string[];
}

export function runStacks(folder: string, names: readonly string[]): Promise<StackSource> {
  return stacks.buildStacks(folder, names);
}

export function restoreStacks(saved: string): Contribution {
  return stacks.restoreStacks(saved);
}

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

/** Runs the stacks of a folder; `path` is what others call it, where they are not in it. */
export function runStacks(folder: string, names: readonly string[], path = "."): Promise<StackSource> {
  return stacks.buildStacks(folder, names, path);
}

/** The stacks of a root and of modules, by their folders, as one. */
export function joinStacks(root: StackSource | undefined, folders: ReadonlyMap<string, StackSource>): StackSource {
  const all = [...(root ? [root] : []), ...folders.values()];
  const inner = new Map([...folders].map(([folder, { contribution }]) => [folder, contribution] as const));
  const saved: SavedFolders = {
    root: root?.saved ?? "",
    folders: [...folders].map(([folder, stack]) => [folder, stack.saved]),
  };
  return {
    contribution: { blocks: [], ...root?.contribution, folders: inner },
    diagnostics: all.flatMap(({ diagnostics }) => diagnostics),
    saved: JSON.stringify(saved),
    sources: new Map(all.flatMap(({ sources }) => [...sources])),
    notes: all.flatMap(({ notes }) => notes),
  };
}

/** The stacks of a root (empty where it has none) and of the folders of modules, each in its own words. */
interface SavedFolders {
  readonly root: string;
  readonly folders: readonly (readonly [string, string])[];
}

/** The contribution of what {@link StackSource.saved} says. */
export function restoreStacks(saved: string): Contribution {
  const plain = JSON.parse(saved) as Partial<SavedFolders>;
  if (!plain.folders) return stacks.restoreStacks(saved);
  const root = plain.root ? stacks.restoreStacks(plain.root) : { blocks: [] };
  const folders = new Map(plain.folders.map(([folder, text]) => [folder, stacks.restoreStacks(text)] as const));
  return { ...root, folders };
}

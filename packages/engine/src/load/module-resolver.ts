import type { ModuleCall } from "../configuration.ts";

/** What a call says of where its module comes from. */
export type ModuleAddress = Pick<ModuleCall, "source" | "version" | "sourceRange">;

/**
 * Says where the module is that a call does not name by a path. `names` are those of the calls that lead to it, its own
 * the last.
 */
export type ModuleResolver = (call: ModuleAddress, names: readonly string[]) => ResolvedModule;

export type ResolvedModule =
  /** Relative to the root folder. */
  | { readonly kind: "folder"; readonly folder: string }
  | { readonly kind: "refused"; readonly summary: string; readonly detail: string }
  /** Somebody is told of it elsewhere: the call is left out, without a word. */
  | { readonly kind: "pending" };

/** A module that no init has installed yet. */
export const notInstalled: ResolvedModule = {
  kind: "refused",
  summary: "Module not installed",
  detail:
    'This module is not yet installed. Run "init" to install all modules required by this configuration; a module beside this one is named by a path that begins with "./" or "../".',
};

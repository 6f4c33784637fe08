import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Configuration, Module } from "@millwright/engine/configuration";
import type { Contribution } from "@millwright/engine/load";
import type { Session } from "./session.ts";
import type { StackSource } from "./stacks.ts";

export interface LoadedStacks {
  readonly loaded: Diagnosed<Configuration>;
  readonly stack?: StackSource;
}

/**
 * Reads a configuration with the TypeScript stacks of its root and of the modules that it calls: these are known once it has
 * been read without theirs, which may call further modules in turn.
 */
export async function loadWithStacks(
  session: Session,
  root: StackSource | undefined,
  load: (contribution: Contribution | undefined) => Diagnosed<Configuration>,
): Promise<LoadedStacks> {
  const found = new Map<string, StackSource>();
  for (;;) {
    const stack = found.size === 0 ? root : (await import("./stacks.ts")).joinStacks(root, found);
    const loaded = load(stack?.contribution);
    const { wanted, diagnostics } = moduleStacks(session, loaded.value);
    const next = wanted.filter(({ folder }) => !found.has(folder));
    if (next.length === 0) {
      const said = { value: loaded.value, diagnostics: [...loaded.diagnostics, ...diagnostics] };
      return { loaded: said, ...(stack ? { stack } : {}) };
    }
    const { runStacks } = await import("./stacks.ts");
    for (const { folder, names } of next)
      found.set(folder, await runStacks(join(session.folder, folder), names, folder));
  }
}

interface ModuleStacks {
  readonly folder: string;
  readonly names: readonly string[];
}

/** The stacks among the folders of a configuration's modules. */
function moduleStacks(
  session: Session,
  configuration: Configuration,
): { readonly wanted: readonly ModuleStacks[]; readonly diagnostics: readonly Diagnostic[] } {
  const wanted = new Map<string, ModuleStacks>();
  const diagnostics: Diagnostic[] = [];
  for (const module of configuration.modules.values()) {
    if (module.path === "" || wanted.has(module.folder)) continue;
    const names = stackNames(join(session.folder, module.folder));
    if (names.length === 0) continue;
    const call = fetchedBy(configuration, module);
    if (!call) wanted.set(module.folder, { folder: module.folder, names });
    else {
      const detail = `The module ${module.path} comes from ${call.source} and holds TypeScript (${names.join(", ")}), which would be run here. Programs from elsewhere are not run: copy the module into a folder of yours if you trust it, and call that.`;
      diagnostics.push(errorDiagnostic("Stack in a fetched module", detail, { subject: call.sourceRange }));
    }
  }
  return { wanted: [...wanted.values()], diagnostics };
}

/** The stacks of a folder. */
export function stackNames(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".stack.ts"))
    .sort();
}

/** The call, on the way to a module, whose source is not a folder beside; undefined where all are. */
function fetchedBy({ modules }: Configuration, { names }: Module) {
  for (let depth = 0; depth < names.length; depth++) {
    const caller = modules.get(
      names
        .slice(0, depth)
        .map((name) => `module.${name}`)
        .join("."),
    );
    const call = caller?.calls.get(names[depth]!);
    if (call && !/^\.{1,2}(\/|$)/.test(call.source)) return call;
  }
  return undefined;
}

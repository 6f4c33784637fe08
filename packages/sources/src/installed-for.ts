import { parseConstraints } from "@millwright/text/versions";
import { isAllowedModule } from "./module-constraints.ts";
import type { InstalledModule, ModuleManifest } from "./module-manifest.ts";
import { moduleSourceText, parseModuleSource } from "./module-source.ts";

/** Whether what is installed for a call is what the call asks for. */
export function installedFor(call: ModuleCallSource, manifest: ModuleManifest): InstalledAnswer {
  const installed = manifest.get(call.key);
  const source = parseModuleSource(call.source);
  if (!installed) return { kind: "missing" };
  if (source.kind === "bad" || moduleSourceText(source) !== installed.source) return { kind: "other-source" };
  if (source.kind !== "registry") return { kind: "installed", module: installed };
  const constraints = parseConstraints(call.version ?? ">= 0");
  const isMet =
    constraints !== undefined && installed.version !== undefined && isAllowedModule(installed.version, constraints);
  return isMet ? { kind: "installed", module: installed } : { kind: "other-version", version: installed.version ?? "" };
}

export type InstalledAnswer =
  | { readonly kind: "installed"; readonly module: InstalledModule }
  | { readonly kind: "missing" }
  | { readonly kind: "other-source" }
  | { readonly kind: "other-version"; readonly version: string };

/** A module call as far as it says which module it means; `key` are the names that lead to it, with dots between. */
export interface ModuleCallSource {
  readonly key: string;
  readonly source: string;
  readonly version?: string;
}

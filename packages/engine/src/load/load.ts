import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { Block, Body } from "@millwright/hcl/ast";
import { rangeOf } from "@millwright/hcl/source-file";
import type { Configuration, Module, ModuleCall } from "../configuration.ts";
import { childPath } from "../configuration.ts";
import type { Files } from "../ports.ts";
import type { FolderOptions } from "./folder.ts";
import { readFolder } from "./folder.ts";
import { decodeModule, topLevelBlocks } from "./module.ts";
import { droppedAttributes } from "./dropped-attributes.ts";
import { installedModules } from "./installed-modules.ts";
import type { ModuleResolver } from "./module-resolver.ts";
import { unsuitableDefaults } from "../variables.ts";
import { applyOverrides } from "./overrides.ts";
import type { StaticOptions } from "./static.ts";
import { noStaticOptions, StaticEvaluator } from "./static.ts";
import { resolveCall } from "./static-call.ts";
import { resolveProviders } from "./static-providers.ts";

/** The code of a diagnostic about what a module is given: modules and providers can be installed all the same. */
export const wrongInput = "wrong-input";

/** A further source of configuration beside the files of a folder (TypeScript stacks): its blocks, and its functions. */
export interface Contribution {
  readonly blocks: readonly Block[];
  readonly functions?: NonNullable<Module["functions"]>;
  /** The same for the folders of modules, by their paths as {@link Module.folder} has them. */
  readonly folders?: ReadonlyMap<string, Contribution>;
}

export interface LoadOptions extends FolderOptions {
  /** What else belongs to the root folder; also makes a folder without configuration files one. */
  readonly contribution?: Contribution;
  /** Which folder is the root module (default `.`). */
  readonly folder?: string;
  /** What is known before anything is planned: sources of modules may be made from it. */
  readonly static?: StaticOptions;
  /** Where modules are that are not folders beside: where init has put them, where not given. */
  readonly modules?: ModuleResolver;
}

/**
 * Reads the configuration of a folder and of all modules below it. There is always a configuration, the best that
 * could be read; with errors it is for looking at only.
 */
export function loadConfiguration(files: Files, options: LoadOptions): Diagnosed<Configuration> {
  const diagnostics: Diagnostic[] = [];
  const modules = new Map<string, Module>();
  const loader = new Loader(files, options, modules, diagnostics);
  const root = loader.module({
    path: "",
    names: [],
    folder: options.folder ?? ".",
    blocks: options.contribution?.blocks ?? [],
  });
  if (options.contribution?.functions) modules.set("", { ...root, functions: options.contribution.functions });
  const value = { root: modules.get("")!, modules };
  diagnostics.push(...unsuitableDefaults(value));
  return { value, diagnostics };
}

interface Place {
  readonly path: string;
  readonly names: readonly string[];
  readonly folder: string;
  readonly blocks: readonly Block[];
}

class Loader {
  readonly #files: Files;
  readonly #options: LoadOptions;
  readonly #modules: Map<string, Module>;
  readonly #diagnostics: Diagnostic[];
  readonly #static: StaticEvaluator;
  #resolve: ModuleResolver | undefined;

  constructor(files: Files, options: LoadOptions, modules: Map<string, Module>, diagnostics: Diagnostic[]) {
    this.#files = files;
    this.#options = options;
    this.#modules = modules;
    this.#diagnostics = diagnostics;
    this.#static = new StaticEvaluator(modules, options.static ?? noStaticOptions);
  }

  module(place: Place): Module {
    const { path, names, folder } = place;
    const read = readFolder(this.#files, folder, this.#options);
    this.#diagnostics.push(...(read?.diagnostics ?? []));
    const primary = read?.value.primary.flatMap((file) => this.#blocks(file.body)) ?? [];
    const overrides = read?.value.overrides.flatMap((file) => this.#blocks(file.body)) ?? [];
    const merged = applyOverrides([...primary, ...place.blocks], overrides);
    this.#diagnostics.push(...merged.diagnostics);
    const { value, diagnostics } = decodeModule(merged.value, folder);
    this.#diagnostics.push(...diagnostics);
    const module = this.#resolved({ path, names, folder, ...value });
    for (const call of module.calls.values()) this.#call(module, call);
    return module;
  }

  /** The module with the sources of its calls worked out. */
  #resolved(declared: Module): Module {
    this.#modules.set(declared.path, declared);
    const providers = resolveProviders(this.#static, declared, this.#diagnostics);
    const calls = [...declared.calls].map(([name, call]) => {
      const { value, diagnostics } = resolveCall(this.#static, declared, call);
      this.#diagnostics.push(...diagnostics);
      return [name, value] as const;
    });
    const module: Module = { ...declared, providers, calls: new Map(calls) };
    this.#modules.set(module.path, module);
    return module;
  }

  #blocks(body: Body): readonly Block[] {
    const { value, diagnostics } = topLevelBlocks(body);
    this.#diagnostics.push(...diagnostics);
    return value;
  }

  #call(caller: Module, call: ModuleCall): void {
    if (call.source === "") return;
    const folder = this.#folderOf(caller, call);
    if (folder === undefined) return;
    if (this.#isItsOwnCaller(caller, folder)) {
      return this.#refuse(
        call,
        `The module ${folder} calls itself, by way of ${[...caller.names, call.name].join(" → ")}. A module cannot be inside itself.`,
      );
    }
    const names = this.#files.list(folder);
    const contribution = this.#options.contribution?.folders?.get(folder);
    // A saved plan has the files of a configuration, and none of a folder that has TypeScript alone.
    if (!names && !contribution) {
      return this.#refuse(
        call,
        `There is no folder ${folder}: "${call.source}" is looked for from ${caller.folder === "." ? "the root folder" : caller.folder}.`,
      );
    }
    const child = this.module({
      path: childPath(caller, call.name),
      names: [...caller.names, call.name],
      folder,
      blocks: contribution?.blocks ?? [],
    });
    if (contribution?.functions) this.#modules.set(child.path, { ...child, functions: contribution.functions });
    this.#checkInputs(call, child);
  }

  // Undefined where it is not there, which is then told or will be looked after.
  #folderOf(caller: Module, call: ModuleCall): string | undefined {
    if (/^\.{1,2}(\/|$)/.test(call.source)) return joinFolder(caller.folder, call.source);
    this.#resolve ??= this.#options.modules ?? installedModules(this.#files);
    const answer = this.#resolve(call, [...caller.names, call.name]);
    if (answer.kind === "folder") return answer.folder;
    if (answer.kind === "refused")
      this.#diagnostics.push(errorDiagnostic(answer.summary, answer.detail, { subject: call.sourceRange }));
    return undefined;
  }

  #isItsOwnCaller(caller: Module, folder: string): boolean {
    for (let names = caller.names; ; names = names.slice(0, -1)) {
      const module = this.#modules.get(names.map((name) => `module.${name}`).join("."));
      if (module?.folder === folder) return true;
      if (names.length === 0) return false;
    }
  }

  #refuse(call: ModuleCall, detail: string): void {
    this.#diagnostics.push(errorDiagnostic("Module not available", detail, { subject: call.sourceRange }));
  }

  #checkInputs(call: ModuleCall, child: Module): void {
    for (const [name, expression] of call.inputs) {
      const variable = child.variables.get(name);
      if (variable) {
        this.#diagnostics.push(...droppedAttributes(expression, variable.type, `input variable "${name}"`));
        continue;
      }
      const near = similar(name, child.variables.keys());
      const detail = `An argument named "${name}" is not expected here: module "${call.name}" has no such variable.${near ? ` Did you mean "${near}"?` : ""}`;
      const subject = rangeOf(call.body.attributes.get(name)?.nameNode ?? expression);
      this.#diagnostics.push(errorDiagnostic("Unsupported argument", detail, { subject, code: wrongInput }));
    }
    for (const variable of child.variables.values()) {
      if (variable.default || call.inputs.has(variable.name)) continue;
      const detail = `The argument "${variable.name}" is required by module "${call.name}", but no value was given.`;
      const subject = rangeOf(call.body.missingItem);
      this.#diagnostics.push(errorDiagnostic("Missing required argument", detail, { subject, code: wrongInput }));
    }
  }
}

/** Joins and cleans two slash-separated paths; `.` is the root folder. */
function joinFolder(base: string, relative: string): string {
  const parts: string[] = base === "." ? [] : base.split("/");
  for (const part of relative.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.length === 0 ? "." : parts.join("/");
}
